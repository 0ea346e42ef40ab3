"""Text → located nodes: YAML is read event by event, within limits; every problem becomes a finding with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from sfml.base.diagnostic import MAX_FINDINGS, MOST_COUNTED, Diagnostic, Label, first_of
from sfml.base.source import Span
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, key_path, located, plain
from sfml.spec.scalars import CORE_TAG, CORE_TAGS, NotAValue, core_value, tagged_value

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 60
_DEEP = f"values are nested more than {MAX_DEPTH} deep"
MAX_NODES = 100_000
"""The most values of a file. An alias counts as all values that it stands for, so that nested aliases that would unfold
to billions of values are refused before they do."""


class _Refused(Exception):
    """Stops reading a file; carries the finding that is the reason."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not been read yet."""

    is_map: bool
    path: str
    span: Span
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    key_spans: dict[str, Span] = field(default_factory=dict)
    key: str | None = None
    skips: bool = False
    """Whether the entry being read has no usable key, so that its value is read and dropped."""
    is_expression: bool = False
    """Whether it is an expression `{{ … }}` without its quotes."""
    size: int = 1
    height: int = 1

    @property
    def expects_key(self) -> bool:
        return self.is_map and self.key is None and not self.skips


class _Composer:
    """Builds nodes from the events of one text; keeps its own stack, so that nesting cannot exhaust Python's.

    `line` is the line of the document that the text begins with, `path` and `depth` those of the node that it becomes.
    """

    def __init__(self, file: str, line: int = 1, path: str = "", depth: int = 0) -> None:
        self.file = file
        self.line = line
        self.path = path
        self.depth = depth
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        self.findings: list[Diagnostic] = []
        self.total = 0
        self.position = 0
        """How many characters of the text the events so far have covered."""

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        first = self.line
        return Span.of(self.file, start.line + first, start.column + 1, end.line + first, end.column + 1)

    def refuse(self, code: str, message: str, event: Any, help: str | None = None) -> _Refused:
        return _Refused(Diagnostic.error(code, message, at=self.span(event), help=help))

    def report(self, code: str, message: str, at: Span, **more: Any) -> None:
        finding = Diagnostic.error(code, message, at=at, **more)
        if len(self.findings) >= MAX_FINDINGS + MOST_COUNTED:
            raise _Refused(finding)
        self.findings.append(finding)

    def next_path(self) -> str:
        if not self.stack:
            return self.path
        top = self.stack[-1]
        return key_path(top.path, top.key or "") if top.is_map else f"{top.path}[{len(top.items)}]"

    def place(self, node: Node, size: int, height: int, anchor: str | None) -> None:
        """Put a finished node into the mapping or sequence around it; `size` and `height` count it for the limits."""
        if anchor:
            self.anchors[anchor] = (node, size, height)
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        if not top.is_map:
            top.items.append(node)
        elif top.expects_key:
            self.take_key(top, node)
        elif top.skips:
            top.skips = False
        else:
            assert top.key is not None
            top.entries[top.key] = node
            top.key = None

    def take_key(self, top: _Open, node: Node) -> None:
        if isinstance(node, MapNode) and _touches(top.span, node.span):
            help = 'write it in quotes: `"{{ … }}"`; without, YAML reads a mapping'
            outer = Span(self.file, top.span.start, node.span.end)
            self.report("SF105", "an expression must be quoted", outer, path=top.path, help=help)
            top.skips = top.is_expression = True
            return
        if not isinstance(node, ScalarNode):
            self.report(
                "SF105", "a key must be text", node.span, help="quote text that begins with `{` or `[`"
            )
            top.skips = True
            return
        key = node.value if isinstance(node.value, str) else _key_word(node.value)
        path = key_path(top.path, key)
        if key == "<<":
            help = "use defaults, `include` or the patches of a target; aliases (`*name`) work"
            message = "merge keys (`<<`) are not part of YAML 1.2"
            self.report("SF105", message, node.span, path=path, help=help)
            top.skips = True
        elif key in top.key_spans:
            first = Label(top.key_spans[key], "first defined here")
            message = f"key `{key}` is defined twice"
            self.report("SF102", message, node.span, path=path, label="again here", labels=(first,))
            top.skips = True
        else:
            top.key = key
            top.key_spans[key] = node.span

    def count(self, size: int, event: Any) -> None:
        self.total += size
        if self.total > MAX_NODES:
            message = f"the file unfolds to more than {MAX_NODES:,} values"
            raise self.refuse("SF104", message, event, "write less, or use fewer aliases")

    def scalar(self, event: Any) -> None:
        span = self.span(event)
        self.count(1, event)
        value: bool | int | float | str | None = event.value
        try:
            if event.tag is None or event.tag == "!":
                if event.implicit[0]:
                    value = core_value(event.value)
            elif event.tag in CORE_TAGS:
                value = tagged_value(event.tag, event.value)
            else:
                self.unknown_tag(event)
        except NotAValue as cause:
            self.report("SF106", str(cause), span, help="quote it if it is meant as text")
        self.place(ScalarNode(value, span, self.next_path()), 1, 0, event.anchor)

    def unknown_tag(self, event: Any) -> None:
        help = "remove the tag; only the tags of YAML's core schema are read"
        self.report(
            "SF105",
            f"the tag `{event.tag[:60].replace(CORE_TAG, '!!')}` is not supported",
            self.span(event),
            help=help,
        )

    def start(self, event: Any, is_map: bool) -> None:
        if len(self.stack) + self.depth >= MAX_DEPTH:
            raise self.refuse("SF104", _DEEP, event)
        self.count(1, event)
        kind = "map" if is_map else "seq"
        if event.tag not in (None, "!", CORE_TAG + kind):
            self.unknown_tag(event)
        self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(is_map, self.next_path(), self.span(event), event.anchor))

    def end(self, event: Any) -> None:
        done = self.stack.pop()
        start = done.span.start
        parts = done.items or list(done.entries.values())
        if event.end_mark.index > event.start_mark.index or not parts:
            span = Span(self.file, start, self.span(event).end)
        else:  # a block collection ends with its last part, not where the next token begins
            span = Span(self.file, start, max(part.span.end for part in parts))
        node: Node
        if done.is_expression:
            node = ScalarNode("{{ }}", span, done.path)  # fits wherever an expression does
        elif done.is_map:
            node = MapNode(done.entries, done.key_spans, span, done.path)
        else:
            node = ListNode(tuple(done.items), span, done.path)
        self.place(node, done.size, done.height, done.anchor)

    def alias(self, event: Any) -> None:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            inside = any(frame.anchor == event.anchor for frame in self.stack)
            what = "stands inside the value that it names" if inside else "names no anchor above it"
            raise self.refuse("SF105", f"the alias `*{event.anchor}` {what}", event)
        node, size, height = anchored
        self.count(size, event)
        if len(self.stack) + self.depth + height > MAX_DEPTH:
            raise self.refuse("SF104", _DEEP, event)
        # The nodes get the span of the alias, so that findings in them point at the place of use.
        self.place(located(plain(node), self.span(event), self.next_path()), size, height, None)


def _touches(outer: Span, inner: Span) -> bool:
    """Whether the mapping `inner` begins right after the opening brace of `outer`, as in `{{`."""
    return (
        inner.start.line == outer.start.line
        and inner.start.column == outer.start.column + 1
        and outer.end.column == outer.start.column + 1
    )


def _key_word(value: bool | int | float | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def compose(text: str, file: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """The document of a YAML text and the findings of reading it; the document is None when empty or not readable."""
    composer = _Composer(file)
    try:
        _feed(composer, text)
    except _Refused as refused:
        return None, _first((*composer.findings, refused.diagnostic))
    except yaml.YAMLError as cause:
        too_deep = _too_deep(composer, cause, text)
        return None, (*_first(composer.findings), too_deep or _syntax_error(cause, text, file))
    return composer.root, _first(composer.findings)


def compose_part(text: str, file: str, line: int, path: str, depth: int) -> tuple[Node | None, int]:
    """A part of a document that stands alone, and the number of its values; None where reading it has findings.

    Its lines are counted from 1 above `line`. `path` and `depth` are those of the mapping that it is part of.
    """
    composer = _Composer(file, line + 1, path, depth - 1)
    try:
        _feed(composer, text)
    except (_Refused, yaml.YAMLError):
        return None, 0
    return (None if composer.findings else composer.root), composer.total


def _first(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(first_of(iter(findings), MAX_FINDINGS))


def _feed(composer: _Composer, text: str) -> None:
    loader = _Loader(text)
    try:
        documents = 0
        while True:
            event = loader.get_event()
            composer.position = event.end_mark.index
            match event:
                case yaml.ScalarEvent():
                    composer.scalar(event)
                case yaml.MappingStartEvent():
                    composer.start(event, is_map=True)
                case yaml.SequenceStartEvent():
                    composer.start(event, is_map=False)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    composer.end(event)
                case yaml.AliasEvent():
                    composer.alias(event)
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise composer.refuse(
                            "SF105", "a file holds one document; here begins a second", event
                        )
                case yaml.StreamEndEvent():
                    return
    finally:
        loader.dispose()


def _too_deep(composer: _Composer, cause: yaml.YAMLError, text: str) -> Diagnostic | None:
    """The finding for brackets nested too deeply where the parser failed on them before the composer saw them.

    libyaml reads ahead of the events: PyYAML 6.0.4 refuses 1,000 levels before the composer has seen 60 of them.
    Versions differ in their limit and their words.
    """
    mark = getattr(cause, "problem_mark", None) or getattr(cause, "context_mark", None)
    depth = len(composer.stack)
    for index in range(composer.position, mark.index if mark else composer.position):
        if text[index] in "[{":
            depth += 1
        elif text[index] in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            before = text[:index]
            line, column = before.count("\n") + 1, index - before.rfind("\n")
            at = Span.of(composer.file, line, column, line, column + 1)
            return Diagnostic.error("SF104", _DEEP, at=at)
    return None


def _syntax_error(cause: yaml.YAMLError, text: str, file: str) -> Diagnostic:
    mark = getattr(cause, "problem_mark", None) or getattr(cause, "context_mark", None)
    problem = str(getattr(cause, "problem", None) or cause)
    if mark is None:
        return Diagnostic.error("SF101", f"not valid YAML: {problem.splitlines()[0]}", at=Span.whole(file))
    line, column = mark.line, mark.column
    lines = text.splitlines()
    if line >= len(lines) and lines:  # at the end of the text: point at its last line
        line, column = len(lines) - 1, len(lines[-1])
    at = Span.of(file, line + 1, column + 1, line + 1, column + 2)
    labels: tuple[Label, ...] = ()
    context, context_mark = getattr(cause, "context", None), getattr(cause, "context_mark", None)
    if context and context_mark is not None and context_mark.line != line:
        start = Span.of(
            file,
            context_mark.line + 1,
            context_mark.column + 1,
            context_mark.line + 1,
            context_mark.column + 2,
        )
        labels = (Label(start, str(context)),)
    current = lines[line] if line < len(lines) else ""
    return Diagnostic.error(
        "SF101",
        f"not valid YAML: {problem}",
        at=at,
        labels=labels,
        help=_syntax_help(problem, current, column),
    )


def _syntax_help(problem: str, line: str, column: int) -> str | None:
    if line[column : column + 1] in ("}", "]") and "did not find expected" in problem:
        return f"take out the `{line[column]}`: there is no bracket before it that it could close"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces; YAML does not allow tabs"
    if "${" in line and "expected ',' or" in problem:
        return 'quote references inside `{ }` and `[ ]`: `"${task.field}"`'
    if "mapping values are not allowed" in problem:
        return "quote text that holds `: `, and check that the line is indented like its neighbours"
    if "expected ',' or '}'" in problem or "expected ',' or ']'" in problem:
        return "close the `{` or `[`, or put a comma between its parts"
    if "found character that cannot start any token" in problem:
        return "quote text that begins with a special character such as `@`, `%` or a backtick"
    if "did not find expected key" in problem or "expected <block end>" in problem:
        return "check the indentation: the keys of one mapping begin in the same column"
    if "unexpected end of stream" in problem:
        return "close the quote or bracket that was opened"
    return None
