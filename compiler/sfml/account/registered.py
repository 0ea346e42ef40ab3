"""Versions of a model in the registry, and the version before the default one; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime

from sfml.base.record import record
from sfml.graph.model import Reference, Source, StepBody, TaskGraph


@record
class ModelVersion:
    """A model version from a row of SHOW VERSIONS; `metrics` are the metrics that were logged with it."""

    name: str
    created_at: datetime
    is_default: bool
    comment: str | None = None
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


MODEL_NAME = "model_name"
"""The name of the argument that passes a model's name to a step."""


def models_of(graph: TaskGraph) -> tuple[str, ...]:
    """The values of the argument `model_name` of all steps of a graph, in the order of the spec, each once."""
    names: dict[str, None] = {}
    tasks = (*graph.tasks, *((graph.finalizer,) if graph.finalizer else ()))
    for task in tasks:
        value = task.body.arguments.get(MODEL_NAME) if isinstance(task.body, StepBody) else None
        if isinstance(value, Reference) and value.source is Source.CONFIG:
            value = graph.config.get(str(value.keys[0]))
        if isinstance(value, str):
            names[value] = None
    return tuple(names)


def version_before(versions: Iterable[ModelVersion]) -> ModelVersion | None:
    """The newest version older than the default one: the default before the last promotion. None without one."""
    ordered = sorted(versions, key=lambda version: version.created_at)
    index = next((index for index, version in enumerate(ordered) if version.is_default), 0)
    return ordered[index - 1] if index else None
