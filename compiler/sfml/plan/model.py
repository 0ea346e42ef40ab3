"""Plans as values: what an apply would change, by task and field, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from sfml.base.record import record

Comparable: TypeAlias = "bool | int | float | str | tuple[Comparable, ...] | Mapping[str, Comparable] | None"
"""The value of a setting in a form that is equal however Snowflake writes it."""


@record
class ObservedTask:
    """A deployed task. `settings` has the keys of `sfml.plan.settings.SETTINGS`, with defaults filled in."""

    name: str
    id: str
    started: bool
    definition: str
    settings: Mapping[str, Comparable]
    owner: str | None = None
    values: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    """The fields of the REST response, from which the task is written again by a restore."""


@record
class ObservedGraph:
    """A deployed root and its tasks; `record` is that in the root's comment, None for a graph sfml did not make."""

    root: ObservedTask
    tasks: tuple[ObservedTask, ...]
    """The child tasks and the finalizer, without the root."""
    record: Mapping[str, Comparable] | None = None
    strangers: tuple[ObservedTask, ...] = ()
    """Tasks that somebody else put below the graph; they are shown, and never changed."""

    @property
    def by_name(self) -> Mapping[str, ObservedTask]:
        return {task.name: task for task in (self.root, *self.tasks)}


class Action(StrEnum):
    """What an apply does with a task."""

    CREATE = "create"
    ALTER = "alter"
    REPLACE = "replace"
    MOVE = "move"
    DROP = "drop"
    UNCHANGED = "unchanged"


class Reason(StrEnum):
    """Why a field differs, found by comparing account, spec and last applied graph."""

    SPEC_CHANGED = "spec changed"
    DEFAULT_CHANGED = "default changed"
    CODE_CHANGED = "code changed"
    RUNTIME_CHANGED = "runtime of sfml changed"
    """Only the step runtime differs in the code, which comes with the version of sfml."""
    DRIFTED = "drifted"
    BOTH_CHANGED = "spec changed and drifted"
    ADOPTED = "adopted"


class RiskLabel(StrEnum):
    """The kinds of risks."""

    SCHEDULE = "schedule"
    DESTRUCTIVE = "destructive"
    COST = "cost"
    PRIVILEGES = "privileges"
    GATE = "gate"
    FORFEITS_RETRY = "forfeits retry"
    RUNNING = "running"
    MISSES_RUN = "misses run"
    SHIFTS_INTERVAL = "shifts interval"
    FORMER_GRAPH = "former graph"


@record
class Risk:
    """A consequence of a change that a reader should know before confirming it."""

    label: RiskLabel
    message: str


@record
class ChangedFile:
    """A file of step code that differs. `status` is added, changed or removed; `names` are functions and classes."""

    path: str
    status: str
    names: tuple[str, ...] = ()


@record
class FieldChange:
    """One setting before and after; None is unset."""

    path: str
    old: Comparable
    new: Comparable
    reason: Reason
    place: str | None = None
    """The place of the new value in the spec, `file:line`."""
    old_place: str | None = None
    """The place of the old value, if both sides are specs."""
    files: tuple[ChangedFile, ...] = ()
    """The files that differ in changed code, if both archives could be read."""


@record
class Change:
    """What happens to one task. `name` is that in Snowflake, `task` that in the spec (the pipeline's for the root)."""

    task: str
    name: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    moved_from: str | None = None
    """The former name in Snowflake of a moved task; that task is dropped once the new one exists."""
    why: str | None = None
    """Why a task has to be replaced instead of altered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an apply would do to one pipeline in one target."""

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
    """The risks for the graph as a whole."""
    next_runs: tuple[datetime, ...] = ()
    """The next times of a cron schedule, in its time zone, if the schedule is on."""
    summary: Mapping[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        counts = {action.value: 0 for action in Action}
        for change in self.changes:
            counts[change.action.value] += 1
        object.__setattr__(self, "summary", counts)

    @property
    def is_empty(self) -> bool:
        """Whether an apply would change nothing, neither tasks nor whether the schedule is on."""
        changed = any(change.action is not Action.UNCHANGED for change in self.changes)
        return not changed and self.resume_root == self.root_started

    def of(self, *actions: Action) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in actions)
