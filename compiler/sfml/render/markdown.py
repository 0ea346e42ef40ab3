"""Untrusted text in Markdown: none of it becomes a link, a mention, an HTML tag or the end of a table cell.

All text from specs, paths and branch names goes through one of these functions. Code spans are the safest place,
because hosts create no mentions and no links inside them. GitHub turns `@name`, `#1` and addresses in plain text into
links even when they are escaped, so `prose` puts such text into code spans. Source: https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sfml.render.printable import printable

_RUNS = re.compile(r"`+")
_PUNCTUATION = re.compile(r"""([!"#$%&'()*+,./:;<=>?@\[\\\]^_`{|}~-])""")
_LINKS = re.compile(r"[@#]|://|www\.|\bGH-\d|&|\d{5}", re.IGNORECASE)
_BULLETS = re.compile(r"^(\s*\d*)([.)+-])(?=\s|$)")
"""What begins a list at the beginning of a line: `1.`, `1)`, `-`, `+`; an asterisk is escaped everywhere."""
_QUOTED = re.compile(r"`([^`]*)`")

LONGEST = 160
"""Number of characters of a name or path that are shown."""


def one_line(text: str, most: int = LONGEST) -> str:
    """The text on one line, with invisible characters escaped, cut to at most `most` characters."""
    flat = printable(" ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def code(text: str, most: int = LONGEST) -> str:
    """The text as a code span, for use outside tables; the empty string for empty text."""
    flat = one_line(text, most)
    if not flat:
        return ""
    fence = "`" * (max((len(run) for run in _RUNS.findall(flat)), default=0) + 1)
    padded = f" {flat} " if flat.startswith("`") or flat.endswith("`") else flat
    return f"{fence}{padded}{fence}"


def cell(text: str, most: int = LONGEST) -> str:
    """The text as code in a table cell. A pipe ends a cell even inside a code span, so HTML is used for it."""
    flat = one_line(text, most)
    return html_code(flat, most) if "|" in flat or "\\" in flat else code(flat, most)


def html_code(text: str, most: int = LONGEST) -> str:
    """The text as an HTML `<code>` element, for places without reliable Markdown: a `<summary>`, or a cell with pipes.

    Punctuation is written as numeric references, which are never markup. A word joiner after `@` prevents a mention.
    """
    flat = one_line(text, most)
    numbered = _PUNCTUATION.sub(lambda match: f"&#{ord(match[1])};", flat)
    return f"<code>{numbered.replace('&#64;', '&#64;&#8288;')}</code>" if flat else ""


def prose(text: str, most: int = 400) -> str:
    """A sentence of sfml's with names in backticks: the names as code spans, the rest with its markup escaped."""
    flat = one_line(text, most)
    parts: list[str] = []
    end = 0
    for quoted in _QUOTED.finditer(flat):
        parts += [_plain(flat[end : quoted.start()]), code(quoted[1])]
        end = quoted.end()
    return _BULLETS.sub(r"\1\\\2", "".join([*parts, _plain(flat[end:])]))


def cell_prose(text: str, most: int = 400) -> str:
    """A sentence of sfml's in a table cell; all of it as code if it holds a backtick, a pipe or a backslash."""
    flat = one_line(text, most)
    return cell(flat, most) if "|" in flat or "\\" in flat or "`" in flat else _plain(flat)


def fenced(lines: Iterable[str], language: str = "") -> list[str]:
    """The lines as a code block; the fence is longer than any run of backticks in them."""
    visible = [printable(line.expandtabs()) for line in lines]
    longest = max((len(run) for line in visible for run in _RUNS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *visible, fence]


def _plain(text: str) -> str:
    if _LINKS.search(text):
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{before}{code(text.strip())}{after}"
    return re.sub(r"([\\`*_{}\[\]<>|~!$])", r"\\\1", text)
