"""The needs of a graph that a plan introduces; those of the deployed graph were checked by an earlier apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sfml.graph.needs import Kind, Need
from sfml.lower.desired import DesiredGraph
from sfml.plan.model import Action, Change, Plan

_EVERYTHING = frozenset(Kind)
_NOTHING: frozenset[Kind] = frozenset()

_NAMING: Mapping[str, frozenset[Kind]] = MappingProxyType(
    {
        "warehouse": frozenset({Kind.WAREHOUSE}),
        "query_warehouse": frozenset({Kind.WAREHOUSE}),
        "pool": frozenset({Kind.POOL, Kind.IMAGES}),
        "alerts": frozenset({Kind.NOTIFICATION}),
        "on_error": frozenset({Kind.NOTIFICATION}),
        "on_success": frozenset({Kind.NOTIFICATION}),
        "schedule": frozenset({Kind.STREAM}),
        "when": frozenset({Kind.STREAM}),
        "packages": frozenset({Kind.PACKAGE}),
        "external_access": frozenset({Kind.ACCESS}),
        "secrets": frozenset({Kind.SECRET}),
        "definition": _EVERYTHING,
    }
)
"""Field of a change → the kinds of objects that its new value may name."""

_SILENT = frozenset(
    {
        *("after", "code", "command", "comment", "config", "env_vars", "execute_as_user", "finalize"),
        *("instances", "log_level", "metrics", "min_instances", "minimum_trigger_interval", "overlap"),
        *("record", "retries", "serverless", "session_parameters", "state", "step", "suspend_after_failures"),
        *("tags", "contacts", "timeout_ms", "watch", "with"),
    }
)
"""Fields whose values name no object that must exist. A field that is in neither table may name objects of any kind."""


def introduced(needs: tuple[Need, ...], plan: Plan, desired: DesiredGraph) -> tuple[Need, ...]:
    """The needs that no deployed task has had so far.

    Database and schema are left out, because the session already uses them. Streams are always looked for: without one,
    nothing triggers the graph, whatever an apply changes.
    """
    own = {change.name: _kinds_of(change) for change in plan.changes}
    tasks = {task.task: own[task.name] for task in desired.all_tasks if task.task and task.name in own}
    root = own.get(desired.root.name, _EVERYTHING)

    def is_new(need: Need) -> bool:
        named_by = [tasks.get(name, _EVERYTHING) for name in need.by] or [root]
        return all(need.kind in kinds for kinds in named_by)

    within = (Kind.DATABASE, Kind.SCHEMA)
    return tuple(
        need for need in needs if need.kind not in within and (need.kind is Kind.STREAM or is_new(need))
    )


def _kinds_of(change: Change) -> frozenset[Kind]:
    """The kinds of objects that the task may name after the change and did not name before."""
    match change.action:
        case Action.UNCHANGED | Action.DROP:
            return _NOTHING
        case Action.ALTER:
            return frozenset(kind for kinds in _named_by(change) for kind in kinds)
        case _:
            return _EVERYTHING


def _named_by(change: Change) -> Iterator[frozenset[Kind]]:
    for field in change.fields:
        head = field.path.partition(".")[0]
        if head not in _SILENT:
            yield _NAMING.get(head, _EVERYTHING)
