"""Drift: what somebody changed in the account since the last apply, by task and field."""

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
    """Whether a task was changed, removed or added in the account."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"


@record
class DriftField:
    """One drifted setting: the applied value, and the value in the account now."""

    path: str
    applied: Comparable
    now: Comparable


@record
class Drift:
    """The drift of one task; `task` is its name in the spec, that of the pipeline for the root."""

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
    """The drift of all tasks, the root first; empty when the account is as the last apply left it.

    `loose` are loose tasks, which somebody took out of the graph; tasks that others put below the graph count as added.
    Whether the schedule is on is not compared, because `sfml suspend` and `sfml resume` change it on purpose.
    """
    return tuple(_drift(applied, observed, target, loose))


def open_drift(
    drifts: tuple[Drift, ...],
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    loose: tuple[ObservedTask, ...] = (),
) -> tuple[Drift, ...]:
    """The drift that differs from the spec too; drift that was accepted into the spec is left out."""
    plan = make_plan(desired, _whole(observed), adopt=True, loose=loose)
    differs = {change.name: {field.path for field in change.fields} for change in plan.changes}
    acts = {change.name for change in plan.changes if change.action is not Action.UNCHANGED}
    left = []
    for drift in drifts:
        fields = tuple(field for field in drift.fields if field.path in differs.get(drift.name, ()))
        if fields or (not drift.fields and drift.name in acts):
            left.append(replace(drift, fields=fields))
    return tuple(left)


def _whole(observed: ObservedGraph | None) -> ObservedGraph | None:
    """The graph with its strangers as tasks, because they count as drift."""
    return observed and replace(observed, tasks=(*observed.tasks, *observed.strangers), strangers=())


def _drift(
    applied: Artefact, observed: ObservedGraph | None, target: Target, loose: tuple[ObservedTask, ...]
) -> Iterator[Drift]:
    plan = make_plan(applied.graph(target), _whole(observed), adopt=True, loose=loose)
    kinds = {Action.CREATE: DriftKind.REMOVED, Action.DROP: DriftKind.ADDED}
    for change in plan.changes:
        fields = tuple(DriftField(field.path, field.new, field.old) for field in change.fields)
        if change.action in kinds or fields:
            yield Drift(change.task, change.name, kinds.get(change.action, DriftKind.CHANGED), fields)
