"""What the general steps of a graph work on, from their arguments: models, and places that are watched."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.graph.alert_events import WATCH
from sfml.graph.model import Reference, Source, StepBody, TaskGraph, TaskNode

MODEL_NAME = "model_name"
"""The name of the argument that passes a model's name to a step."""

PROMOTING = "sfml_steps.registry."
"""The module of the general steps that log versions."""

COMPARING = "sfml_steps.gate.compare_with_champion"
"""The general step that reads the metrics of a model's versions."""


def step_of(node: TaskNode) -> str:
    """The step function of a task; empty for other tasks."""
    return node.body.step if isinstance(node.body, StepBody) else ""


def model_names(graph: TaskGraph) -> Iterator[tuple[TaskNode, str]]:
    """The tasks that get the name of a model, and that name as it is written; unknown ones are left out."""
    for node in graph.all_tasks:
        value = node.body.arguments.get(MODEL_NAME) if isinstance(node.body, StepBody) else None
        if isinstance(value, Reference) and value.source is Source.CONFIG:
            value = graph.config.get(str(value.keys[0]))
        if isinstance(value, str):
            yield node, value


def watched_places(graph: TaskGraph) -> Iterator[tuple[TaskNode, str]]:
    """The tasks that watch other pipelines, with the schemas and databases in which they look."""
    for node in graph.all_tasks:
        if isinstance(node.body, StepBody) and node.body.step == WATCH:
            places = node.body.arguments.get("schemas") or [graph.target.database]
            for place in places if isinstance(places, list | tuple) else ():
                if isinstance(place, str):
                    yield node, place
