"""Where a piece of text stands: positions and spans, which never leave the values read from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text; line and column count from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one file; `file` is a posix path relative to the project root, `end` is exclusive."""

    file: str
    start: Position
    end: Position

    @classmethod
    def of(cls, file: str, line: int, column: int, end_line: int, end_column: int) -> Span:
        return cls(file, Position(line, column), Position(end_line, end_column))

    @classmethod
    def whole(cls, file: str) -> Span:
        """A span for findings about a file as such."""
        return cls(file, Position(1, 1), Position(1, 1))

    def __str__(self) -> str:
        return f"{self.file}:{self.start.line}:{self.start.column}"


_LINE_BREAKS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")  # those of YAML, not of Python


@lru_cache(maxsize=64)
def source_lines(source: str) -> list[str]:
    """The lines of a text as YAML counts them."""
    for mark in _LINE_BREAKS:
        source = source.replace(mark, "\n")
    return source.split("\n")
