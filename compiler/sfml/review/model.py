"""What two states of a repository differ in, as data: the one shape of `sfml diff`, whatever draws it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.record import record
from sfml.graph.model import Schedule, TaskGraph
from sfml.lower.desired import DesiredGraph
from sfml.plan.model import Action, Change, FieldChange, Risk


class Status(StrEnum):
    """What became of a pipeline, or of it in one target."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    BROKEN = "broken"
    """One of the sides does not compile, so that they cannot be compared."""


@record
class Side:
    """What was looked at: the user's name for it, and the commit that this is, or that the work tree stands on."""

    name: str
    commit: str
    is_work_tree: bool = False


@record
class CompiledTarget:
    """A pipeline for one target: the graph in the spec's words, and what it is in Snowflake."""

    graph: TaskGraph
    desired: DesiredGraph
    fingerprint: str
    """What `apply --require-fingerprint` demands."""


@record
class ReachedFile:
    """A changed file that the pipeline is made of, relative to the repository; `status` is git's word."""

    path: str
    status: str


@record
class ClockChange:
    """A run that a change of clocks leaves out, or makes twice; `at` is its time on the wall, in the zone."""

    at: datetime
    is_skipped: bool


@record
class Times:
    """When one side runs. Of a schedule that is no cron there are no `next_runs`; `runs` is over thirty days."""

    schedule: Schedule
    next_runs: tuple[datetime, ...] = ()
    runs: int | None = None
    clock_changes: tuple[ClockChange, ...] = ()


@record
class TargetDiff:
    """One pipeline in one target. `changes` are those of a plan that brings the base to the head.

    `settings` are those of the target and of the pipeline as a whole; `base` and `head` are None where there is
    nothing, or nothing that compiles.
    """

    target: str
    status: Status
    base: CompiledTarget | None
    head: CompiledTarget | None
    changes: tuple[Change, ...] = ()
    settings: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    notes: tuple[str, ...] = ()
    old_times: Times | None = None
    new_times: Times | None = None

    @property
    def changed(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is not Action.UNCHANGED)

    @property
    def summary(self) -> Mapping[str, int]:
        """How many tasks each action concerns, the root included."""
        counts = {action.value: 0 for action in Action}
        for change in self.changes:
            counts[change.action.value] += 1
        return counts

    @property
    def changes_times(self) -> bool:
        """Whether it runs at other times than before."""
        old, new = self.old_times, self.new_times
        return (old.schedule if old else None) != (new.schedule if new else None)


@record
class PipelineDiff:
    """One pipeline that the change can reach; `spec` is its entry file, relative to the repository."""

    pipeline: str
    spec: str
    status: Status
    files: tuple[ReachedFile, ...]
    targets: tuple[TargetDiff, ...]
    base_findings: tuple[Diagnostic, ...] = ()
    head_findings: tuple[Diagnostic, ...] = ()
    """What the change brought in: errors and warnings that the base has not."""
    old_findings: tuple[Diagnostic, ...] = ()
    """Errors and warnings of the head that the base has, too."""
    base_sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    head_sources: Mapping[str, str] = field(default_factory=dict, repr=False)


@record
class Diff:
    """Everything that a change does to the pipelines that were asked for; `now` is what run times count from."""

    base: Side
    head: Side
    now: datetime
    pipelines: tuple[PipelineDiff, ...]
    untouched: int = 0
    """How many pipelines no changed file can reach."""
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all would be deployed differently."""
        return all(one.status is Status.UNCHANGED for one in self.pipelines)

    @property
    def is_broken(self) -> bool:
        """Whether the head does not compile."""
        return any(has_errors((*one.head_findings, *one.old_findings)) for one in self.pipelines)

    def changed(self) -> Iterator[PipelineDiff]:
        return (one for one in self.pipelines if one.status is not Status.UNCHANGED)
