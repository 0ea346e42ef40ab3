"""Text for pictures and pages: escaped, and cut to a width without a font to measure by."""

from __future__ import annotations

import html
import unicodedata

from sfml.render.printable import printable

_NARROW = frozenset("iljtfr.,:;'|!()[]{} -/")


def escaped(text: str) -> str:
    """Text for an element or an attribute in quotes, of HTML as of XML; what is not visible is written as an escape."""
    return html.escape(printable(text), quote=True)


def escaped_lines(text: str) -> str:
    """Text of several lines, for `<pre>`."""
    return "\n".join(escaped(line) for line in text.splitlines())


def mono_width(text: str, size: float) -> float:
    """How wide text is at most in a fixed-width font."""
    return size * sum(0.62 if ord(char) < 0x500 else _foreign(char) for char in text)


def sans_width(text: str, size: float) -> float:
    """How wide text is at most in the wider ones of the fonts that systems use."""
    return size * sum(_of(char) for char in text)


def _of(char: str) -> float:
    if ord(char) >= 0x500:
        return _foreign(char)
    if char in _NARROW:
        return 0.42
    if char.isupper() or char in "mw@%→":
        return 0.8 if char not in "MW@%" else 1.0
    return 0.64


def _foreign(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    return 1.3 if unicodedata.east_asian_width(char) in "WF" else 1.05


def ended(text: str, size: float, width: float) -> str:
    """Sans-serif text, its end cut off where it is too long."""
    visible = printable(" ".join(text.split()))
    if sans_width(visible, size) <= width:
        return visible
    kept, used = [], sans_width("…", size)
    for char in visible:
        used += size * _of(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def shortened(name: str, size: float, width: float) -> str:
    """A name in a fixed-width font, cut in the middle: names that were made from one another differ at their ends."""
    visible = printable(name)
    if mono_width(visible, size) <= width:
        return visible
    head, tail = list(visible[: len(visible) // 2]), list(visible[len(visible) // 2 :])
    while mono_width("".join((*head, "…", *tail)), size) > width and (head or tail):
        if len(head) >= len(tail):
            head.pop()
        else:
            tail.pop(0)
    return "".join((*head, "…", *tail))
