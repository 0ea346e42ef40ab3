"""What ran: rows of Snowflake's history, and the run of a pipeline that they add up to; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sfml.lower.desired import DesiredGraph
from sfml.plan.situation import Situation
from sfml.quoting import raw

ENDED = frozenset({"SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"})


@dataclass(frozen=True, slots=True)
class DeployedRoot:
    """A root task as SHOW TASKS answers it; `schedule` is the text as it was written."""

    name: str
    id: str
    started: bool
    schedule: str | None
    comment: str | None
    suspended_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One row of TASK_HISTORY (https://docs.snowflake.com/en/sql-reference/functions/task_history)."""

    name: str
    state: str
    query_id: str | None
    scheduled_time: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    return_value: str | None
    error_code: str | None
    error_message: str | None
    run_group: str
    attempt: int
    config: str | None = None


@dataclass(frozen=True, slots=True)
class GraphRow:
    """One row of CURRENT_TASK_GRAPHS or COMPLETE_TASK_GRAPHS."""

    run_group: str
    attempt: int
    state: str


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One task in a run. `state` is None for a task that never ran; durations are in milliseconds."""

    name: str
    state: str | None
    started_at: datetime | None = None
    duration_ms: int | None = None
    return_value: Any = None
    error: str | None = None
    row: TaskRow | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a pipeline, over all its attempts so far; tasks in the order of the spec."""

    pipeline: str
    target: str
    state: str
    run_id: str
    attempt: int
    tasks: tuple[TaskRun, ...]
    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.state in ENDED

    @property
    def first_error(self) -> TaskRun | None:
        """The failed task that ended first: the others may have failed for it."""
        ended = [
            (task.row.completed_at, task)
            for task in self.tasks
            if task.error and task.row and task.row.completed_at
        ]
        return min(ended, key=lambda pair: pair[0])[1] if ended else None


def run_of(
    desired: DesiredGraph, rows: Iterable[TaskRow], run_group: str, *, state: str | None = None
) -> Run | None:
    """The run that these rows of one graph add up to, or None when no row is of that group.

    A retry runs failed tasks again and leaves the others: a task's latest row counts.
    """
    own = sorted((row for row in rows if row.run_group == run_group), key=lambda row: row.attempt)
    if not own:
        return None
    latest = {row.name: row for row in own}
    attempt = own[-1].attempt
    tasks = tuple(
        task_run(task.task, latest.get(raw(task.name)), task.outcomes)
        for task in desired.all_tasks
        if task.task is not None
    )
    starts = [at for row in own if (at := row.started_at or row.scheduled_time)]
    ends = [row.completed_at for row in latest.values() if row.completed_at]
    return Run(
        pipeline=desired.pipeline,
        target=desired.target.name,
        state=state or state_of(latest.values()),
        run_id=run_group,
        attempt=attempt,
        tasks=tasks,
        started_at=min(starts, default=None),
        completed_at=max(ends, default=None),
    )


def task_run(name: str, row: TaskRow | None, outcomes: Mapping[str, str] | None) -> TaskRun:
    """One task's part of a run; a branch's return value is given as its outcome."""
    if row is None:
        return TaskRun(name, None)
    duration = None
    if row.started_at and row.completed_at:
        duration = round((row.completed_at - row.started_at).total_seconds() * 1000)
    return TaskRun(
        name=name,
        state=row.state,
        started_at=row.started_at,
        duration_ms=duration,
        return_value=parsed_return_value(row.return_value, outcomes),
        error=row.error_message if row.state.startswith("FAILED") else None,
        row=row,
    )


def parsed_return_value(text: str | None, outcomes: Mapping[str, str] | None = None) -> Any:
    """A return value as JSON; a branch's raw value as the outcome's name; other text as it is."""
    if text is None:
        return None
    for outcome, value in (outcomes or {}).items():
        if value == text:
            return outcome
    try:
        return json.loads(text)
    except ValueError:
        return text


def state_of(rows: Iterable[TaskRow]) -> str:
    """The state of a graph run by its tasks' latest rows."""
    states = {row.state for row in rows}
    if states & {"EXECUTING", "SCHEDULED"}:
        return "EXECUTING"
    for worst in ("FAILED_AND_AUTO_SUSPENDED", "FAILED", "CANCELLED"):
        if worst in states:
            return "FAILED" if worst.startswith("FAILED") else worst
    return "SUCCEEDED"


def situation_of(rows: Iterable[TaskRow], now: datetime) -> Situation:
    """What the newest run of a graph means for changing it: it executes, or failed and could be retried."""
    groups: dict[str, list[TaskRow]] = {}
    for row in rows:
        if row.run_group and (row.state != "SCHEDULED" or (row.scheduled_time or now) < now):
            groups.setdefault(row.run_group, []).append(row)
    if not groups:
        return Situation()

    def began(group: list[TaskRow]) -> datetime:
        return min((at for row in group if (at := row.scheduled_time or row.started_at)), default=now)

    newest = max(groups.values(), key=began)
    latest = {row.name: row for row in sorted(newest, key=lambda row: row.attempt)}
    state = state_of(latest.values())
    if state == "EXECUTING":
        return Situation(running_since=began(newest))
    # A first attempt can be retried for 14 days: https://docs.snowflake.com/en/sql-reference/sql/execute-task
    is_retryable = state in ("FAILED", "CANCELLED") and now - began(newest) < timedelta(days=14)
    return Situation(retryable=began(newest) if is_retryable else None)


def reason(error: str | None) -> str | None:
    """The part of an error that tells most, on one line: of a Python traceback the exception, else its start."""
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    if not lines:
        return None
    start = 0
    for at, line in enumerate(lines):
        if _EXCEPTION.match(line):
            start = at
    has_traceback = any(line.startswith("Traceback ") for line in lines)
    text = " ".join(lines[start:] if has_traceback else lines)
    # A class of some module says no more with the module, nor does a query's id.
    text = _QUERY_ID.sub("", _MODULE.sub("", text)).removesuffix(_HANDLER)
    return text if len(text) <= 160 else text[:159] + "…"


_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|Warning|Failed|Failure)?: ")
_HANDLER = " in function SFML_STEP with handler main"
_MODULE = re.compile(r"^(?:[a-z_][\w]*\.)+(?=[A-Z])")
_QUERY_ID = re.compile(r"(?:\(\d+\): )?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}: ")
