"""The one JSON argument that a step is called with: who it is, its `with:` values, and what it may read."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sfml.base.quoting import raw
from sfml.graph.model import Reference, Source, StepBody, TaskGraph, TaskNode, Template, Value
from sfml.lower.canonical import Json
from sfml.lower.conditions import raw_outcomes
from sfml.lower.names import root_name, stage_of, task_name


def call_json(graph: TaskGraph, node: TaskNode, body: StepBody) -> str:
    """The argument as JSON text; the runtime in `sfml_steps` resolves its references when the task runs."""
    call: dict[str, Json] = {
        "pipeline": graph.pipeline,
        "task": node.name,
        "step": body.step,
        "root": raw(root_name(graph)),
        "stage": stage_of(graph.target),
        "with": {name: argument(graph, body.arguments[name]) for name in sorted(body.arguments)},
    }
    if node.is_branch:
        call["outcomes"] = dict(raw_outcomes(graph, node))
    # Only what this task names itself: a task added far above must not change this one's body.
    named = sorted({*node.after, *_tasks_read(tuple(body.arguments.values()))})
    branches: dict[str, Json] = {
        raw(task_name(graph, name)): _by_raw_value(graph, name)
        for name in named
        if graph.task(name).is_branch
    }
    if branches:
        call["branches"] = branches
    return json.dumps(call, ensure_ascii=False, allow_nan=False)


def argument(graph: TaskGraph, value: Value) -> Json:
    """The value, its references as `{"$result": […]}`, `{"$config": …}`, `{"$run": …}`, `{"$text": […]}`."""
    match value:
        case Reference():
            return _reference(graph, value)
        case Template(parts):
            return {"$text": [part if isinstance(part, str) else _reference(graph, part) for part in parts]}
        case Mapping():
            plain = {key: argument(graph, value[key]) for key in sorted(value)}
            if not _looks_like_a_reference(plain):
                return plain
            # A mapping that only looks like a reference; `$object` has references in it, `$literal` none.
            return {"$object": plain} if has_references(value) else {"$literal": plain}
        case tuple() | list():
            return [argument(graph, item) for item in value]
        case _:
            return value


def has_references(value: Value) -> bool:
    """Whether any part of the value is read when the task runs."""
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


def _reference(graph: TaskGraph, reference: Reference) -> Json:
    match reference.source:
        case Source.RESULT:
            assert reference.task is not None
            return {"$result": [raw(task_name(graph, reference.task)), *reference.keys]}
        case Source.CONFIG:
            return {"$config": reference.keys[0]}
        case Source.RUN:
            return {"$run": reference.keys[0]}


def _looks_like_a_reference(plain: Mapping[str, Json]) -> bool:
    return len(plain) == 1 and next(iter(plain)).startswith("$")


def _by_raw_value(graph: TaskGraph, branch: str) -> dict[str, Json]:
    return {raw: outcome for outcome, raw in raw_outcomes(graph, graph.task(branch)).items()}
