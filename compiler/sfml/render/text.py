"""Findings as text: the message, the source with carets under it, why it matters and how to fix it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, Severity
from sfml.base.record import record
from sfml.base.source import Span, source_lines

MAX_WIDTH = 120

_RESET = "\x1b[0m"
_COLORS = {
    Severity.ERROR: "\x1b[1;31m",
    Severity.WARNING: "\x1b[1;33m",
    Severity.NOTE: "\x1b[1;36m",
}
_BOLD = "\x1b[1m"
_BLUE = "\x1b[1;34m"


_WITHOUT_SOURCE = frozenset({"SF603"})
"""Findings about a secret: the line that holds it is not printed, because logs of CI jobs are read by many."""


@record
class _Mark:
    span: Span
    text: str
    is_primary: bool


def diagnostics_text(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, color: bool = False
) -> str:
    """All findings, separated by blank lines, without a final newline; `sources` maps files to their texts."""
    return "\n\n".join(diagnostic_text(diagnostic, sources, color=color) for diagnostic in diagnostics)


def diagnostic_text(diagnostic: Diagnostic, sources: Mapping[str, str], *, color: bool = False) -> str:
    """One finding in several lines, without a final newline."""
    paint = _Paint(color)
    return "\n".join(_lines(diagnostic, sources, paint))


class _Paint:
    """Adds terminal colours to text, or returns it unchanged."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self.color and text else text


def _lines(diagnostic: Diagnostic, sources: Mapping[str, str], paint: _Paint) -> Iterator[str]:
    accent = _COLORS[diagnostic.severity]
    head = paint(accent, f"{diagnostic.severity}[{diagnostic.code}]")
    yield head + paint(_BOLD, f": {_clean(diagnostic.message)}")
    marks = _marks(diagnostic)
    width = max((len(str(mark.span.start.line)) for mark in marks), default=1)
    width = max(width, 2)
    by_file: dict[str, list[_Mark]] = {}
    for mark in marks:
        by_file.setdefault(mark.span.file, []).append(mark)
    for index, (file, group) in enumerate(by_file.items()):
        arrow = "-->" if index == 0 else ":::"
        start = group[0].span.start
        place = f"{_clean(file)}:{start.line}" + (f":{start.column}" if index == 0 else "")
        path = f"  ({_clean(diagnostic.path)})" if index == 0 and diagnostic.path else ""
        targets = f"  [{_clean(', '.join(diagnostic.targets))}]" if index == 0 and diagnostic.targets else ""
        yield f"{' ' * width}{paint(_BLUE, arrow)} {place}{path}{targets}"
        if diagnostic.code not in _WITHOUT_SOURCE:
            yield from _snippet(group, sources.get(file), width, accent, paint)
    if diagnostic.repetition:
        yield f"{paint(_BOLD, 'also')}: {_clean(diagnostic.repetition)}"
    if diagnostic.why:
        yield f"{paint(_BOLD, ' why')}: {_clean(diagnostic.why)}"
    if diagnostic.help:
        mends = "   (sfml validate --fix)" if diagnostic.fix else ""
        yield f"{paint(_BOLD, 'help')}: {_clean(diagnostic.help)}{mends}"


def _marks(diagnostic: Diagnostic) -> list[_Mark]:
    """The primary span, then the spans of the labels."""
    marks = [_Mark(label.span, label.text, False) for label in diagnostic.labels]
    if diagnostic.span is not None:
        marks.insert(0, _Mark(diagnostic.span, diagnostic.label or "", True))
    return marks


def _snippet(marks: list[_Mark], source: str | None, width: int, accent: str, paint: _Paint) -> Iterator[str]:
    """The source lines of the marks, each with its underlines and labels below."""
    lines = source_lines(source) if source else []
    shown: dict[int, list[_Mark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.span):
        if mark.span.start.line <= len(lines):
            shown.setdefault(mark.span.start.line, []).append(mark)
    if not shown:
        return
    bar = paint(_BLUE, "|")
    empty = f"{' ' * (width + 1)}{bar}"
    yield empty
    previous = None
    for number, marks_of_line in shown.items():
        if previous is not None and number > previous + 1:
            yield paint(_BLUE, "...")
        previous = number
        line, offset = _window(lines[number - 1], marks_of_line)
        yield f"{paint(_BLUE, str(number).rjust(width))} {bar} {_clean(line)}".rstrip()
        for mark in marks_of_line:
            underline, indent = _underline(mark, lines[number - 1], offset, len(line))
            style = accent if mark.is_primary else _BLUE
            label = f" {_clean(mark.text)}" if mark.text else ""
            yield f"{empty} {indent}{paint(style, underline + label)}"
    yield empty


def _window(line: str, marks: list[_Mark]) -> tuple[str, int]:
    """The part of a long line that contains the first mark, and the number of characters left out before it."""
    if len(line) <= MAX_WIDTH:
        return line, 0
    start = max(0, min(mark.span.start.column for mark in marks) - 1 - MAX_WIDTH // 3)
    part = line[start : start + MAX_WIDTH]
    if start:
        part = "…" + part[1:]
    return (part[:-1] + "…" if start + MAX_WIDTH < len(line) else part), start


def _underline(mark: _Mark, line: str, offset: int, length: int) -> tuple[str, str]:
    """The carets of a mark and the blanks before them, in terminal columns: wide characters take two."""
    span = mark.span
    start = max(span.start.column - 1 - offset, 0)
    end = span.end.column - 1 - offset if span.end.line == span.start.line else len(line) - offset
    end = min(max(end, start + 1), max(length, start + 1))
    visible = _clean(line[offset : offset + length])
    indent = _width(visible[:start])
    return ("^" if mark.is_primary else "-") * max(_width(visible[start:end]), 1), " " * indent


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _clean(text: str) -> str:
    """The text with white space as blanks and other control characters as `�`; its length does not change."""
    return "".join(
        char if char.isprintable() else " " if char in "\t\n\r\x85\u2028\u2029" else "�" for char in text
    )
