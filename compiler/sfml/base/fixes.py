"""Applying fixes to a text: the exact place of each, and the text that results. All other text stays as it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from sfml.base.diagnostic import Fix
from sfml.base.source import Position, Span

# The line breaks of YAML, which differ from those of `str.splitlines`.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def pinned(fix: Fix, source: str) -> Fix | None:
    """The fix with its span narrowed to the replaced text; None where the span does not hold that text exactly once.

    A value that comes from a default or an expression does not stand in the text, so it cannot be pinned.
    """
    starts = _line_starts(source)
    begin, end = _offset(starts, fix.span.start), _offset(starts, fix.span.end)
    if begin is None or end is None or end > len(source):
        return None
    text = source[begin:end]
    if text == fix.old:
        return fix
    places = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(fix.old)}(?!\w)", text)]
    if len(places) != 1:
        return None
    at = begin + places[0]
    exact = Span(fix.span.file, _position(starts, at), _position(starts, at + len(fix.old)))
    return replace(fix, span=exact)


def fixed(source: str, fixes: Iterable[Fix]) -> tuple[str, tuple[Fix, ...]]:
    """The text with the pinned fixes applied, and the applied fixes. Of two that overlap, only the first is applied."""
    starts = _line_starts(source)
    parts: list[str] = []
    applied: list[Fix] = []
    position = 0
    for fix in sorted(set(fixes), key=lambda fix: (fix.span, fix.new)):
        begin, end = _offset(starts, fix.span.start), _offset(starts, fix.span.end)
        if begin is None or end is None or begin < position or source[begin:end] != fix.old:
            continue
        parts += (source[position:begin], fix.new)
        position = end
        applied.append(fix)
    return "".join((*parts, source[position:])), tuple(applied)


def text_at(source: str, span: Span) -> str | None:
    """The text that a span covers; None when the span ends beyond the source."""
    starts = _line_starts(source)
    begin, end = _offset(starts, span.start), _offset(starts, span.end)
    return None if begin is None or end is None or end > len(source) else source[begin:end]


@lru_cache(maxsize=16)
def _line_starts(source: str) -> tuple[int, ...]:
    return (0, *(match.end() for match in _LINE_BREAK.finditer(source)))


def _offset(starts: tuple[int, ...], position: Position) -> int | None:
    return starts[position.line - 1] + position.column - 1 if position.line <= len(starts) else None


def _position(starts: tuple[int, ...], offset: int) -> Position:
    line = bisect_right(starts, offset)
    return Position(line, offset - starts[line - 1] + 1)
