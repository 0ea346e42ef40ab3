"""Builds a run from rows of Snowflake's history: its state, the reason, and each task; pure.

Snowflake's record of the graph run (a `GraphRow`) takes precedence. COMPLETE_TASK_GRAPHS keeps it for an hour; after
that, the rows of the root and the tasks are the only source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sfml.account.history import ENDED, Attempt, GraphRow, Run, TaskRow, TaskRun, state_of, task_run
from sfml.account.run_reason import (
    Cancellation,
    EverySkipped,
    GraphTimeout,
    NothingRan,
    Reason,
    RootSkipped,
    TaskFailure,
    Unexplained,
)
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.semantics.error_line import is_timeout
from sfml.semantics.limits import timeout_seconds


def run_of(
    desired: DesiredGraph,
    rows: Iterable[TaskRow],
    run_group: str,
    *,
    graphs: Iterable[GraphRow] = (),
    state: str | None = None,
    suspended: frozenset[str] = frozenset(),
) -> Run | None:
    """The run with the id `run_group`, from the rows of one graph; None when no row belongs to it.

    The latest row of each task counts, because a retry runs only failed tasks again. `graphs` are Snowflake's records
    of graph runs, `state` overrides the state, `suspended` are the tasks that are suspended now, by their names in
    Snowflake.
    """
    own = sorted((row for row in rows if row.run_group == run_group), key=lambda row: row.attempt)
    if not own:
        return None
    latest = {row.name: row for row in own}
    record = max(
        (graph for graph in graphs if graph.run_group == run_group),
        key=lambda graph: graph.attempt,
        default=None,
    )
    attempt = max(own[-1].attempt, record.attempt if record else 0)
    times = TaskTimes.of(own, latest, record)
    if state is None:
        recorded = record.state if record and record.attempt == attempt else None
        state = recorded or rows_state(desired, latest, times, suspended)
    over = state in ENDED
    reason = reason_of(desired, state, latest, record, times, suspended) if over else None
    tasks = tuple(
        task_run(task.task, latest.get(raw(task.name)), task.outcomes)
        for task in desired.all_tasks
        if task.task is not None
    )
    return Run(
        pipeline=desired.pipeline,
        target=desired.target.name,
        state="FAILED" if state.startswith("FAILED") else state,
        run_id=run_group,
        attempt=attempt,
        tasks=tuple(explained(desired, tasks, reason, suspended, over=over)),
        started_at=times.began,
        completed_at=times.ended if over else None,
        reason=reason,
        attempts=attempts_of(own, graphs),
    )


@record
class TaskTimes:
    """When a run began, and when it ended: the latest end of its tasks and of Snowflake's record."""

    began: datetime | None
    ended: datetime | None
    attempt_began: datetime | None
    """When the last attempt began. The timeout of a graph applies to each attempt."""

    @classmethod
    def of(cls, own: Sequence[TaskRow], latest: Mapping[str, TaskRow], record: GraphRow | None) -> TaskTimes:
        starts = [at for row in own if (at := row.started_at or row.scheduled_time)]
        last = own[-1].attempt
        lasts = [at for row in own if row.attempt == last and (at := row.started_at or row.scheduled_time)]
        ends = [row.completed_at for row in latest.values() if row.completed_at]
        if record is not None and record.completed_at is not None:
            ends.append(record.completed_at)
        if record is not None and record.started_at is not None:
            lasts.append(record.started_at)
        return cls(min(starts, default=None), max(ends, default=None), min(lasts, default=None))

    @property
    def attempt_ms(self) -> float:
        if self.attempt_began is None or self.ended is None:
            return 0.0
        return (self.ended - self.attempt_began).total_seconds() * 1000


def attempts_of(rows: Iterable[TaskRow], graphs: Iterable[GraphRow]) -> tuple[Attempt, ...]:
    """The attempts of a run in order; each with its state by Snowflake's record, or else by its rows."""
    by_number: dict[int, list[TaskRow]] = {}
    for row in rows:
        by_number.setdefault(row.attempt, []).append(row)
    group = next(iter(by_number.values()))[0].run_group
    states = {graph.attempt: graph.state for graph in graphs if graph.run_group == group}
    return tuple(
        Attempt(
            number,
            # Snowflake's documentation has both EXECUTE_TASK and EXECUTE TASK.
            next((row.scheduled_from for row in own if row.scheduled_from), "").replace("_", " "),
            states.get(number) or state_of(own),
        )
        for number, own in sorted(by_number.items())
    )


# -- why


def graph_limit_ms(desired: DesiredGraph) -> int:
    """The timeout of one attempt of the graph, in milliseconds.

    https://docs.snowflake.com/en/user-guide/tasks-graphs
    """
    return round(timeout_seconds(desired.root.user_task_timeout_ms) * 1000)


def rows_state(
    desired: DesiredGraph, latest: Mapping[str, TaskRow], times: TaskTimes, suspended: frozenset[str]
) -> str:
    """The state of a run whose record Snowflake no longer keeps, from its rows.

    The timeout of a graph leaves no error in any row. It is recognised by tasks that were ready to run and did not
    begin although they are not suspended.
    """
    state = state_of(latest.values())
    if state != "SUCCEEDED":
        return state
    root = latest.get(raw(desired.root.name))
    if len(latest) == 1 and root is not None and root.state == "SKIPPED":
        return "SKIPPED"
    last = raw(desired.finalizer.name) if desired.finalizer else ""
    ends = [row.completed_at for row in latest.values() if row.name != last and row.completed_at]
    took = (max(ends) - times.attempt_began).total_seconds() * 1000 if ends and times.attempt_began else 0.0
    done = {name for name, row in latest.items() if row.state == "SUCCEEDED"}
    next_up = (task for task in desired.tasks if done.issuperset(raw(name) for name in task.predecessors))
    not_begun = [raw(task.name) for task in next_up if raw(task.name) not in latest]
    is_cut = took >= graph_limit_ms(desired) and any(name not in suspended for name in not_begun)
    return "FAILED" if is_cut else state


def never_begun(desired: DesiredGraph, latest: Mapping[str, TaskRow]) -> tuple[str, ...]:
    """The tasks without a row although all their predecessors succeeded; and the tasks that follow them."""
    cut: dict[str, str] = {}
    for task in desired.tasks:
        above = [raw(name) for name in task.predecessors]
        ready = all(
            name in cut or ((row := latest.get(name)) is not None and row.state == "SUCCEEDED")
            for name in above
        )
        if raw(task.name) not in latest and ready and task.task is not None:
            cut[raw(task.name)] = task.task
    return tuple(cut.values())


def reason_of(
    desired: DesiredGraph,
    state: str,
    latest: Mapping[str, TaskRow],
    record: GraphRow | None,
    times: TaskTimes,
    suspended: frozenset[str],
) -> Reason | None:
    """The reason why a run ended in this state; None for a run that succeeded."""
    if state.startswith("FAILED"):
        return _failure(desired, latest, record, times)
    if state == "CANCELLED":
        cancelled = (row.name for row in latest.values() if row.state == "CANCELLED")
        return Cancellation(tuple(name for row in cancelled if (name := spec_name(desired, row)) is not None))
    if state == "SKIPPED":
        return RootSkipped()
    root_and_finalizer = {
        raw(desired.root.name),
        *((raw(desired.finalizer.name),) if desired.finalizer else ()),
    }
    states = {row.state for name, row in latest.items() if name not in root_and_finalizer}
    if not states:
        off = (spec_name(desired, name) for name in sorted(suspended))
        return NothingRan(tuple(name for name in off if name is not None))
    return EverySkipped() if states == {"SKIPPED"} else None


def _failure(
    desired: DesiredGraph, latest: Mapping[str, TaskRow], record: GraphRow | None, times: TaskTimes
) -> Reason:
    """The earliest error; without one, the graph's timeout if its time has passed; else `Unexplained`."""
    limit = graph_limit_ms(desired)
    not_begun = never_begun(desired, latest)
    is_late = times.attempt_ms >= limit
    end = datetime.max.replace(tzinfo=UTC)
    failed = sorted(
        (row for row in latest.values() if row.state.startswith("FAILED")),
        key=lambda row: row.completed_at or end,
    )
    if failed:
        row = failed[0]
        error = row.error_message or ""
        is_timed_out = is_timeout(row.error_code, error)
        own_timeout = next(
            (task.user_task_timeout_ms for task in desired.all_tasks if raw(task.name) == row.name), None
        )
        if is_timed_out and is_late and own_timeout is None:
            name = spec_name(desired, row.name)
            return GraphTimeout(limit, (*((name,) if name else ()), *not_begun))
        return TaskFailure(spec_name(desired, row.name), error, is_timed_out)
    if record is not None and record.error_task is not None:
        error = record.error_message or ""
        is_timed_out = is_timeout(record.error_code, error)
        return TaskFailure(spec_name(desired, record.error_task), error, is_timed_out)
    return GraphTimeout(limit, not_begun) if is_late else Unexplained()


def spec_name(desired: DesiredGraph, name: str) -> str | None:
    """The name in the spec of a task in Snowflake; None for the root.

    For a task that is not in the spec, its name without the root's prefix, in lower case.
    """
    root = raw(desired.root.name)
    if name == root:
        return None
    known = next((task.task for task in desired.all_tasks if raw(task.name) == name), None)
    return known or name.removeprefix(f"{root}$").lower()


def explained(
    desired: DesiredGraph,
    tasks: Sequence[TaskRun],
    reason: Reason | None,
    suspended: frozenset[str],
    *,
    over: bool = True,
) -> Iterator[TaskRun]:
    """The tasks of a run; `because` is set for those that were skipped, and if it is over, for those that never ran."""
    runs = {task.name: task for task in tasks}
    for task in tasks:
        node = next(one for one in desired.all_tasks if one.task == task.name)
        match task.state:
            case "SKIPPED":
                yield replace(task, because=_why_skipped(desired, node, runs))
            case None if over:
                yield replace(task, because=_why_never(desired, node, runs, reason, suspended))
            case _:
                yield task


def _predecessor_runs(
    desired: DesiredGraph, node: DesiredTask, runs: Mapping[str, TaskRun]
) -> Iterator[TaskRun]:
    for name in node.predecessors:
        parent = spec_name(desired, raw(name))
        if parent is not None and parent in runs:
            yield runs[parent]


def _why_skipped(desired: DesiredGraph, node: DesiredTask, runs: Mapping[str, TaskRun]) -> str:
    for parent in _predecessor_runs(desired, node, runs):
        if parent.arm is not None and parent.arm != node.task:
            return f"not chosen: {parent.name} took {parent.arm}"
    return "its condition was false"


SUSPENDED = "it is suspended"

_BLOCKED: Mapping[str | None, str] = {
    "FAILED": "failed",
    "FAILED_AND_AUTO_SUSPENDED": "failed",
    "CANCELLED": "was cancelled",
    "SKIPPED": "was skipped",
    None: "never ran",
}


def _why_never(
    desired: DesiredGraph,
    node: DesiredTask,
    runs: Mapping[str, TaskRun],
    reason: Reason | None,
    suspended: frozenset[str],
) -> str | None:
    if raw(node.name) in suspended:
        return SUSPENDED
    match reason:
        case TaskFailure(task=None):
            return "the root failed"
        case GraphTimeout(never_begun=names) if node.task in names:
            return "the graph's time was over"
    for parent in _predecessor_runs(desired, node, runs):
        if parent.state in _BLOCKED:
            return f"{parent.name} {_BLOCKED[parent.state]}"
    return None
