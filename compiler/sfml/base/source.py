"""Places in a text: positions and spans. Every value that is read from a text keeps its span."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

YAML_SUFFIXES = (".yaml", ".yml")


def is_yaml(file: str) -> bool:
    """Whether the name of a file ends as those of YAML files do, in any case."""
    return file.lower().endswith(YAML_SUFFIXES)


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
        """The span of a finding that is about a whole file: its first character."""
        return cls(file, Position(1, 1), Position(1, 1))

    def __str__(self) -> str:
        return f"{self.file}:{self.start.line}:{self.start.column}"


_LINE_BREAKS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")  # those of YAML; Python knows others


@lru_cache(maxsize=64)
def source_lines(source: str) -> list[str]:
    """The lines of a text, without their line breaks, as YAML counts them."""
    for mark in _LINE_BREAKS:
        source = source.replace(mark, "\n")
    return source.split("\n")
