"""The differences between two states of a repository, as values; all renderings of `sfml diff` start from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.record import record
from sfml.cost.change import CostChange
from sfml.graph.model import Schedule, TaskGraph
from sfml.lower.desired import DesiredGraph
from sfml.plan.model import Action, Change, FieldChange, Risk


class Status(StrEnum):
    """How a pipeline differs between the two sides, as a whole or in one target."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    BROKEN = "broken"
    """A side has errors, so the sides cannot be compared."""


@record
class Side:
    """One side: its name as the user typed it, and its commit; for the work tree the commit that is checked out."""

    name: str
    commit: str
    is_work_tree: bool = False


@record
class CompiledTarget:
    """A pipeline compiled for one target: the typed graph and the desired graph."""

    graph: TaskGraph
    desired: DesiredGraph
    fingerprint: str
    """The fingerprint for `apply --require-fingerprint`."""


@record
class ReachedFile:
    """A changed file of a pipeline, relative to the repository; `status` is added, changed or removed."""

    path: str
    status: str


@record
class ClockChange:
    """A run that daylight saving time skips or repeats; `at` is its local time."""

    at: datetime
    is_skipped: bool


@record
class Times:
    """When one side runs. `next_runs` is empty unless the schedule is a cron; `runs` is the number in thirty days."""

    schedule: Schedule
    next_runs: tuple[datetime, ...] = ()
    runs: int | None = None
    clock_changes: tuple[ClockChange, ...] = ()


@record
class TargetDiff:
    """The differences of one pipeline in one target. `changes` are those of a plan from the base to the head.

    `settings` are changes of the target and of the pipeline as a whole. `base` and `head` are None where the pipeline
    does not exist, or has errors.
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
    cost: CostChange | None = None
    """The credits of a month on both sides, where they differ and one of them says how long tasks take."""

    @property
    def changed(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is not Action.UNCHANGED)

    @property
    def summary(self) -> Mapping[str, int]:
        """Action → the number of tasks, including the root."""
        counts = {action.value: 0 for action in Action}
        for change in self.changes:
            counts[change.action.value] += 1
        return counts

    @property
    def changes_times(self) -> bool:
        """Whether the schedule differs."""
        old, new = self.old_times, self.new_times
        return (old.schedule if old else None) != (new.schedule if new else None)


@record
class PipelineDiff:
    """The differences of one pipeline; `spec` is its entry file, relative to the repository."""

    pipeline: str
    spec: str
    status: Status
    files: tuple[ReachedFile, ...]
    targets: tuple[TargetDiff, ...]
    base_findings: tuple[Diagnostic, ...] = ()
    head_findings: tuple[Diagnostic, ...] = ()
    """Errors and warnings of the head that the base does not have."""
    old_findings: tuple[Diagnostic, ...] = ()
    """Errors and warnings of the head that the base has too."""
    base_sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    head_sources: Mapping[str, str] = field(default_factory=dict, repr=False)


@record
class Diff:
    """The differences of the requested pipelines; run times are computed from `now` on."""

    base: Side
    head: Side
    now: datetime
    pipelines: tuple[PipelineDiff, ...]
    untouched: int = 0
    """The number of pipelines that no changed file can reach."""
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether all pipelines would be deployed as before."""
        return all(pipeline.status is Status.UNCHANGED for pipeline in self.pipelines)

    @property
    def is_broken(self) -> bool:
        """Whether the head has errors; those of policies count where the change brings them in."""
        return any(
            has_errors(pipeline.head_findings)
            or any(finding.is_error and finding.is_of_rule for finding in pipeline.old_findings)
            for pipeline in self.pipelines
        )

    def changed(self) -> Iterator[PipelineDiff]:
        """The pipelines to show: those that are deployed differently, and those with new findings of policies."""
        return (
            pipeline
            for pipeline in self.pipelines
            if pipeline.status is not Status.UNCHANGED
            or any(not finding.is_of_rule for finding in pipeline.head_findings)
        )
