"""What somebody changed in the account since the last apply, task by task and field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from sfml.base.record import record
from sfml.graph.model import Target
from sfml.lower.desired import DesiredGraph
from sfml.plan.artefact import Artefact
from sfml.plan.diff import make_plan
from sfml.plan.model import Action, Comparable, ObservedGraph, ObservedTask


class DriftKind(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"


@record
class DriftField:
    """One setting: what was applied, and what the account has now."""

    path: str
    applied: Comparable
    now: Comparable


@record
class Drift:
    """What happened to one task; `task` is its name in the spec (the root: the pipeline's)."""

    task: str
    name: str
    kind: DriftKind
    fields: tuple[DriftField, ...] = ()


def drift_of(
    applied: Artefact,
    observed: ObservedGraph | None,
    target: Target,
    loose: tuple[ObservedTask, ...] = (),
) -> tuple[Drift, ...]:
    """Everything that is not as the last apply left it, the root first; nothing when all of it is.

    `loose` are tasks that somebody took out of the graph; what others hung below it was added.

    Whether the schedule is on is no part of it: that is what `sfml suspend` and `sfml resume` are for.
    """
    return tuple(_drift(applied, observed, target, loose))


def open_drift(
    drifts: tuple[Drift, ...],
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    loose: tuple[ObservedTask, ...] = (),
) -> tuple[Drift, ...]:
    """The drift that the spec does not say as well: what was accepted into the spec needs no more attention."""
    plan = make_plan(desired, _whole(observed), adopt=True, loose=loose)
    differs = {change.name: {one.path for one in change.fields} for change in plan.changes}
    acts = {change.name for change in plan.changes if change.action is not Action.UNCHANGED}
    left = []
    for drift in drifts:
        fields = tuple(one for one in drift.fields if one.path in differs.get(drift.name, ()))
        if fields or (not drift.fields and drift.name in acts):
            left.append(replace(drift, fields=fields))
    return tuple(left)


def _whole(observed: ObservedGraph | None) -> ObservedGraph | None:
    """The graph with what others hung below it: that is a change by hand too."""
    return observed and replace(observed, tasks=(*observed.tasks, *observed.strangers), strangers=())


def _drift(
    applied: Artefact, observed: ObservedGraph | None, target: Target, loose: tuple[ObservedTask, ...]
) -> Iterator[Drift]:
    plan = make_plan(applied.graph(target), _whole(observed), adopt=True, loose=loose)
    kinds = {Action.CREATE: DriftKind.REMOVED, Action.DROP: DriftKind.ADDED}
    for change in plan.changes:
        fields = tuple(DriftField(one.path, one.new, one.old) for one in change.fields)
        if change.action in kinds or fields:
            yield Drift(change.task, change.name, kinds.get(change.action, DriftKind.CHANGED), fields)
