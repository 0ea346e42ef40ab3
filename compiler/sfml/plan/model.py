"""The plan as data: what an apply would change, field by field, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from sfml.base.record import record

Comparable: TypeAlias = "bool | int | float | str | tuple[Comparable, ...] | Mapping[str, Comparable] | None"
"""A setting in a form that compares the same however Snowflake renders it."""


@record
class ObservedTask:
    """A deployed task. `settings` has the keys of `sfml.plan.settings.SETTINGS`, defaults filled in."""

    name: str
    id: str
    started: bool
    definition: str
    settings: Mapping[str, Comparable]
    owner: str | None = None
    values: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    """REST's fields as they were answered: what the task is written from when it is put back."""


@record
class ObservedGraph:
    """A deployed root with everything that hangs on it; `record` is what the root's comment ends in."""

    root: ObservedTask
    tasks: tuple[ObservedTask, ...]
    """Children and finalizer, without the root."""
    record: Mapping[str, Comparable] | None = None
    strangers: tuple[ObservedTask, ...] = ()
    """What somebody else hung below it, once that is known: it is named, and never changed."""

    @property
    def by_name(self) -> Mapping[str, ObservedTask]:
        return {task.name: task for task in (self.root, *self.tasks)}


class Action(StrEnum):
    CREATE = "create"
    ALTER = "alter"
    REPLACE = "replace"
    MOVE = "move"
    DROP = "drop"
    UNCHANGED = "unchanged"


class Reason(StrEnum):
    """Why a field differs, as told from the account, the spec, and what was last applied."""

    SPEC_CHANGED = "spec changed"
    DEFAULT_CHANGED = "default changed"
    CODE_CHANGED = "code changed"
    RUNTIME_CHANGED = "runtime of sfml changed"
    """Of code: nothing but `sfml_steps` differs in it, which comes with the version of sfml."""
    DRIFTED = "drifted"
    BOTH_CHANGED = "spec changed and drifted"
    ADOPTED = "adopted"


class RiskLabel(StrEnum):
    """What kind of risk a change carries."""

    SCHEDULE = "schedule"
    DESTRUCTIVE = "destructive"
    COST = "cost"
    PRIVILEGES = "privileges"
    GATE = "gate"
    FORFEITS_RETRY = "forfeits retry"
    RUNNING = "running"
    MISSES_RUN = "misses run"
    SHIFTS_INTERVAL = "shifts interval"


@record
class Risk:
    """What a reader should know before saying yes."""

    label: RiskLabel
    message: str


@record
class ChangedFile:
    """A file of step code that differs, with the functions and classes in it that do; `status` is one word."""

    path: str
    status: str
    names: tuple[str, ...] = ()


@record
class FieldChange:
    """One setting, before and after; None stands for unset."""

    path: str
    old: Comparable
    new: Comparable
    reason: Reason
    place: str | None = None
    """`file:line` of the spec where the new value is written."""
    old_place: str | None = None
    """Where the old value is written, where both sides are specs."""
    files: tuple[ChangedFile, ...] = ()
    """Of changed code: what differs in it, where both archives could be read."""


@record
class Change:
    """What happens to one task; `name` is Snowflake's, `task` the spec's (the root: its pipeline)."""

    task: str
    name: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    moved_from: str | None = None
    """Of a move: the name in Snowflake of the task that it was; it is dropped once the new one is there."""
    why: str | None = None
    """Of a replacement: why Snowflake leaves no other way."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an apply would do to one pipeline in one target."""

    pipeline: str
    target: str
    location: str
    changes: tuple[Change, ...]
    resume_root: bool
    """Whether the schedule is on after the apply."""
    root_started: bool
    """Whether the schedule is on now."""
    notes: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    """What concerns the graph as a whole."""
    next_runs: tuple[datetime, ...] = ()
    """When a cron schedule runs next, in its own zone, provided that it is on."""
    summary: Mapping[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        counts = {action.value: 0 for action in Action}
        for change in self.changes:
            counts[change.action.value] += 1
        object.__setattr__(self, "summary", counts)

    @property
    def is_empty(self) -> bool:
        """Whether an apply would change nothing at all."""
        changed = any(change.action is not Action.UNCHANGED for change in self.changes)
        return not changed and self.resume_root == self.root_started

    def of(self, *actions: Action) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in actions)
