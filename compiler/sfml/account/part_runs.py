"""Runs of parts: built from their records, and told apart from whole runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sfml.account.history import Attempt, Run, TaskRow, TaskRun, parsed_return_value
from sfml.account.run_reason import (
    Cancellation,
    GraphTimeout,
    NothingRan,
    Reason,
    TaskFailure,
    Unexplained,
)
from sfml.lower.desired import DesiredGraph
from sfml.plan.part_record import PartOutcome, PartRecord, PartTaskEnd, time_of

NOT_IN_PART = "it is not in this part"


def outcome_of(run: Run) -> PartOutcome:
    """The outcome of a part's run, to be recorded."""
    return PartOutcome(
        run.run_id,
        run.state,
        run.attempt,
        _iso(run.started_at),
        _iso(run.completed_at),
        tuple(
            PartTaskEnd(
                task.name,
                task.state,
                _iso(task.started_at),
                _iso(task.row.completed_at if task.row else None),
                task.row.return_value if task.row else None,
                task.error,
                task.row.query_id if task.row else None,
            )
            for task in run.tasks
            if task.state is not None
        ),
        run.outcome == "timed_out",
    )


def recorded_run(desired: DesiredGraph, part: PartRecord) -> Run | None:
    """The run of a part from its record alone, with all tasks of the spec; None for one whose outcome is not known."""
    outcome = part.outcome
    if outcome is None:
        return None
    ends = {task.name: task for task in outcome.tasks}
    gates = {task.task: task.outcomes for task in desired.all_tasks}
    names = [task.task for task in desired.all_tasks if task.task is not None]
    others = [name for name in ends if name not in names]
    run = Run(
        pipeline=desired.pipeline,
        target=desired.target.name,
        state=outcome.state,
        run_id=outcome.run_id,
        attempt=outcome.attempt,
        tasks=tuple(_task(name, ends.get(name), gates.get(name)) for name in (*names, *others)),
        started_at=time_of(outcome.started_at),
        completed_at=time_of(outcome.completed_at),
        attempts=(Attempt(outcome.attempt, "EXECUTE TASK", outcome.state),),
    )
    return as_part(replace(run, reason=_reason(outcome)), part)


def _task(name: str, end: PartTaskEnd | None, outcomes: Mapping[str, str] | None) -> TaskRun:
    if end is None:
        return TaskRun(name, None)
    started, completed = time_of(end.started_at), time_of(end.completed_at)
    took = round((completed - started).total_seconds() * 1000) if started and completed else None
    row = TaskRow(
        *(name, end.state, end.query_id, started, started, completed),
        *(end.value, None, end.error, "", 1),
    )
    return TaskRun(
        name,
        end.state,
        started,
        took,
        parsed_return_value(end.value, outcomes),
        end.error,
        row,
        arm=next((outcome for outcome, value in (outcomes or {}).items() if value == end.value), None),
    )


def _reason(outcome: PartOutcome) -> Reason | None:
    failed = next((task for task in outcome.tasks if task.state.startswith("FAILED")), None)
    match outcome.state:
        case "FAILED" if failed is not None:
            return TaskFailure(failed.name, failed.error or "", outcome.timed_out)
        case "FAILED":
            return GraphTimeout(0, ()) if outcome.timed_out else Unexplained()
        case "CANCELLED":
            return Cancellation(tuple(task.name for task in outcome.tasks if task.state == "CANCELLED"))
        case "SUCCEEDED" if not outcome.tasks:
            return NothingRan(())
        case _:
            return None


def as_part(run: Run, part: PartRecord) -> Run:
    """The run of a part with what it is a part of, and which results were reused; other tasks are not in it."""

    def told(task: TaskRun) -> TaskRun:
        reused = part.reused.get(task.name)
        if reused is not None:
            # The task that sets the value again is not the task that made it: its times say nothing.
            return replace(
                task,
                state="SUCCEEDED",
                started_at=None,
                duration_ms=None,
                row=None,
                reused_from=reused.run_id,
            )
        if task.state is None and task.name not in part.running:
            return replace(task, because=NOT_IN_PART)
        return task

    return replace(run, tasks=tuple(map(told, run.tasks)), part=part)


def whole_run(desired: DesiredGraph, run: Run) -> Run:
    """A run with all tasks of the spec in its order; those that are not in it have no state."""
    known = {task.name: task for task in run.tasks}
    names = [task.task for task in desired.all_tasks if task.task is not None]
    others = [name for name in known if name not in names]
    return replace(run, tasks=tuple(known.get(name) or TaskRun(name, None) for name in (*names, *others)))


def newest_first(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The runs, the one that began last first."""
    return tuple(
        sorted(runs, key=lambda run: run.started_at.timestamp() if run.started_at else 0.0, reverse=True)
    )


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
