"""The health of a deployed graph, read from a connected target; and notes about it for commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sfml.account.deployed import DeployedGraph
from sfml.account.former_graphs import FormerGraph
from sfml.account.health import (
    BackfillStopped,
    ChangedTasks,
    FormerGraphs,
    LooseTasks,
    MissingTasks,
    PartLeftOver,
    SuspendedChildren,
    UnusableStreams,
    health_of,
    tasks_without_code,
)
from sfml.account.history import GraphRow, TaskRow
from sfml.account.part_graphs import lane_graphs, part_graphs
from sfml.account.streams import NO_STREAMS, StreamReading, streams_read
from sfml.base.errors import ConflictingState
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import read_stage
from sfml.operations.former_graphs import known_former_graphs
from sfml.operations.held_lease import is_gone, new_lease
from sfml.operations.part_runs import left_over, parts_of_runs, states_of
from sfml.operations.runs import read_runs, runs_of
from sfml.operations.target_account import TargetAccount
from sfml.plan.journal import Journal
from sfml.plan.lane import backfill_lease
from sfml.plan.lease import Lease
from sfml.plan.provenance import origin_text
from sfml.plan.settings import split_comment
from sfml.plan.stage_content import StageContent
from sfml.render.health import problem_text, schedule_state_text, work_text
from sfml.snowflake.streams import streams_of

if TYPE_CHECKING:
    from sfml.account.health import GraphHealth
    from sfml.account.history import Run
    from sfml.lower.desired import DesiredGraph


def suspended_names(graph: DeployedGraph) -> frozenset[str]:
    return frozenset(task.name for task in graph.suspended)


@record
class GraphReading:
    """What was read of a graph: its tasks, its stage with the journal, and the rows and records of its runs."""

    graph: DeployedGraph
    staged: StageContent | None = None
    journal: Journal | None = None
    rows: tuple[TaskRow, ...] = ()
    records: tuple[GraphRow, ...] = ()
    streams: StreamReading = NO_STREAMS
    holder: Lease | None = None

    @property
    def has_run(self) -> bool:
        return any(row.state != "SCHEDULED" for row in self.rows)


def graph_health(desired: DesiredGraph, target: TargetAccount) -> GraphHealth:
    """Read the graph, its journal and its last run; returns its health."""
    graph = target.history.deployed(desired.root.name)
    staged, journal = read_stage(desired, target)
    rows, records = read_runs(target.history, graph.root) if graph.root else ((), ())
    streams = read_streams(desired, target, graph)
    holder = target.leases.holder(desired.root.name) if graph.root or journal else None
    reading = GraphReading(graph, staged, journal, rows, records, streams, holder)
    return health_from(desired, target, reading)


def read_streams(desired: DesiredGraph, target: TargetAccount, graph: DeployedGraph) -> StreamReading:
    """What the account shows of the streams in the graph's conditions; one call if there are any."""
    return streams_of(target.connection, desired.target, streams_read(graph, desired.target))


def health_from(desired: DesiredGraph, target: TargetAccount, reading: GraphReading) -> GraphHealth:
    """The health of a graph that was read. What only few graphs have is read now: parts, lanes."""
    graph, rows, holder = reading.graph, reading.rows, reading.holder
    run = None
    if graph.root and reading.has_run:
        suspended = suspended_names(graph)
        run = next(iter(runs_of(desired, rows, reading.records, limit=1, suspended=suspended)), None)
    parts = parts_of_runs(desired, target, reading.staged, graph)
    return health_of(
        desired,
        graph,
        now=datetime.now(UTC),
        journal=reading.journal,
        holder=holder,
        run=_run_or_part(run, parts),
        rows=rows,
        left_over=_left_over(desired, target, graph),
        stopped_lanes=_stopped_lanes(desired, target, graph),
        abandoned=holder if holder is not None and is_gone(holder, new_lease("")) else None,
        mended=mended_runs(parts),
        streams=reading.streams,
        former=_former_graphs(graph, target),
        has_stage=reading.staged is not None,
        without_code=tasks_without_code(desired, graph, reading.staged) if reading.staged else frozenset(),
    )


def mended_runs(parts: Iterable[Run]) -> frozenset[str]:
    """The runs that a part has recovered, and parts that another part has; not those of which only some tasks ran."""
    recovering = {
        run.run_id: run.part.recovers
        for run in parts
        if run.part is not None and run.part.recovers is not None and not run.part.selectors
    }
    mended: set[str] = set()
    for run in parts:
        origin = recovering.get(run.run_id) if run.outcome == "succeeded" else None
        while origin is not None and origin not in mended:
            mended.add(origin)
            origin = recovering.get(origin)
    return frozenset(mended)


def _run_or_part(run: Run | None, parts: tuple[Run, ...]) -> Run | None:
    """What stands for the last run: a part that executes, or the last one that recovers the run.

    A run that was retried after a part of it stands for itself.
    """
    executing = [part for part in parts if not part.is_over]
    if executing:
        return executing[0]
    if run is None:
        return None
    mending = {run.run_id}
    last = run
    for part in reversed(parts):  # a part may recover a part
        if part.part is not None and part.part.recovers in mending and not _is_retried(run, part):
            mending.add(part.run_id)
            last = part
    return last


def _is_retried(run: Run, part: Run) -> bool:
    """Whether the run goes on, or ended, later than the part of it began."""
    return run.completed_at is None or (part.started_at is not None and run.completed_at > part.started_at)


def _left_over(desired: DesiredGraph, target: TargetAccount, graph: DeployedGraph) -> tuple[str, ...]:
    """The roots of parts that have ended. Costs no call if there are no graphs of parts."""
    graphs = part_graphs(graph, desired.root.name)
    return tuple(state.graph.root for state in left_over(states_of(desired, target, graphs, ())))


def _stopped_lanes(desired: DesiredGraph, target: TargetAccount, graph: DeployedGraph) -> tuple[str, ...]:
    """The roots of the lanes of a backfill on which no command works. Costs no call if there are no lanes."""
    lanes = lane_graphs(graph, desired.root.name)
    holder = target.leases.holder(backfill_lease(desired.root.name)) if lanes else None
    is_going_on = holder is not None and not is_gone(holder, new_lease(""))
    return () if is_going_on else tuple(lane.root for lane in lanes)


def _former_graphs(graph: DeployedGraph, target: TargetAccount) -> tuple[FormerGraph, ...]:
    """The graphs that the pipeline left at former places. Costs no call if the root's record names none."""
    record = split_comment(graph.root.comment)[1] if graph.root else None
    return known_former_graphs(record, target)


def demand_finished_apply(compiled_spec: CompiledSpec, target: TargetAccount) -> None:
    """Raise `ConflictingState` if an apply is unfinished, because the graph is then neither the old nor the new one."""
    desired = compiled_spec.desired
    _, journal = read_stage(desired, target)
    if journal is None:
        return
    header = journal.header
    where = desired.where
    text = work_text(header.work, desired.pipeline, header.owner, header.began_at)
    raise ConflictingState(
        f"{desired.pipeline} is half applied: {text} did not finish; nothing was run",
        help=f"finish it:  sfml {header.work} {where}   or go back:  sfml apply {where} --restore",
    )


def drift_notes(desired: DesiredGraph, target: TargetAccount) -> Iterator[str]:
    """Notes on problems that are no drift of a task but stop the graph: a schedule, loose tasks, streams."""
    graph = target.history.deployed(desired.root.name)
    health = health_of(
        *(desired, graph),
        now=datetime.now(UTC),
        left_over=_left_over(desired, target, graph),
        stopped_lanes=_stopped_lanes(desired, target, graph),
        streams=read_streams(desired, target, graph),
        former=_former_graphs(graph, target),
    )
    if health.off is not None:
        yield f"the schedule is {schedule_state_text(health.off)}"
    for problem in health.problems:
        if isinstance(problem, LooseTasks | PartLeftOver | BackfillStopped | UnusableStreams | FormerGraphs):
            yield problem_text(problem, desired.pipeline)


def run_notes(compiled_spec: CompiledSpec, target: TargetAccount, graph: DeployedGraph) -> Iterator[str]:
    """Notes on what a run meets: other code than the files', tasks that are suspended, loose, missing or changed, and
    streams that its conditions cannot read."""
    desired = compiled_spec.desired
    streams = read_streams(desired, target, graph)
    health = health_of(desired, graph, now=datetime.now(UTC), streams=streams)
    where = desired.where
    if health.differs:
        origin = origin_text(health.record)
        of = f", of {origin}," if origin else ""
        yield f"what is deployed{of} differs from the files; the difference:  sfml plan {where}"
    for problem in health.problems:
        if isinstance(problem, SuspendedChildren | LooseTasks | MissingTasks | ChangedTasks):
            yield f"{problem_text(problem, desired.pipeline)};  sfml plan {where}"
        elif isinstance(problem, UnusableStreams):
            yield problem_text(problem, desired.pipeline)
