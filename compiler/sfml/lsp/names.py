"""The names in one file: tasks, config keys, variables, targets, parameters, outcomes, steps and files, with places.

A file is read by its shape alone, so what a name means is decided by the pipeline that reads it (`index`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from sfml.base.record import record
from sfml.graph.declared_tests import STATES
from sfml.lsp.positions import TextMap
from sfml.spec.compose import compose
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode

Key = str | int


class Kind(Enum):
    """What a name is one of."""

    TASK = "task"
    CONFIG = "config key"
    VARIABLE = "variable"
    TARGET = "target"
    PARAMETER = "parameter"
    ARGUMENT = "argument"
    OUTCOME = "outcome"
    STEP = "step"
    FILE = "file"
    FIELD = "field"


class Role(Enum):
    """What a name does at its place: it defines, sets a value of what is defined elsewhere, or reads it."""

    DEFINES = "defines"
    SETS = "sets"
    READS = "reads"


class Form(Enum):
    """How a name is written: as in the spec, as in Snowflake (upper case), or in the list of outcomes, which is both
    the outcome and the task."""

    SPEC = "spec"
    SNOWFLAKE = "snowflake"
    ARM = "arm"
    PYTHON = "python"


@record
class Name:
    """A name at a place. `start` and `end` are offsets in the text of `file`.

    `owner` is the task or step that an argument, outcome or field belongs to; `keys` lead to the value around it.
    """

    kind: Kind
    name: str
    file: str
    start: int
    end: int
    role: Role = Role.READS
    form: Form = Form.SPEC
    owner: str = ""
    keys: tuple[Key, ...] = ()


_REFERENCE = re.compile(
    r"(?<!\$)\$\{\s*(?P<head>[A-Za-z_]\w*)(?P<rest>(?:\.[A-Za-z_][\w-]*|\[[^\]\n]*\])*)\s*\}"
)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_DOTTED = re.compile(r"\b(?P<of>var|target|param)\.(?P<name>[A-Za-z_]\w*)")
_IN_SNOWFLAKE = re.compile(r"'[A-Za-z_]\w*\$(?P<name>[A-Za-z_]\w*)'")
_CONFIG_CALL = re.compile(r"(?i)SYSTEM\$GET_TASK_GRAPH_CONFIG\(\s*'(?P<name>[A-Za-z_]\w*)'")
_IN_CODE = re.compile(r"\.config(?:\[\s*|\.get\(\s*)(?P<quote>[\"'])(?P<name>[A-Za-z_]\w*)(?P=quote)")

PIPELINE, PROJECT, JOB, TASKS, SCHEDULE, TESTS = (
    f"{name}.schema.json"
    for name in ("pipeline", "project", "job_config", "tasks", "schedule_config", "tests")
)


@lru_cache(maxsize=512)
def names_in(text: str, file: str, schema: str) -> tuple[Name, ...]:
    """The names of a spec file in the order of the text; none where the text cannot be read as YAML."""
    node, _ = compose(text, file)
    if node is None:
        return ()
    return tuple(sorted(_File(text, file, schema).names(node), key=lambda one: (one.start, one.end)))


def names_in_sql(text: str, file: str) -> Iterator[Name]:
    """The tasks and config keys that a statement in a file names."""
    for match in _IN_SNOWFLAKE.finditer(text):
        yield Name(Kind.TASK, match["name"], file, *match.span("name"), form=Form.SNOWFLAKE)
    for match in _CONFIG_CALL.finditer(text):
        yield Name(Kind.CONFIG, match["name"], file, *match.span("name"))


def names_in_code(text: str, file: str) -> Iterator[Name]:
    """The config keys that step code reads by a constant name."""
    for match in _IN_CODE.finditer(text):
        yield Name(Kind.CONFIG, match["name"], file, *match.span("name"), form=Form.PYTHON)


class _File:
    """Walks the nodes of one file."""

    def __init__(self, text: str, file: str, schema: str) -> None:
        self.text = text
        self.file = file
        self.schema = schema
        self.places = TextMap(text)

    def names(self, node: Node) -> Iterator[Name]:
        for keys, one in walked(node, ()):
            inner = self._graph_keys(keys)
            if isinstance(one, MapNode):
                for key, at in one.key_spans.items():
                    yield from self._of_key(inner, (*keys, key), key, self.places.offset_of(at.start))
            elif isinstance(one, ScalarNode) and isinstance(one.value, str):
                yield from self._of_value(inner, keys, one)

    def _graph_keys(self, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        """The keys as they would be in a job config; those of a patch without its target."""
        if self.schema in (PIPELINE, PROJECT):
            if keys[:1] == ("targets",):
                keys = keys[2:]
                return keys[1:] if keys[:1] == ("graph",) else keys
            return keys[1:] if keys[:1] == ("graph",) else keys
        return keys

    def _name(
        self, kind: Kind, name: str, start: int, keys: tuple[Key, ...], **more: object
    ) -> Iterator[Name]:
        """The name that begins at or after an opening quote at `start`."""
        if self.text[start : start + 1] in ('"', "'"):
            start += 1
        if self.text.startswith(name, start):
            yield Name(kind, name, self.file, start, start + len(name), keys=keys, **more)  # type: ignore[arg-type]

    def _of_key(self, inner: tuple[Key, ...], whole: tuple[Key, ...], key: str, start: int) -> Iterator[Name]:
        patched = whole[:1] == ("targets",)
        sets = Role.SETS if patched else Role.DEFINES

        def name(kind: Kind, role: Role, owner: str = "") -> Iterator[Name]:
            return self._name(kind, key, start, whole, role=role, owner=owner)

        match inner:
            case ("tasks",) | ("finalizer",) if self.schema != TESTS:
                yield from name(Kind.TASK, sets)
            case ("config",):
                yield from name(Kind.CONFIG, sets)
            case ("variables",):
                yield from name(Kind.VARIABLE, sets)
            case ("parameters",) if self.schema == TASKS:
                yield from name(Kind.PARAMETER, Role.DEFINES)
            case ("tasks" | "finalizer", str() as task, "with"):
                yield from name(Kind.ARGUMENT, Role.SETS, task)
            case ("tasks", str() as task, "outcomes"):
                yield from name(Kind.OUTCOME, Role.READS, task)
            case ("include", int(), "with") | ("include", "with"):
                yield from name(Kind.PARAMETER, Role.SETS)
            case ("tests", _, "given"):
                yield from name(Kind.TASK, Role.READS)
            case ("tests", _, "config"):
                yield from name(Kind.CONFIG, Role.SETS)
        if whole[:-1] == ("targets",) and self.schema in (PIPELINE, PROJECT):
            yield from name(Kind.TARGET, Role.DEFINES if self.schema == PROJECT else Role.SETS)

    def _of_value(self, inner: tuple[Key, ...], keys: tuple[Key, ...], node: ScalarNode) -> Iterator[Name]:
        text = str(node.value)
        start = self.places.offset_of(node.span.start)

        def name(kind: Kind, owner: str = "", form: Form = Form.SPEC) -> Iterator[Name]:
            return self._name(kind, text, start, keys, owner=owner, form=form)

        match inner:
            case ("tasks", _, "after") | ("tasks", _, "after", int()):
                yield from name(Kind.TASK)
            case ("tasks", str() as task, "outcomes") | ("tasks", str() as task, "outcomes", int()):
                yield from name(Kind.TASK, task, Form.ARM)
            case ("tasks", _, "outcomes", str()) | ("tasks", _, "outcomes", str(), int()):
                yield from name(Kind.TASK)
            case ("moved", int(), "to"):
                yield from name(Kind.TASK)
            case ("overridable", int()):
                yield from name(Kind.CONFIG)
            case ("tasks" | "finalizer", _, "step"):
                yield from name(Kind.STEP)
            case ("tests", _, "given", str() as task) | ("tests", _, "given", str() as task, "outcome"):
                if text not in ("succeeds", "fails"):
                    yield from name(Kind.OUTCOME, task)
            case ("tests", _, str() as key) | ("tests", _, str() as key, int()) if key in STATES:
                yield from name(Kind.TASK)
            case ("tests", _, "targets") | ("tests", _, "targets", int()):
                yield from name(Kind.TARGET)
            case ("tasks" | "finalizer", _, "sql", "file") | ("root", "sql", "file") | ("seeds", str()):
                yield from name(Kind.FILE)
            case ("include", int(), "tasks") | ("include", "tasks"):
                yield from name(Kind.FILE)
        if self.schema == PIPELINE and keys in (("graph",), ("schedule",), ("tests",)) and text != "manual":
            yield from name(Kind.FILE)
        if any(mark in text for mark in ("${", "{{", "$")):
            yield from self._inside(inner, keys, start, self.places.offset_of(node.span.end))

    def _inside(self, inner: tuple[Key, ...], keys: tuple[Key, ...], start: int, end: int) -> Iterator[Name]:
        """The names inside a text: in references, expressions, and calls of conditions and statements."""
        for match in _REFERENCE.finditer(self.text, start, end):
            yield from self._reference(match, keys)
        for expression in _EXPRESSION.finditer(self.text, start, end):
            for match in _DOTTED.finditer(self.text, *expression.span()):
                kind = {"var": Kind.VARIABLE, "target": Kind.FIELD, "param": Kind.PARAMETER}[match["of"]]
                owner = match["of"] if kind is Kind.FIELD else ""
                yield Name(kind, match["name"], self.file, *match.span("name"), owner=owner, keys=keys)
        if inner[-1:] in (("when",), ("sql",)) or "sql" in inner:
            for match in _IN_SNOWFLAKE.finditer(self.text, start, end):
                place = match.span("name")
                yield Name(Kind.TASK, match["name"], self.file, *place, form=Form.SNOWFLAKE, keys=keys)
            for match in _CONFIG_CALL.finditer(self.text, start, end):
                yield Name(Kind.CONFIG, match["name"], self.file, *match.span("name"), keys=keys)

    def _reference(self, match: re.Match[str], keys: tuple[Key, ...]) -> Iterator[Name]:
        head, rest = match["head"], match["rest"]
        first = re.match(r"\.([A-Za-z_][\w-]*)", rest)
        at = match.start("rest") + 1
        if head == "config":
            if first:
                yield Name(Kind.CONFIG, first[1], self.file, at, at + len(first[1]), keys=keys)
        elif head != "run":
            yield Name(Kind.TASK, head, self.file, *match.span("head"), keys=keys)
            if first:
                yield Name(Kind.FIELD, first[1], self.file, at, at + len(first[1]), owner=head, keys=keys)


def walked(node: Node, keys: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], Node]]:
    """The node and every node below it, with the keys that lead to it."""
    yield keys, node
    match node:
        case MapNode():
            for key, value in node.entries.items():
                yield from walked(value, (*keys, key))
        case ListNode():
            for index, item in enumerate(node.items):
                yield from walked(item, (*keys, index))
