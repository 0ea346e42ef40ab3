"""Versions of a model in the registry: found by name or alias, compared, and the one to go back to; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.graph.model import Reference, Source, StepBody, TaskGraph


@record
class VersionChange:
    """A change of a version's role that a person made, kept in the version's metadata.

    `action` is `promoted` (it became the default), `restored` (a rollback made it the default), `left` (a rollback made
    another one the default), `aliased` or `unaliased`. `other` is the other version, `alias` the alias.
    """

    action: str
    at: str
    by: str
    reason: str | None = None
    other: str | None = None
    alias: str | None = None


@record
class ModelVersion:
    """A model version from a row of SHOW VERSIONS; `metrics` are the metrics that were logged with it."""

    name: str
    created_at: datetime
    is_default: bool
    comment: str | None = None
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[VersionChange, ...] = ()
    """What people did with it, oldest first."""


CHAMPION, CHALLENGER = "CHAMPION", "CHALLENGER"
"""Aliases with a meaning: the version that serves, and one that is to be compared with it."""

SYSTEM_ALIASES = ("DEFAULT", "FIRST", "LAST")
"""Aliases that Snowflake assigns itself.

https://docs.snowflake.com/en/sql-reference/sql/alter-model
"""

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


def version_named(versions: Iterable[ModelVersion], text: str) -> ModelVersion | None:
    """The version with this name or alias, in any case unless quoted; None if there is none.

    `champion` is the default version as long as no version has that alias.
    """
    ordered = sorted(versions, key=lambda version: version.created_at)
    name = raw(text)
    for version in ordered:
        if version.name == name:
            return version
    for version in ordered:
        if name in version.aliases:
            return version
    match name:
        case "DEFAULT" | "CHAMPION":
            return default_of(ordered)
        case "FIRST" | "LAST" if ordered:
            return ordered[0 if name == "FIRST" else -1]
    return None


def default_of(versions: Iterable[ModelVersion]) -> ModelVersion | None:
    """The default version, which scoring uses."""
    return next((version for version in versions if version.is_default), None)


def version_before(versions: Iterable[ModelVersion]) -> ModelVersion | None:
    """The version to go back to: the newest one older than the default that may serve. None without one.

    A version that a rollback left may not, until it is promoted again; nor may one that is only a challenger.
    """
    ordered = sorted(versions, key=lambda version: version.created_at)
    index = next((index for index, version in enumerate(ordered) if version.is_default), 0)
    return next((version for version in reversed(ordered[:index]) if _may_serve(version)), None)


def _may_serve(version: ModelVersion) -> bool:
    roles = [one.action for one in version.changes if one.action in ("promoted", "restored", "left")]
    return roles[-1:] != ["left"] and (CHALLENGER not in version.aliases or bool(roles))


@record
class MetricComparison:
    """A metric of the compared versions, in their order; None for a version without it."""

    metric: str
    values: tuple[float | None, ...]

    @property
    def difference(self) -> float | None:
        """The last value minus the first one."""
        first, last = self.values[0], self.values[-1]
        return None if first is None or last is None else last - first


def compared(versions: Sequence[ModelVersion]) -> tuple[MetricComparison, ...]:
    """The metrics of versions, by name; metrics that are no numbers are left out."""
    numbers = [numbers_of(version) for version in versions]
    names = sorted({name for some in numbers for name in some})
    return tuple(MetricComparison(name, tuple(some.get(name) for some in numbers)) for name in names)


def numbers_of(version: ModelVersion) -> Mapping[str, float]:
    """The metrics of a version that are numbers."""
    return {
        key: value
        for key, value in version.metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


@record
class DefaultChange:
    """A change of the default version. `previous` is None if there was no default."""

    model: str
    previous: str | None
    default: str
    reason: str | None = None

    @property
    def is_changed(self) -> bool:
        return self.previous != self.default


@record
class AliasChange:
    """A change of an alias: the version that had it, and the one that has it now; None for no version."""

    model: str
    alias: str
    previous: str | None
    version: str | None
    reason: str | None = None

    @property
    def is_changed(self) -> bool:
        return self.previous != self.version
