"""The documents of an editor: of a large text that changes, only the tasks that have changed are read again.

The nodes of each task keep the places that they had when they were read, counted from a line of their own that no file
has. `place` turns them into places of the text as it is now, so that a task is not made anew because a line above it
was added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.base.record import record
from sfml.base.source import Position, Span
from sfml.spec.compose import MAX_NODES, compose, compose_part
from sfml.spec.documents import Documents
from sfml.spec.empty_values import empty_values
from sfml.spec.known_tasks import KnownTasks
from sfml.spec.nodes import MapNode, Node
from sfml.spec.shape import shape_findings

MIN_LENGTH = 20_000
"""The length of a text from which on it is read in parts."""

_STRIDE = 10_000_000
"""The lines between the parts; more than a file can have."""
_MAX_KNOWN = 20_000
_REGION = re.compile(r"^(?P<indent> *)tasks:[ \t]*(?:#.*)?\r?\n", re.MULTILINE)
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_STAND_IN = "__the_tasks_of_this_file__"


@record
class _Part:
    """A task of a text: its key and node, at the lines of its own number."""

    number: int
    key: str
    key_span: Span
    node: Node
    size: int


@record
class _Text:
    """A text in parts: what stands around its tasks, and the text and first line of each."""

    around: str
    parts: tuple[tuple[str, int], ...]


class EditedDocuments(Documents):
    """The files of a project in an editor; `given` are its unsaved texts."""

    def __init__(self, given: Mapping[Path, str]) -> None:
        super().__init__(given)
        self._parts: dict[tuple[str, str], dict[str, _Part]] = {}
        self._lines: dict[int, int] = {}
        self._count = 0
        self._last: dict[tuple[str, str], tuple[str, Node | None, tuple[Diagnostic, ...]]] = {}
        self._fitting: dict[tuple[str, str], set[int]] = {}
        self._known: dict[tuple[str, str | None], KnownTasks] = {}

    def known_tasks(self, file: str, target: str | None) -> KnownTasks:
        return self._known.setdefault((file, target), KnownTasks())

    def checked(self, text: str, file: str, schema: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
        last = self._last.get((file, schema))
        if last is not None and last[0] == text:
            return last[1], last[2]
        divided = _divided(text) if len(text) >= MIN_LENGTH else None
        found = self._in_parts(divided, file, schema) if divided is not None else None
        if found is None:
            return super().checked(text, file, schema)
        self._last[file, schema] = (text, *found)
        return found

    def place(self, span: Span) -> Span:
        if span.start.line < _STRIDE and span.end.line < _STRIDE:
            return span
        return Span(span.file, self._placed(span.start), self._placed(span.end))

    def _placed(self, at: Position) -> Position:
        number, line = divmod(at.line, _STRIDE)
        return Position(self._lines.get(number, 1) + line - 1, at.column) if number else at

    def _in_parts(self, text: _Text, file: str, schema: str) -> tuple[Node, tuple[Diagnostic, ...]] | None:
        """The document read in parts, with the findings of its shape; None where it must be read as a whole."""
        around, problems = compose(text.around, file)
        way = _way_to_stand_in(around) if isinstance(around, MapNode) and not problems else None
        if way is None or not isinstance(around, MapNode):
            return None
        parts = self._read_parts(text, file, schema, way[-1].path, len(way))
        if parts is None:
            return None
        document = _with_parts(way, parts)
        # Parts whose shape is known to be right have no findings, so those of the others are all there are.
        fitting = self._fitting.get((file, schema), set())
        fresh = [part for part in parts if part.number not in fitting]
        findings = shape_findings(_with_parts(way, fresh or parts[:1]), schema)
        wrong = {part.number for part in fresh} if findings else set()
        self._fitting[file, schema] = {part.number for part in parts} - wrong
        return document, (*findings, *empty_values(document, findings))

    def _read_parts(self, text: _Text, file: str, schema: str, path: str, depth: int) -> list[_Part] | None:
        known = self._parts.get((file, path), {})
        now: dict[str, _Part] = {}
        parts: list[_Part] = []
        for content, _ in text.parts:
            part = known.get(content) or self._part(content, file, path, depth)
            if part is None or content in now:
                return None
            now[content] = part
            parts.append(part)
        names = {part.key for part in parts}
        if len(names) < len(parts) or sum(part.size for part in parts) > MAX_NODES:
            return None
        self._parts[file, path] = now
        self._lines |= {part.number: line for part, (_, line) in zip(parts, text.parts, strict=True)}
        if len(self._lines) > _MAX_KNOWN:
            alive = {part.number for each in self._parts.values() for part in each.values()}
            self._lines = {number: line for number, line in self._lines.items() if number in alive}
        return parts

    def _part(self, content: str, file: str, path: str, depth: int) -> _Part | None:
        self._count += 1
        node, size = compose_part(content, file, self._count * _STRIDE, path, depth)
        if not isinstance(node, MapNode) or len(node.entries) != 1:
            return None
        [(key, value)] = node.entries.items()
        return _Part(self._count, key, node.key_spans[key], value, size)


def _divided(text: str) -> _Text | None:
    """The text in parts; None where that cannot be told by its lines."""
    if _OTHER_BREAKS.search(text) or _STAND_IN in text or "\t" in text:
        return None
    best: tuple[int, int, int] | None = None
    for match in _REGION.finditer(text):
        begin, indent = match.end(), len(match["indent"])
        after = re.compile(rf"^ {{0,{indent}}}[^\s#]", re.MULTILINE).search(text, begin)
        end = after.start() if after is not None else len(text)
        if best is None or end - begin > best[1] - best[0]:
            best = (begin, end, indent)
    if best is None:
        return None
    begin, end, indent = best
    first = re.compile(r"^( *)[^\s#]", re.MULTILINE).search(text, begin, end)
    if first is None or len(first[1]) <= indent:
        return None
    column = len(first[1])
    starts = [
        one.start() for one in re.compile(rf"^ {{{column}}}[^\s#]", re.MULTILINE).finditer(text, begin, end)
    ]
    if re.compile(rf"^ {{0,{column - 1}}}[^\s#]", re.MULTILINE).search(text, starts[0], end):
        return None
    whole = text[starts[0] : end]
    blank = whole.count("\n") - 1
    stand_in = f"{' ' * column}{_STAND_IN}: ~" + "\n" * (blank + 1)
    around = text[: starts[0]] + stand_in + text[end:]
    line = text.count("\n", 0, starts[0]) + 1
    parts: list[tuple[str, int]] = []
    for start, stop in zip(starts, (*starts[1:], end), strict=True):
        content = text[start:stop]
        parts.append((content, line))
        line += content.count("\n")
    return _Text(around, tuple(parts))


def _way_to_stand_in(node: Node) -> list[MapNode] | None:
    """The mappings from the document's own to the one that the stand-in is in."""
    if not isinstance(node, MapNode):
        return None
    if _STAND_IN in node.entries:
        return [node]
    for value in node.entries.values():
        way = _way_to_stand_in(value)
        if way is not None:
            return [node, *way]
    return None


def _with_parts(way: list[MapNode], parts: list[_Part]) -> MapNode:
    """The document with the parts in place of the stand-in."""
    holder = way[-1]
    key_span = holder.key_spans[_STAND_IN]
    end = holder.entries[_STAND_IN].span.end
    last = parts[-1].node.span.end

    def span_of(node: MapNode) -> Span:
        start = parts[0].key_span.start if node.span.start == key_span.start else node.span.start
        return Span(node.span.file, start, last if node.span.end == end else node.span.end)

    entries: dict[str, Node] = {part.key: part.node for part in parts}
    spans = {part.key: part.key_span for part in parts}
    document = replace(holder, entries=entries, key_spans=spans, span=span_of(holder))
    inner = holder
    for outer in reversed(way[:-1]):
        changed: dict[str, Node] = {
            key: document if value is inner else value for key, value in outer.entries.items()
        }
        document = replace(outer, entries=changed, span=span_of(outer))
        inner = outer
    return document
