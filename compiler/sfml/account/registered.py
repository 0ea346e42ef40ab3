"""Versions of a model in the registry: found by name or alias, compared, and the one to go back to; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.graph.general_steps import model_names
from sfml.graph.model import TaskGraph


@record
class VersionChange:
    """A change of a version's role that a person or a run made, kept in the version's metadata.

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
    """What became of it, oldest first."""


CHAMPION, CHALLENGER = "CHAMPION", "CHALLENGER"
"""Aliases with a meaning: the version that serves, and one that is to be compared with it."""

SYSTEM_ALIASES = ("DEFAULT", "FIRST", "LAST")
"""Aliases that Snowflake assigns itself.

https://docs.snowflake.com/en/sql-reference/sql/alter-model
"""


def models_of(graph: TaskGraph) -> tuple[str, ...]:
    """The values of the argument `model_name` of all steps of a graph, in the order of the spec, each once."""
    return tuple(dict.fromkeys(name for _, name in model_names(graph)))


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
    """The version to go back to: the one that the default version replaced. None without one.

    If that one may not serve, it is the one that it replaced in turn; where this is not known, the newest one older
    than the default. A version that a rollback left may not serve until it is promoted again; nor may one that is only
    a challenger.
    """
    ordered = sorted(versions, key=lambda version: version.created_at)
    index = next((index for index, version in enumerate(ordered) if version.is_default), 0)
    candidates = (*_replaced_in_turn(ordered), *reversed(ordered[:index]))
    return next((version for version in candidates if _may_serve(version)), None)


def _replaced_in_turn(versions: Sequence[ModelVersion]) -> Iterator[ModelVersion]:
    """The version that the default replaced when it was promoted, the one that that one replaced, and so on."""
    by_name = {version.name: version for version in versions}
    version = default_of(versions)
    seen = set()
    while version is not None:
        seen.add(version.name)
        replaced = [one.other for one in version.changes if one.action == "promoted"]
        version = by_name.get(replaced[-1] or "") if replaced else None
        if version is None or version.name in seen:
            return
        yield version


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
