"""Untrusted text made safe to show: no character in it moves the cursor, is invisible or reverses the line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfml.base.escapes import escape

_COLOR = re.compile(r"\x1b\[[\d;]*m")


def without_colors(text: str) -> str:
    """The text without sequences that only set colors, as programs write them to terminals."""
    return _COLOR.sub("", text)


def printable(text: str) -> str:
    """The text with control, format and separator characters written as escapes: `\\\\x1b`, `\\\\u202e`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escape(char) for char in text)


def printable_lines(text: str) -> str:
    """The text with the same escapes, for several lines: newlines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        char if char in "\n\t" or char.isprintable() else escape(char) for char in text.replace("\r\n", "\n")
    )


def printable_json(document: str, *, is_ascii: bool = False) -> str:
    """An equivalent JSON document with invisible characters as JSON escapes; with `is_ascii`, all but ASCII."""
    if document.isprintable() and not (is_ascii and not document.isascii()):
        return document
    return "".join(
        char
        if char == "\n" or (char.isprintable() and (char.isascii() or not is_ascii))
        else "".join(_units(char))
        for char in document
    )


def _units(char: str) -> Iterator[str]:
    """The JSON escapes of a character: one, or a surrogate pair for a code point beyond 16 bits."""
    data = char.encode("utf-16-be", "surrogatepass")
    return (f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))
