"""Text of a spec as a terminal or page can show it: nothing in it moves the cursor, hides, or turns a line around."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with control, format and separator characters written as escapes: `\\\\x1b`, `\\\\u202e`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
