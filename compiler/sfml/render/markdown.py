"""Text of strangers in Markdown that hosts show: nothing in it becomes a link, a mention, a tag or the end of a cell.

Whatever a spec, a path or a name of a branch holds goes through one of these functions. Code spans are the safest
place: hosts make no mentions and no links there. GitHub's flavour is https://github.github.com/gfm/; that it turns
`@name`, `#1` and addresses of plain text into links whatever is escaped is why `prose` takes refuge in code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sfml.render.printable import printable

_RUNS = re.compile(r"`+")
_PUNCTUATION = re.compile(r"""([!"#$%&'()*+,./:;<=>?@\[\\\]^_`{|}~-])""")
_LINKS = re.compile(r"[@#]|://|www\.|\bGH-\d|&|\d{5}", re.IGNORECASE)
_QUOTED = re.compile(r"`([^`]*)`")

LONGEST = 160
"""How much of a name or path is shown."""


def one_line(text: str, most: int = LONGEST) -> str:
    """The text on one line, visible, and cut where it gets long."""
    flat = printable(" ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def code(text: str, most: int = LONGEST) -> str:
    """The text as a code span, for anywhere but a table; nothing for no text."""
    flat = one_line(text, most)
    if not flat:
        return ""
    fence = "`" * (max((len(run) for run in _RUNS.findall(flat)), default=0) + 1)
    padded = f" {flat} " if flat.startswith("`") or flat.endswith("`") else flat
    return f"{fence}{padded}{fence}"


def cell(text: str, most: int = LONGEST) -> str:
    """The text as code in a cell of a table; a pipe would end the cell even in a code span."""
    flat = one_line(text, most)
    return html_code(flat, most) if "|" in flat or "\\" in flat else code(flat, most)


def html_code(text: str, most: int = LONGEST) -> str:
    """The text as code where Markdown is not sure to be read: in a `<summary>`, or beside pipes.

    A character by its number is never markup; the word joiner keeps hosts from seeing an address.
    """
    flat = one_line(text, most)
    numbered = _PUNCTUATION.sub(lambda found: f"&#{ord(found[1])};", flat)
    return f"<code>{numbered.replace('&#64;', '&#64;&#8288;')}</code>" if flat else ""


def prose(text: str, most: int = 400) -> str:
    """A sentence of ours that quotes names in backticks: those as code, the rest without markup of its own."""
    flat = one_line(text, most)
    parts: list[str] = []
    at = 0
    for found in _QUOTED.finditer(flat):
        parts += [_plain(flat[at : found.start()]), code(found[1])]
        at = found.end()
    return "".join([*parts, _plain(flat[at:])])


def cell_prose(text: str, most: int = 400) -> str:
    """Such a sentence in a cell of a table."""
    flat = one_line(text, most)
    return cell(flat, most) if "|" in flat or "\\" in flat or "`" in flat else _plain(flat)


def fenced(lines: Iterable[str], language: str = "") -> list[str]:
    """The lines as a block of code, whatever fences they hold."""
    visible = [printable(line.expandtabs()) for line in lines]
    longest = max((len(run) for line in visible for run in _RUNS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *visible, fence]


def _plain(text: str) -> str:
    if _LINKS.search(text):
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{before}{code(text.strip())}{after}"
    return re.sub(r"([\\`*_{}\[\]<>|~!$])", r"\\\1", text)
