"""Fixes and the text that they change: where exactly, and what it becomes; everything else stays byte for byte."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from sfml.base.diagnostic import Fix
from sfml.base.source import Position, Span

# Line breaks as YAML counts them, which is not how Python does.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def pinned(fix: Fix, source: str) -> Fix | None:
    """The fix with the span of just what it replaces; None where that is not there, or there more than once.

    A value that comes from somewhere else, such as a default or an expression, does not hold its word as text.
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
    """The text with pinned fixes applied, and those that were: where two overlap, the first one counts."""
    starts = _line_starts(source)
    parts: list[str] = []
    done: list[Fix] = []
    position = 0
    for fix in sorted(set(fixes), key=lambda fix: (fix.span, fix.new)):
        begin, end = _offset(starts, fix.span.start), _offset(starts, fix.span.end)
        if begin is None or end is None or begin < position or source[begin:end] != fix.old:
            continue
        parts += (source[position:begin], fix.new)
        position = end
        done.append(fix)
    return "".join((*parts, source[position:])), tuple(done)


def text_at(source: str, span: Span) -> str | None:
    """The text that a span covers; None when it leads out of the source."""
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
