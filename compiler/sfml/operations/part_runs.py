"""Carries out parts of runs: makes their graphs, starts and follows them, records how they ended, and removes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sfml.account.deployed import DeployedGraph
from sfml.account.history import DeployedRoot, Run
from sfml.account.part_graphs import PartGraph, lane_graphs, part_graphs
from sfml.account.part_runs import as_part, newest_first, outcome_of, recorded_run, whole_run
from sfml.account.run_history import RunHistory, run_history
from sfml.account.run_record import run_of
from sfml.base.errors import ConflictingState, SfmlError, UsageError
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.lower.names import folded_name
from sfml.operations.deployer import Deployer, Work
from sfml.operations.held_lease import HeldLease
from sfml.operations.known_runs import LAST, part_records
from sfml.operations.runs import NONCE, StartedRun, cancel_runs, follow, read_runs, recent_runs
from sfml.operations.target_account import TargetAccount
from sfml.operations.value_runs import value_runs
from sfml.plan.artefact import observed_artefact
from sfml.plan.journal import header_of
from sfml.plan.part_record import PartRecord, open_marks, open_path, record_json, record_path
from sfml.plan.stage_content import StageContent
from sfml.plan.stages import DropTask, Group, dropped

if TYPE_CHECKING:
    from sfml.operations.part_plan import PartPlan

KEPT = timedelta(days=30)
"""How long the record of a part is kept."""

RECORDS_KEPT = 100
"""The maximum number of records of parts that a pipeline keeps."""


@record
class StartedPart:
    """A part that was started: its plan, and the readings of its run, the first of which has been made."""

    plan: PartPlan
    first: Run
    rest: Iterator[Run]

    def states(self, desired: DesiredGraph) -> Iterator[Run]:
        """The run at each reading, with all tasks of the spec, the last time when it has ended."""
        yield told_run(desired, self.first, self.plan.record)
        for run in self.rest:
            yield told_run(desired, run, self.plan.record)


@record
class PartState:
    """A graph of a part that exists: `record` is None if it cannot be read, `run` is None if it was never executed."""

    graph: PartGraph
    record: PartRecord | None
    root: DeployedRoot | None
    run: Run | None

    @property
    def is_executing(self) -> bool:
        return self.run is not None and not self.run.is_over


def told_run(desired: DesiredGraph, run: Run, part: PartRecord) -> Run:
    """The run of a part's graph as a run of the pipeline."""
    return as_part(whole_run(desired, replace(run, target=desired.target.name)), part)


def start_part(
    desired: DesiredGraph,
    target: TargetAccount,
    held_lease: HeldLease,
    plan: PartPlan,
    *,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
    deploy: Callable[[Work], None] | None = None,
) -> StartedPart:
    """Make the graph of the part and execute it, under the lease of the pipeline, which may be released then.

    Returns when the run has appeared in the history: until then, others could take the graph for one that was left
    over. `deploy` carries out the work and shows it. If making the graph fails, it is removed again.
    """
    carry_out = deploy or (lambda work: Deployer(work, target.tasks, target.stage, held_lease).deploy())
    target.stage.write(open_path(desired.pipeline, plan.record.mark), record_json(plan.record).encode())
    name = plan.graph.root.name
    try:
        carry_out(Work(plan.groups, plan.graph, header_of(held_lease.lease, 0, work="part")))
        root = target.history.root(name)
        if root is None:
            raise ConflictingState(f"`{name}` was removed before it could run")
        asked_at = datetime.now(UTC)
        target.history.execute(name, {NONCE: plan.record.nonce})
    except SfmlError:
        with suppress(SfmlError):
            remove_part_graphs(desired, target, held_lease)
        raise
    started = StartedRun(root, plan.record.nonce, asked_at)
    states = follow(plan.graph, target.history, started, interval=interval, sleep=sleep)
    return StartedPart(plan, next(states), states)


def end_part(
    desired: DesiredGraph, target: TargetAccount, held_lease: HeldLease, started: StartedPart, run: Run
) -> None:
    """Record how the part ended, and remove its graph; under the lease of the pipeline.

    Of a pipeline that has been destroyed meanwhile, nothing is recorded.
    """
    if target.history.root(desired.root.name) is None:
        return
    record = replace(started.plan.record, outcome=outcome_of(run))
    target.stage.write(record_path(desired.pipeline, record.mark), record_json(record).encode())
    remove_part_graphs(desired, target, held_lease)


def demand_alone(
    desired: DesiredGraph, target: TargetAccount, staged: StageContent | None, *, beside: bool
) -> None:
    """Raise `ConflictingState` if another part is executing. Costs no call if the stage names no part's graph."""
    if beside or not open_marks(staged):
        return
    running = [state for state in part_states(desired, target) if state.is_executing]
    if running:
        began = running[0].run.started_at if running[0].run else None
        since = f" since {began:%Y-%m-%d %H:%M:%S} UTC" if began else ""
        raise ConflictingState(
            f"a part of a run of {desired.pipeline} is executing{since}; nothing was run",
            help="wait for its end, or run yours while it executes:  --beside",
        )


def cancel_beside(desired: DesiredGraph, target: TargetAccount, *, interval: float) -> tuple[str, ...]:
    """Cancel the executing runs of parts and of lanes of a backfill; returns their run groups."""
    there = target.history.deployed(desired.root.name)
    cancelled: list[str] = []
    for graph in (*part_graphs(there, desired.root.name), *lane_graphs(there, desired.root.name)):
        root = target.history.root(folded_name(graph.root)) if graph.has_root else None
        if root is not None:
            cancelled += cancel_runs(shape_of(desired, graph), target.history, root, interval=interval)
    return tuple(cancelled)


# -- what is there


def part_states(desired: DesiredGraph, target: TargetAccount) -> tuple[PartState, ...]:
    """The graphs of parts of the pipeline that exist, with their runs. Costs one call if there are none."""
    graphs = part_graphs(target.history.deployed(desired.root.name), desired.root.name)
    if not graphs:
        return ()
    return states_of(desired, target, graphs, part_records(target.stage.staged(desired.pipeline), target))


def states_of(
    desired: DesiredGraph,
    target: TargetAccount,
    graphs: Sequence[PartGraph],
    records: Sequence[PartRecord],
) -> tuple[PartState, ...]:
    """The runs of these graphs of parts, of which `records` may be the records."""
    by_mark = {one.mark.upper(): one for one in records}
    return tuple(_state(desired, target, graph, by_mark.get(graph.mark)) for graph in graphs)


def _state(
    desired: DesiredGraph, target: TargetAccount, graph: PartGraph, part: PartRecord | None
) -> PartState:
    root = target.history.root(folded_name(graph.root)) if graph.has_root else None
    if root is None:
        return PartState(graph, part, None, None)
    rows, records = read_runs(target.history, root)
    groups = [row.run_group for row in rows if row.run_group]
    group = next(iter(groups), None) or next((one.run_group for one in records), None)
    if group is None:
        return PartState(graph, part, root, None)
    executing = any(one.state in ("EXECUTING", "SCHEDULED") for one in records if one.run_group == group)
    shape = shape_of(desired, graph)
    run = run_of(shape, rows, group, graphs=records, state="EXECUTING" if executing else None)
    if run is not None and part is not None:
        run = told_run(desired, run, part)
    return PartState(graph, part, root, run)


def shape_of(desired: DesiredGraph, graph: PartGraph) -> DesiredGraph:
    """The graph of a part as far as its run needs it: the spec's tasks below the part's root."""
    there = {task.name: task for task in graph.tasks}

    def placed(task: DesiredTask) -> DesiredTask | None:
        name = f"{graph.root}${(task.task or '').upper()}"
        if name not in there:
            return None
        return replace(
            task,
            name=folded_name(name),
            predecessors=tuple(folded_name(predecessor) for predecessor in there[name].predecessors),
            finalize=folded_name(graph.root) if task.finalize else None,
        )

    return replace(
        desired,
        root=replace(desired.root, name=folded_name(graph.root)),
        tasks=tuple(one for task in desired.tasks if (one := placed(task)) is not None),
        finalizer=None if desired.finalizer is None else placed(desired.finalizer),
    )


def left_over(states: Sequence[PartState]) -> tuple[PartState, ...]:
    """The graphs whose run has ended, or never began."""
    return tuple(state for state in states if not state.is_executing)


# -- removing


def remove_part_graphs(
    desired: DesiredGraph, target: TargetAccount, held_lease: HeldLease, *, executing: bool = False
) -> tuple[str, ...]:
    """Remove the graphs of parts that were left over, under the lease; returns the names of their roots.

    How they ended is recorded first. With `executing`, graphs whose run is executing are removed as well.
    """
    states = part_states(desired, target)
    chosen = states if executing else left_over(states)
    for state in chosen:
        _record_end(desired, target, state)
        groups = _removal(desired, target, state)
        work = Work(groups, desired, header_of(held_lease.lease, 0, work="part"))
        Deployer(work, target.tasks, target.stage, held_lease, stop=threading.Event()).deploy()
    going_on = {state.graph.mark.lower() for state in states if state not in chosen}
    _tidy_records(desired, target, going_on)
    return tuple(state.graph.root for state in chosen)


def remove_left_over(
    desired: DesiredGraph, target: TargetAccount, held_lease: HeldLease, staged: StageContent | None
) -> tuple[str, ...]:
    """The same, for a command that has read the stage: without a call if no part's graph can exist."""
    return remove_part_graphs(desired, target, held_lease) if open_marks(staged) else ()


def _record_end(desired: DesiredGraph, target: TargetAccount, state: PartState) -> None:
    part = state.record
    if part is None or part.outcome is not None or state.run is None:
        return  # it is recorded already, or nothing of it ran
    ended = replace(part, outcome=outcome_of(state.run))
    target.stage.write(record_path(desired.pipeline, part.mark), record_json(ended).encode())


def _removal(desired: DesiredGraph, target: TargetAccount, state: PartState) -> tuple[Group, ...]:
    """The groups that drop the tasks of a part, children first; tasks of others below it stay."""
    names = {folded_name(task.name) for task in state.graph.tasks}
    root = folded_name(state.graph.root)
    observed = target.tasks.observed(root) if state.graph.has_root else None
    artefact = observed_artefact(desired.pipeline, desired.target, observed)
    tasks = {task.name: task for task in artefact.tasks} if artefact else {}
    groups = tuple(dropped(frozenset(names - {root}), tasks))
    return (*groups, *(((DropTask(root),),) if root in names else ()))


def _tidy_records(desired: DesiredGraph, target: TargetAccount, going_on: Collection[str]) -> None:
    """Remove the open records of parts that do not go on, and records that are old or too many."""
    staged = target.stage.staged(desired.pipeline)
    closed = [open_path(desired.pipeline, mark) for mark in open_marks(staged) if mark not in going_on]
    records = [part_record for part_record in part_records(staged, target) if part_record.outcome is not None]
    oldest = datetime.now(UTC) - KEPT
    old = list(records[:-RECORDS_KEPT])
    old += [one for one in records[-RECORDS_KEPT:] if datetime.fromisoformat(one.began_at) < oldest]
    gone = (*closed, *(record_path(desired.pipeline, one.mark) for one in old))
    if gone:
        target.stage.remove(gone)


# -- runs and parts together


def parts_of_runs(
    desired: DesiredGraph, target: TargetAccount, staged: StageContent | None, graph: DeployedGraph
) -> tuple[Run, ...]:
    """The runs of parts that are recorded or executing, newest first. Costs no call if there have been none."""
    records = part_records(staged, target)
    runs = [run for part in records if (run := recorded_run(desired, part)) is not None]
    known = {run.run_id for run in runs}
    graphs = part_graphs(graph, desired.root.name)
    states = states_of(desired, target, graphs, records) if graphs else ()
    runs += [state.run for state in states if state.run is not None and state.run.run_id not in known]
    return newest_first(runs)


def runs_and_parts(
    desired: DesiredGraph,
    target: TargetAccount,
    *,
    limit: int | None = None,
    with_skipped: bool = True,
    with_values: bool = False,
) -> tuple[Run, ...]:
    """The runs of the last seven days and the parts of runs that are kept, newest first.

    With `with_values`, also the runs of the values of backfills, which `limit` does not count.
    """
    graph = target.history.deployed(desired.root.name)
    if graph.root is None:
        return ()
    runs = recent_runs(desired, target.history, graph.root, limit=limit, with_skipped=with_skipped)
    staged = target.stage.staged(desired.pipeline)
    parts = parts_of_runs(desired, target, staged, graph)
    found = newest_first((*runs, *parts))[:limit] if parts else runs
    values = value_runs(desired, target, staged) if with_values else ()
    return newest_first((*found, *values)) if values else found


def history_of(desired: DesiredGraph, target: TargetAccount, *, limit: int | None = None) -> RunHistory:
    """The newest runs and parts, the usual duration of a run, and the deployment that each ran on.

    The values of backfills between these are there as well, and do not count.
    """
    runs = runs_and_parts(desired, target, with_values=True)
    kept = target.stage.kept(desired.pipeline).deployments if runs else ()
    return run_history(runs, kept, limit=limit)


def latest_run(runs: Sequence[Run]) -> Run:
    """The run that executes, or the last one that ended: a retry makes an earlier run the latest one again."""
    still = datetime.max.replace(tzinfo=UTC)
    return max(runs, key=lambda run: run.completed_at or still)


def named_run(desired: DesiredGraph, runs: Sequence[Run], text: str) -> Run:
    """The run with this id, or whose id alone begins so, or for `last` the latest that no backfill began.

    Raises `UsageError` if several begin so, `ConflictingState` if none does.
    """
    exact = [run for run in runs if run.run_id == text]
    fitting = exact or [run for run in runs if text and run.run_id.startswith(text)]
    if text == LAST and runs:
        return latest_run([run for run in runs if run.backfill is None] or runs)
    if text == LAST:
        message = f"pipeline `{desired.pipeline}` has not run in the last seven days"
        raise ConflictingState(message, help=f"sfml run {desired.where}")
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(run.run_id for run in fitting[:3])
        raise UsageError(f"several runs begin with `{text}`: {ids}", help="write more of the id")
    raise ConflictingState(
        f"run `{text}` of {desired.pipeline} is not kept: Snowflake keeps its history for seven days",
        help=f"list the runs:  sfml history {desired.where}",
    )
