"""Versions of a model in the registry, and which was the default before; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime

from sfml.base.record import record
from sfml.graph.model import Reference, Source, StepBody, TaskGraph


@record
class ModelVersion:
    """A version as SHOW VERSIONS answers it; `metrics` are those that were logged with it."""

    name: str
    created_at: datetime
    is_default: bool
    comment: str | None = None
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


MODEL_NAME = "model_name"
"""The argument by which the general steps take a model's name."""


def models_of(graph: TaskGraph) -> tuple[str, ...]:
    """The models that the steps of a graph are given as `model_name`, in the order of the spec."""
    found: dict[str, None] = {}
    tasks = (*graph.tasks, *((graph.finalizer,) if graph.finalizer else ()))
    for task in tasks:
        value = task.body.arguments.get(MODEL_NAME) if isinstance(task.body, StepBody) else None
        if isinstance(value, Reference) and value.source is Source.CONFIG:
            value = graph.config.get(str(value.keys[0]))
        if isinstance(value, str):
            found[value] = None
    return tuple(found)


def version_before(versions: Iterable[ModelVersion]) -> ModelVersion | None:
    """The newest version that is older than the default one: promotion logs a version and makes it the default."""
    ordered = sorted(versions, key=lambda version: version.created_at)
    at = next((at for at, version in enumerate(ordered) if version.is_default), 0)
    return ordered[at - 1] if at else None
