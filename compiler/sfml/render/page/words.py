"""Text for pictures and pages: escaped, and cut to a width that is estimated without a font."""

from __future__ import annotations

import html
import unicodedata

from sfml.render.printable import printable

_NARROW = frozenset("iljtfr.,:;'|!()[]{} -/")


def escaped(text: str) -> str:
    """Text for an element or a quoted attribute of HTML or XML; invisible characters are written as escapes."""
    return html.escape(printable(text), quote=True)


def escaped_lines(text: str) -> str:
    """Escaped text of several lines, for `<pre>`."""
    return "\n".join(escaped(line) for line in text.splitlines())


def mono_width(text: str, size: float) -> float:
    """The maximum width of text in a fixed-width font of this size, in pixels."""
    return size * sum(0.62 if ord(char) < 0x500 else _wide_char_width(char) for char in text)


def sans_width(text: str, size: float) -> float:
    """The maximum width of text in the wider sans-serif fonts of common systems, in pixels."""
    return size * sum(_char_width(char) for char in text)


def _char_width(char: str) -> float:
    if ord(char) >= 0x500:
        return _wide_char_width(char)
    if char in _NARROW:
        return 0.42
    if char.isupper() or char in "mw@%→":
        return 0.8 if char not in "MW@%" else 1.0
    return 0.64


def _wide_char_width(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    return 1.3 if unicodedata.east_asian_width(char) in "WF" else 1.05


def ended(text: str, size: float, width: float) -> str:
    """Sans-serif text, cut at its end to fit `width`."""
    visible = printable(" ".join(text.split()))
    if sans_width(visible, size) <= width:
        return visible
    kept, used = [], sans_width("…", size)
    for char in visible:
        used += size * _char_width(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def shortened(name: str, size: float, width: float) -> str:
    """A name in a fixed-width font, cut in the middle to fit `width`: generated names differ at their ends."""
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
