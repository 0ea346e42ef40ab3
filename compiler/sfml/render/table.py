"""Rows as a text table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sfml.render.printable import printable


def table_text(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A line of column names, a line of dashes, one line for each row. Numbers are right-aligned, None is `NULL`.

    >>> print(table_text(("NAME", "N"), (("a", 1), ("long", None))))
    NAME     N
    ----  ----
    a        1
    long  NULL
    """
    columns = [printable(name) for name in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    to_right = [_is_number_column([row[at] for row in rows]) for at in range(len(columns))]
    widths = [max(len(line[at]) for line in (columns, *cells)) for at in range(len(columns))]

    def line(texts: Sequence[str]) -> str:
        placed = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, to_right, strict=True)
        )
        return "  ".join(placed).rstrip()

    return "\n".join((line(columns), line(["-" * width for width in widths]), *map(line, cells)))


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    # A row takes exactly one line.
    return printable(str(value))


def _is_number_column(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)
