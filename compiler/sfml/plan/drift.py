"""What somebody changed in the account since the last apply, task by task and field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sfml.graph.model import Target
from sfml.plan.artefact import Artefact
from sfml.plan.diff import make_plan
from sfml.plan.model import Action, Comparable, ObservedGraph


class DriftKind(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class DriftField:
    """One setting: what was applied, and what the account has now."""

    path: str
    applied: Comparable
    now: Comparable


@dataclass(frozen=True, slots=True)
class Drift:
    """What happened to one task; `task` is its name in the spec (the root: the pipeline's)."""

    task: str
    name: str
    kind: DriftKind
    fields: tuple[DriftField, ...] = ()


def drift_of(applied: Artefact, observed: ObservedGraph | None, target: Target) -> tuple[Drift, ...]:
    """Everything that is not as the last apply left it, the root first; nothing when all of it is."""
    return tuple(_drift(applied, observed, target))


def _drift(applied: Artefact, observed: ObservedGraph | None, target: Target) -> Iterator[Drift]:
    plan = make_plan(applied.graph(target), observed, adopt=True)
    kinds = {Action.CREATE: DriftKind.REMOVED, Action.DROP: DriftKind.ADDED}
    for change in plan.changes:
        fields = [DriftField(one.path, one.new, one.old) for one in change.fields]
        if change.name == applied.root.name and observed is not None:
            fields += _schedule(applied, observed)
        if change.action in kinds or fields:
            yield Drift(change.task, change.name, kinds.get(change.action, DriftKind.CHANGED), tuple(fields))


def _schedule(applied: Artefact, observed: ObservedGraph) -> Iterator[DriftField]:
    """Whether the schedule is on, where it was meant to be otherwise."""
    if applied.root_started != observed.root.started:
        words = {True: "started", False: "suspended"}
        yield DriftField("state", words[applied.root_started], words[observed.root.started])
