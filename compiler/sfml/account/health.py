"""The health of a deployed graph: the problems of its schedule, tasks and last run; pure.

A schedule that is off on purpose is no problem: on a development target, after `--no-resume`, or when it was never
turned on. Everything else that prevents the graph from running as in its spec is a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from sfml.account.changed_settings import changed_settings
from sfml.account.deployed import DeployedGraph, DeployedTask, cut_loose, own_suspended, utc
from sfml.account.deployed_schedule import deployed_schedule
from sfml.account.former_graphs import FormerGraph
from sfml.account.freshness import REMEMBERED, Overdue, overdue
from sfml.account.history import DeployedRoot, Run, TaskRow
from sfml.account.run_record import spec_name
from sfml.account.streams import NO_STREAMS, StreamReading, streams_read
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.graph.model import CronSchedule, IntervalSchedule
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import stage_of
from sfml.plan.artefact import archives_on
from sfml.plan.diff import is_on_by_default, is_scheduled
from sfml.plan.journal import Journal
from sfml.plan.lease import Lease
from sfml.plan.settings import OFF_SINCE, split_comment
from sfml.plan.stage_content import StageContent
from sfml.semantics.cron import fires_between, parse_cron

LATE_AFTER = timedelta(minutes=15)
"""The delay after which a run that did not begin is late. Snowflake may start runs late, never early."""


class OffReason(StrEnum):
    """Why a schedule is off; the first three reasons are intended."""

    DEVELOPMENT = "development"
    NO_RESUME = "no_resume"
    NEVER_ON = "never_on"
    BY_HAND = "by_hand"
    FAILURES = "failures"
    SNOWFLAKE = "snowflake"
    UNFINISHED = "unfinished"


INTENDED = frozenset({OffReason.DEVELOPMENT, OffReason.NO_RESUME, OffReason.NEVER_ON})


@record
class Off:
    """Why and since when a schedule is off; `word` is Snowflake's reason if `reason` is SNOWFLAKE."""

    reason: OffReason
    since: datetime | None = None
    word: str | None = None

    @property
    def is_intended(self) -> bool:
        return self.reason in INTENDED


# -- what needs attention


@record
class UnfinishedApply:
    """An apply whose journal still exists. If its lease is held (`is_held`), it may be running."""

    work: str
    number: int
    owner: str
    began_at: str
    is_held: bool


@record
class ScheduleOff:
    """The schedule is off although it should be on."""

    off: Off


@record
class SuspendedChildren:
    """Suspended tasks of the graph: runs skip them."""

    tasks: tuple[str, ...]
    since: datetime | None


@record
class LooseTasks:
    """Loose tasks: they belong to no graph of the pipeline, so no run reaches them."""

    tasks: tuple[str, ...]


@record
class MissingTasks:
    """Tasks of the deployed spec that do not exist in the account."""

    tasks: tuple[str, ...]


@record
class ChangedTasks:
    """Tasks that somebody changed since the apply: the names in the spec, and the settings, as of `sfml drift`."""

    of_root: tuple[str, ...]
    settings: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(task for task, _ in self.settings)


@record
class UnsuccessfulRun:
    """The last run ended, and neither succeeded nor was skipped."""

    run: Run


@record
class LateRun:
    """A run was due and did not begin."""

    due: datetime


@record
class ForeignTask:
    """A task with the root's name that sfml did not make."""

    name: str


@record
class PartLeftOver:
    """The graph of a part of a run that has ended and was not removed, because the command that made it was ended."""

    names: tuple[str, ...]


@record
class BackfillStopped:
    """Lanes of a backfill on which no command works: it was stopped or killed, and some of its values may be left."""

    names: tuple[str, ...]


@record
class LeaseLeft:
    """The lease of a command whose process has ended: it holds up every command that would change the graph."""

    owner: str
    since: datetime | None
    reason: str | None


@record
class FormerGraphs:
    """Graphs at former places of the pipeline whose schedules are on, with the commands that remove them."""

    graphs: tuple[FormerGraph, ...]
    removals: tuple[str, ...]


@record
class StageGone:
    """The stage with the code of the deployed steps and jobs does not exist, or the role does not see it."""

    stage: str


@record
class CodeGone:
    """Code or payloads of deployed tasks are missing on the stage; `of_root` is whether the root's are."""

    stage: str
    tasks: tuple[str, ...]
    of_root: bool


class StreamFault(StrEnum):
    """Why the condition of a task cannot read a stream."""

    GONE = "gone"
    STALE = "stale"
    UNKNOWN = "unknown"


@record
class UnusableStreams:
    """Streams that conditions of the graph cannot read, or of which that is not known, with the account's `reason`.

    Nothing triggers a root whose stream is missing or stale. `tasks` are the tasks with these conditions.
    """

    fault: StreamFault
    streams: tuple[str, ...]
    tasks: tuple[str, ...]
    of_root: bool
    reason: str | None = None


Problem: TypeAlias = (
    UnfinishedApply
    | ScheduleOff
    | SuspendedChildren
    | LooseTasks
    | MissingTasks
    | ChangedTasks
    | UnsuccessfulRun
    | LateRun
    | Overdue
    | ForeignTask
    | PartLeftOver
    | BackfillStopped
    | LeaseLeft
    | UnusableStreams
    | FormerGraphs
    | StageGone
    | CodeGone
)


@record
class GraphHealth:
    """The health of a pipeline in its target. `off` is None when its schedule is on, or when it has none."""

    graph: DeployedGraph
    record: Mapping[str, Any] | None
    off: Off | None
    is_scheduled: bool
    run: Run | None
    differs: bool | None
    """Whether the deployed fingerprint differs from the one of the files; None when either is unknown."""
    problems: tuple[Problem, ...]

    @property
    def is_well(self) -> bool:
        return not self.problems

    @property
    def unfinished(self) -> UnfinishedApply | None:
        return next((problem for problem in self.problems if isinstance(problem, UnfinishedApply)), None)


def health_of(
    desired: DesiredGraph,
    graph: DeployedGraph,
    *,
    now: datetime,
    journal: Journal | None = None,
    holder: Lease | None = None,
    run: Run | None = None,
    rows: Iterable[TaskRow] = (),
    left_over: tuple[str, ...] = (),
    stopped_lanes: tuple[str, ...] = (),
    abandoned: Lease | None = None,
    mended: frozenset[str] = frozenset(),
    streams: StreamReading = NO_STREAMS,
    former: tuple[FormerGraph, ...] = (),
    has_stage: bool = True,
    without_code: frozenset[str] = frozenset(),
) -> GraphHealth:
    """The health of a graph, from the values that were read from the account.

    `left_over` names the roots of parts of runs whose graphs should be gone, `stopped_lanes` those of lanes on which no
    command works; `abandoned` is the lease of a command that has certainly ended, `mended` are runs that parts
    recovered, `streams` is what is known of streams, also of other pipelines; `former` are the graphs at former places.
    `has_stage` is false if the pipeline's stage cannot be found, `without_code` are the deployed tasks whose code is
    missing on it.
    """
    rows = tuple(rows)
    root = graph.root
    record = split_comment(root.comment)[1] if root else None
    unfinished = unfinished_of(journal, holder) if journal else None
    off = off_of(desired, root, unfinished) if root else None
    applied = str(record.get("fingerprint", "")) if record else ""
    differs = None if not (applied and desired.fingerprint) else applied != desired.fingerprint
    problems: list[Problem] = [] if unfinished is None else [unfinished]
    if root is not None and record is None:
        problems.append(ForeignTask(root.name))
    else:
        problems += _problems(desired, graph, off, unfinished, differs)
        problems += _unusable_streams(desired, graph, streams)
        stage = stage_of(desired.target).removeprefix("@")
        if root is not None and not has_stage and _needs_stage(desired):
            problems.append(StageGone(stage))
        elif root is not None and without_code and unfinished is None:
            below = _names(desired, without_code - {root.name})
            problems.append(CodeGone(stage, below, root.name in without_code))
        if run is not None and run.is_over and run.outcome not in ("succeeded", "skipped"):
            problems.append(UnsuccessfulRun(run))
        if root is not None and unfinished is None and (due := late_since(desired, root, rows, now)):
            problems.append(LateRun(due))
        elif root is not None and unfinished is None and (late := overdue(desired, root, rows, now, mended)):
            problems.append(late)
    if left_over:
        problems.append(PartLeftOver(left_over))
    if stopped_lanes:
        problems.append(BackfillStopped(stopped_lanes))
    if abandoned is not None and unfinished is None:
        problems.append(LeaseLeft(abandoned.owner, abandoned.taken_at, abandoned.reason))
    if running := tuple(one for one in former if one.started):
        place = (desired.spec_path, desired.target.name, desired.root.name)
        problems.append(FormerGraphs(running, tuple(one.removal(*place) for one in running)))
    return GraphHealth(graph, record, off, is_scheduled(desired), run, differs, tuple(problems))


def _problems(
    desired: DesiredGraph,
    graph: DeployedGraph,
    off: Off | None,
    unfinished: UnfinishedApply | None,
    differs: bool | None,
) -> Iterator[Problem]:
    """The problems of the schedule and the tasks; none during an unfinished apply, which explains them."""
    if unfinished is not None:
        return
    if off is not None and not off.is_intended:
        yield ScheduleOff(off)
    suspended = own_suspended(graph, desired, differs)
    if suspended:
        times = [task.suspended_on for task in suspended if task.suspended_on]
        yield SuspendedChildren(_names(desired, (task.name for task in suspended)), min(times, default=None))
    loose = cut_loose(graph, desired)
    if loose:
        yield LooseTasks(_names(desired, (task.name for task in loose)))
    if differs is False:
        existing = {task.name for task in (*graph.tasks, *loose)}
        gone = [raw(task.name) for task in desired.all_tasks[1:] if raw(task.name) not in existing]
        if gone:
            yield MissingTasks(_names(desired, gone))
        yield from _changes(desired, graph)


def _changes(desired: DesiredGraph, graph: DeployedGraph) -> Iterator[ChangedTasks]:
    changed = dict(changed_settings(desired, graph))
    of_root = changed.pop(raw(desired.root.name), ())
    if of_root or changed:
        named = {_names(desired, (name,))[0]: settings for name, settings in changed.items()}
        yield ChangedTasks(of_root, tuple((name, named[name]) for name in _names(desired, changed)))


def tasks_without_code(desired: DesiredGraph, graph: DeployedGraph, staged: StageContent) -> frozenset[str]:
    """The deployed tasks whose code or payload is missing on the stage.

    Code on another stage is not looked for: the target's stage was changed since, and the next apply moves to it.
    """
    stage = stage_of(desired.target)
    tasks: tuple[DeployedRoot | DeployedTask, ...] = (graph.root, *graph.tasks) if graph.root else ()
    return frozenset(task.name for task in tasks if staged.lacks(archives_on(stage, task.body)))


def _needs_stage(desired: DesiredGraph) -> bool:
    """Whether tasks of the spec run code, which lies on the pipeline's stage."""
    return any(task.kind in ("step", "job") for task in desired.all_tasks)


def _unusable_streams(
    desired: DesiredGraph, graph: DeployedGraph, streams: StreamReading
) -> Iterator[UnusableStreams]:
    """The unusable streams of the graph, one problem for each fault and each reason."""
    read = streams_read(graph, desired.target)
    found: dict[tuple[StreamFault, str | None], list[str]] = {}
    for name in sorted(read):
        if name in streams.gone:
            found.setdefault((StreamFault.GONE, None), []).append(name)
        elif name in streams.stale:
            found.setdefault((StreamFault.STALE, None), []).append(name)
        elif name in streams.unknown:
            found.setdefault((StreamFault.UNKNOWN, streams.unknown[name]), []).append(name)
    root = graph.root.name if graph.root else None
    for (fault, reason), names in found.items():
        tasks = dict.fromkeys(task for name in names for task in read[name])
        below = _names(desired, (task for task in tasks if task != root))
        yield UnusableStreams(fault, tuple(names), below, root in tasks, reason)


def _names(desired: DesiredGraph, names: Iterable[str]) -> tuple[str, ...]:
    """The names in the spec, in its order; for a task that is not in the spec, its name in Snowflake."""
    order = [task.task for task in desired.all_tasks]
    spec = [spec_name(desired, name) or name for name in names]
    return tuple(sorted(spec, key=lambda name: (order.index(name) if name in order else len(order), name)))


def unfinished_of(journal: Journal, holder: Lease | None) -> UnfinishedApply:
    header = journal.header
    return UnfinishedApply(header.work, header.number, header.owner, header.began_at, holder is not None)


def off_of(
    desired: DesiredGraph, root: DeployedRoot, unfinished: UnfinishedApply | None = None
) -> Off | None:
    """Why the schedule is off; None when it is on, or when there is none.

    https://docs.snowflake.com/en/sql-reference/sql/show-tasks lists Snowflake's reasons. A root that was never started
    has no reason: then an apply left it off, because an interrupted apply would have left its journal.
    """
    if root.started or not is_scheduled(desired):
        return None
    since = root.suspended_on
    if unfinished is not None:
        return Off(OffReason.UNFINISHED, since)
    meant = _meant_off(root)
    failed = root.suspended_reason == "SUSPENDED_DUE_TO_ERRORS"
    # Somebody may have resumed it after the apply that left it off, and Snowflake suspended it after failures.
    if meant is not None and not (failed and since is not None and since > meant):
        return Off(OffReason.NO_RESUME, since or meant)
    if failed:
        return Off(OffReason.FAILURES, since)
    if root.suspended_reason not in (None, "USER_SUSPENDED"):
        return Off(OffReason.SNOWFLAKE, since, root.suspended_reason)
    if not is_on_by_default(desired.target):
        return Off(OffReason.DEVELOPMENT, since)
    return Off(OffReason.NEVER_ON) if since is None else Off(OffReason.BY_HAND, since)


def _meant_off(root: DeployedRoot) -> datetime | None:
    """When an apply with `--no-resume` left the schedule off, from the root's record; None if none did."""
    record = split_comment(root.comment)[1] or {}
    return utc(record.get(OFF_SINCE))


# -- lateness


def late_since(
    desired: DesiredGraph, root: DeployedRoot, rows: tuple[TaskRow, ...], now: datetime
) -> datetime | None:
    """The time of the last scheduled run if it did not begin; None if no run is late, or if that cannot be known.

    It cannot be known for the local Snowflake, which fires only while it runs, nor for a stream. A scheduled time
    during which another run was executing does not count, because Snowflake skips it.
    """
    if desired.target.is_local or not root.started or root.committed_on is None:
        return None
    due = _last_due(desired, root, rows, now)
    if due is None or due <= max(root.committed_on, now - REMEMBERED):
        return None
    began: dict[str, list[TaskRow]] = {}
    for row in rows:
        if row.state != "SCHEDULED":
            began.setdefault(row.run_group, []).append(row)
    return None if any(_covers(group, due) for group in began.values()) else due


def _covers(group: list[TaskRow], due: datetime) -> bool:
    """Whether a run began at or after this time, or was executing at it, within a minute."""
    slack = timedelta(minutes=1)
    if max(row.scheduled_time or due for row in group) >= due - slack:
        return True
    ends = [row.completed_at for row in group]
    return any(end is None or end >= due - slack for end in ends)


def _last_due(
    desired: DesiredGraph, root: DeployedRoot, rows: tuple[TaskRow, ...], now: datetime
) -> datetime | None:
    """The latest time at which a run should have begun, `LATE_AFTER` ago or earlier."""
    match deployed_schedule(desired, root):
        case CronSchedule(expression, timezone):
            cron, end = parse_cron(expression, timezone), now - LATE_AFTER
            # Short spans first: a cron that fires every minute has 10,080 times in a week.
            for span in (timedelta(hours=1), timedelta(days=1), REMEMBERED):
                if fires := fires_between(cron, end - span, end):
                    return fires[-1]
            return None
        case IntervalSchedule(seconds):
            scheduled = [
                row.scheduled_time for row in rows if row.state != "SCHEDULED" and row.scheduled_time
            ]
            assert root.committed_on is not None
            due = max([*scheduled, root.committed_on]) + timedelta(seconds=seconds)
            return due if due + LATE_AFTER <= now else None
        case _:
            return None
