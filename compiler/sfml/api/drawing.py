"""HTML that notebooks show for values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def preformatted(text: str) -> str:
    """Text as `<pre>`, which keeps its columns aligned."""
    return f"<pre>{escape(text)}</pre>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of plain text as an HTML table with headings."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
