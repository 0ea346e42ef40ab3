"""Runs of the values of backfills, from the state of the backfills and the rows of their lanes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sfml.account.history import Attempt, Run, TaskRow, TaskRun
from sfml.account.run_reason import Reason, Recorded, TaskFailure, Unexplained
from sfml.account.run_record import run_of
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import default_name
from sfml.plan.backfill_state import FilledValue
from sfml.plan.part_record import time_of

_STATES: Mapping[str, str] = {
    "running": "EXECUTING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
_SLACK = timedelta(minutes=1)


@record
class Span:
    """The time in which values were run; `end` is None while one runs."""

    begin: datetime
    end: datetime | None


def begun(values: Iterable[FilledValue], since: datetime) -> tuple[FilledValue, ...]:
    """The values that have been begun since then."""
    return tuple(one for one in values if (at := time_of(one.started_at)) is not None and at >= since)


def span_of(values: Iterable[FilledValue]) -> Span | None:
    """The time in which these values ran, with a minute before and after it; None if there are none."""
    every = tuple(values)
    begins = [at for one in every if (at := time_of(one.started_at)) is not None]
    if not begins:
        return None
    ends = [time_of(one.completed_at) for one in every]
    known = [end for end in ends if end is not None]
    is_over = len(known) == len(ends) and all(one.state != "running" for one in every)
    return Span(min(begins) - _SLACK, max(known) + _SLACK if is_over else None)


def value_run(desired: DesiredGraph, value: FilledValue, rows: Iterable[TaskRow]) -> Run | None:
    """The run of a value as a run of the pipeline; without rows of it, what the state knows. None if it has no id."""
    own = [row for row in rows if _is_of(row, value)]
    run_id = value.run_id or next((row.run_group for row in own if row.run_group), None)
    if run_id is None or value.state not in _STATES:
        return None
    run = run_of(desired, _renamed(desired, value, own), run_id, state=_STATES[value.state])
    return replace(run, backfill=value) if run is not None else _known_run(desired, value, run_id)


def _is_of(row: TaskRow, value: FilledValue) -> bool:
    if value.run_id is not None:
        return row.run_group == value.run_id
    return value.nonce is not None and value.nonce in (row.config or "")


def _renamed(desired: DesiredGraph, value: FilledValue, rows: Iterable[TaskRow]) -> list[TaskRow]:
    """The rows with the names of the pipeline's tasks in place of those of the lane."""
    if value.lane is None:
        return []
    names = {
        raw(default_name(value.lane, task.task)): raw(task.name)
        for task in desired.all_tasks
        if task.task is not None
    }
    names[raw(value.lane)] = raw(desired.root.name)
    return [replace(row, name=names.get(row.name, row.name)) for row in rows]


def _known_run(desired: DesiredGraph, value: FilledValue, run_id: str) -> Run:
    state = _STATES[value.state]
    return Run(
        pipeline=desired.pipeline,
        target=desired.target.name,
        state=state,
        run_id=run_id,
        attempt=1,
        tasks=tuple(TaskRun(task.task, None) for task in desired.all_tasks if task.task is not None),
        started_at=time_of(value.started_at),
        completed_at=time_of(value.completed_at),
        reason=_reason(desired, value),
        attempts=(Attempt(1, "EXECUTE TASK", state),),
        backfill=value,
    )


def _reason(desired: DesiredGraph, value: FilledValue) -> Reason | None:
    if value.state not in ("failed", "cancelled"):
        return None
    task, _, error = (value.error or "").partition(": ")
    if error and any(task == one.task for one in desired.all_tasks):
        return TaskFailure(task, error)
    return Recorded(value.error) if value.error else Unexplained()
