"""Escapes of characters, as Python and YAML write them."""

from __future__ import annotations


def escape(char: str) -> str:
    """The escape of a character by its code point: `\\x1b`, `\\u202e`, `\\U0001f600`."""
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
