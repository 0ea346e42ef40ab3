"""The JSON argument with which a step is called: names, `with:` values, and outcomes of the branches that it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sfml.base.quoting import raw
from sfml.graph.model import Reference, Source, StepBody, TaskNode, Template, Value
from sfml.lower.canonical import Json
from sfml.lower.named_graph import NamedGraph
from sfml.lower.names import stage_of


def call_json(named: NamedGraph, node: TaskNode, body: StepBody) -> str:
    """The argument as JSON text; the step runtime resolves its references when the task runs."""
    call: dict[str, Json] = {
        "pipeline": named.graph.pipeline,
        "task": node.name,
        "step": body.step,
        "root": raw(named.root),
        "stage": stage_of(named.graph.target),
        "with": {name: argument(named, body.arguments[name]) for name in sorted(body.arguments)},
    }
    if node.is_branch:
        call["outcomes"] = dict(named.outcomes[node.name])
    # Only branches that this task names: a task that is added far above must not change this task's body.
    mentioned = sorted({*node.after, *_tasks_read(tuple(body.arguments.values()))})
    branches: dict[str, Json] = {
        named.raw_names[name]: _by_raw_value(named, name)
        for name in mentioned
        if named.graph.task(name).is_branch
    }
    if branches:
        call["branches"] = branches
    return json.dumps(call, ensure_ascii=False, allow_nan=False)


def argument(named: NamedGraph, value: Value) -> Json:
    """The value, its references as `{"$result": […]}`, `{"$config": …}`, `{"$run": …}`, `{"$text": […]}`."""
    match value:
        case Reference():
            return _reference(named, value)
        case Template(parts):
            return {"$text": [part if isinstance(part, str) else _reference(named, part) for part in parts]}
        case Mapping():
            plain = {key: argument(named, value[key]) for key in sorted(value)}
            if not _looks_like_a_reference(plain):
                return plain
            # A mapping of the user with one key that begins with `$` is wrapped, so that it is not taken for a
            # reference: in `$object` if it holds references itself, else in `$literal`.
            return {"$object": plain} if has_references(value) else {"$literal": plain}
        case tuple() | list():
            return [argument(named, item) for item in value]
        case _:
            return value


def has_references(value: Value) -> bool:
    """Whether the value holds references, which are read when the task runs."""
    match value:
        case Reference() | Template():
            return True
        case Mapping():
            return any(has_references(item) for item in value.values())
        case tuple() | list():
            return any(has_references(item) for item in value)
        case _:
            return False


def _tasks_read(value: Value) -> set[str]:
    """The tasks whose results the value reads."""
    match value:
        case Reference(Source.RESULT, str(task)):
            return {task}
        case Template(parts):
            return _tasks_read(tuple(part for part in parts if isinstance(part, Reference)))
        case Mapping():
            return _tasks_read(tuple(value.values()))
        case tuple() | list():
            return {task for item in value for task in _tasks_read(item)}
        case _:
            return set()


def _reference(named: NamedGraph, reference: Reference) -> Json:
    match reference.source:
        case Source.RESULT:
            assert reference.task is not None
            return {"$result": [named.raw_names[reference.task], *reference.keys]}
        case Source.CONFIG:
            return {"$config": reference.keys[0]}
        case Source.RUN:
            return {"$run": reference.keys[0]}


def _looks_like_a_reference(plain: Mapping[str, Json]) -> bool:
    return len(plain) == 1 and next(iter(plain)).startswith("$")


def _by_raw_value(named: NamedGraph, branch: str) -> dict[str, Json]:
    return {raw: outcome for outcome, raw in named.outcomes[branch].items()}
