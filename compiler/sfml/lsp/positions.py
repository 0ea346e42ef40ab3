"""Places in a text as the language server protocol counts them: lines and columns from 0, columns in code units.

Spans count lines as YAML does, which knows more line breaks than the protocol, so places go through offsets.
https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#textDocuments
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from types import MappingProxyType

from lsprotocol import types

from sfml.base.source import Position, Span

_PROTOCOL_BREAK = re.compile("\r\n|[\n\r]")
_YAML_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

UTF16, UTF8, UTF32 = "utf-16", "utf-8", "utf-32"
_UNITS: Mapping[str, Callable[[str], int]] = MappingProxyType(
    {
        UTF16: lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
        UTF8: lambda text: len(text.encode("utf-8", "surrogatepass")),
        UTF32: len,
    }
)


class TextMap:
    """The places of one text: offsets, spans, and positions of the protocol in an encoding that the client chose."""

    def __init__(self, text: str, encoding: str = UTF16, *, is_yaml: bool = True) -> None:
        self.text = text
        self._units = _UNITS[encoding]
        mark = 1 if text.startswith("\ufeff") else 0
        breaks = [match.end() for match in _PROTOCOL_BREAK.finditer(text)]
        self._lines = [0, *breaks]
        others = is_yaml and any(sign in text for sign in "\x85\u2028\u2029")
        self._yaml = (
            [mark, *(match.end() for match in _YAML_BREAK.finditer(text))] if others else [mark, *breaks]
        )

    @property
    def end(self) -> types.Position:
        return self.position(len(self.text))

    def position(self, offset: int) -> types.Position:
        """The protocol's position of an offset, which may lie beyond the text."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._lines, offset) - 1
        return types.Position(line, self._units(self.text[self._lines[line] : offset]))

    def offset(self, position: types.Position) -> int:
        """The offset of the protocol's position; a column beyond its line means the line's end."""
        if position.line >= len(self._lines):
            return len(self.text)
        start = self._lines[position.line]
        last = self._lines[position.line + 1] if position.line + 1 < len(self._lines) else len(self.text)
        line = self.text[start:last].rstrip("\r\n")
        if line.isascii():
            return start + min(position.character, len(line))
        left = position.character
        for index, sign in enumerate(line):
            left -= self._units(sign)
            if left < 0:
                return start + index
        return start + len(line)

    def offset_of(self, position: Position) -> int:
        """The offset of a position of a span."""
        if position.line > len(self._yaml):
            return len(self.text)
        return min(self._yaml[max(position.line, 1) - 1] + position.column - 1, len(self.text))

    def place(self, offset: int) -> Position:
        """The position, as spans count, of an offset."""
        line = max(bisect_right(self._yaml, offset), 1)
        return Position(line, offset - self._yaml[line - 1] + 1)

    def range(self, span: Span) -> types.Range:
        """The protocol's range of a span."""
        return types.Range(self.position(self.offset_of(span.start)), self.position(self.offset_of(span.end)))

    def range_of(self, start: int, end: int) -> types.Range:
        """The protocol's range between two offsets."""
        return types.Range(self.position(start), self.position(end))

    def written(self, span: Span) -> str:
        """The text that a span covers."""
        return self.text[self.offset_of(span.start) : self.offset_of(span.end)]
