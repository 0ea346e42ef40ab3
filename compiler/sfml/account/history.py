"""Rows of Snowflake's task history, and the run of a pipeline that they describe; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from sfml.account.run_reason import EverySkipped, GraphTimeout, NothingRan, Reason, RootSkipped, TaskFailure
from sfml.base.record import record
from sfml.plan.backfill_state import FilledValue
from sfml.plan.part_record import PartRecord
from sfml.plan.run_activity import RunActivity

MOST_ROWS = 10_000
"""The most rows that TASK_HISTORY returns, the newest first.

https://docs.snowflake.com/en/sql-reference/functions/task_history
"""

ENDED = frozenset({"SUCCEEDED", "FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"})


@record
class DeployedRoot:
    """A root task from a row of SHOW TASKS; `schedule` is the text of the task's definition."""

    name: str
    id: str
    started: bool
    schedule: str | None
    comment: str | None
    suspended_reason: str | None = None
    suspended_on: datetime | None = None
    committed_on: datetime | None = None
    """When the current version of the graph was set: on the last resume or EXECUTE TASK."""
    created_on: datetime | None = None
    condition: str | None = None
    body: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """The columns of SHOW TASKS that hold settings which are compared with the spec."""


@record
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
    scheduled_from: str = ""
    """What started it: `SCHEDULE`, `EXECUTE TASK`, `TRIGGER`, `MANUAL RETRY`, `AUTOMATIC RETRY`."""


@record
class GraphRow:
    """One row of CURRENT_TASK_GRAPHS or COMPLETE_TASK_GRAPHS: Snowflake's record of one attempt of a graph run.

    https://docs.snowflake.com/en/sql-reference/functions/complete_task_graphs
    """

    run_group: str
    attempt: int
    state: str
    scheduled_from: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error_task: str | None = None
    error_code: str | None = None
    error_message: str | None = None


@record
class TaskRun:
    """One task in a run. `state` is None for a task that never ran."""

    name: str
    state: str | None
    started_at: datetime | None = None
    duration_ms: int | None = None
    return_value: Any = None
    error: str | None = None
    row: TaskRow | None = None
    arm: str | None = None
    """The outcome that a gate chose; None for other tasks, and until it has ended."""
    because: str | None = None
    """Why the task was skipped or never ran; set once the run has ended."""
    reused_from: str | None = None
    """The run whose result of this task a part of a run reused instead of running it."""


@record
class Attempt:
    """One attempt of a run, counted from 1; `scheduled_from` is Snowflake's word for what started it."""

    number: int
    scheduled_from: str
    state: str

    @property
    def is_automatic(self) -> bool:
        return self.scheduled_from == "AUTOMATIC RETRY"


@record
class Run:
    """One run of a pipeline with all its attempts; its tasks are in the order of the spec.

    `state` is Snowflake's word for the graph run; `outcome` distinguishes more cases, such as `timed_out`.
    """

    pipeline: str
    target: str
    state: str
    run_id: str
    attempt: int
    tasks: tuple[TaskRun, ...]
    started_at: datetime | None = None
    completed_at: datetime | None = None
    reason: Reason | None = None
    attempts: tuple[Attempt, ...] = ()
    part: PartRecord | None = None
    """The record of the part, for a run that is a part of one."""
    backfill: FilledValue | None = None
    """The value that a backfill ran, for a run in one of its lanes."""

    @property
    def is_over(self) -> bool:
        return self.state in ENDED

    @property
    def config(self) -> Mapping[str, Any] | None:
        """The config that the tasks had, without the keys of sfml itself; None where the history does not tell it."""
        texts = (task.row.config for task in self.tasks if task.row is not None and task.row.config)
        return config_in(next(texts, None))

    @property
    def outcome(self) -> str:
        """`running`, `succeeded`, `failed`, `timed_out`, `cancelled`, `skipped` or `nothing_ran`."""
        if not self.is_over:
            return "running"
        match self.reason:
            case NothingRan():
                return "nothing_ran"
            case EverySkipped() | RootSkipped():
                return "skipped"
            case GraphTimeout() | TaskFailure(timed_out=True):
                return "timed_out"
            case _:
                return "failed" if self.state.startswith("FAILED") else self.state.lower()

    @property
    def arms(self) -> Mapping[str, str]:
        """The gates that have ended, each with the outcome that it chose."""
        return {task.name: task.arm for task in self.tasks if task.arm is not None}


def config_in(text: str | None) -> Mapping[str, Any] | None:
    """The config in a row of the history, without the keys of sfml itself; None where it tells none.

    >>> config_in('{"region": "eu", "_sfml_run": "4f"}'), config_in("[]"), config_in("{"), config_in(None)
    ({'region': 'eu'}, None, None, None)
    """
    try:
        value = json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return {key: item for key, item in value.items() if not key.startswith("_sfml")}


def task_run(name: str, row: TaskRow | None, outcomes: Mapping[str, str] | None) -> TaskRun:
    """One task of a run. The return value of a gate becomes the name of its outcome."""
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
        arm=next((outcome for outcome, value in (outcomes or {}).items() if value == row.return_value), None),
    )


def parsed_return_value(text: str | None, outcomes: Mapping[str, str] | None = None) -> Any:
    """The name of the outcome that has this value; else the parsed JSON; else the text itself."""
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
    """The state of a graph run, from the latest row of each task."""
    states = {row.state for row in rows}
    if states & {"EXECUTING", "SCHEDULED"}:
        return "EXECUTING"
    for worst in ("FAILED_AND_AUTO_SUSPENDED", "FAILED", "CANCELLED"):
        if worst in states:
            return "FAILED" if worst.startswith("FAILED") else worst
    return "SUCCEEDED"


def run_activity_of(rows: Iterable[TaskRow], now: datetime) -> RunActivity:
    """The newest run as far as it matters to an apply: since when it executes, or whether it can still be retried."""
    groups: dict[str, list[TaskRow]] = {}
    for row in rows:
        if row.run_group and (row.state != "SCHEDULED" or (row.scheduled_time or now) < now):
            groups.setdefault(row.run_group, []).append(row)
    if not groups:
        return RunActivity()

    def began(group: list[TaskRow]) -> datetime:
        return min((at for row in group if (at := row.scheduled_time or row.started_at)), default=now)

    newest = max(groups.values(), key=began)
    latest = {row.name: row for row in sorted(newest, key=lambda row: row.attempt)}
    state = state_of(latest.values())
    if state == "EXECUTING":
        return RunActivity(running_since=began(newest))
    # A run can be retried for 14 days from its first attempt.
    # https://docs.snowflake.com/en/sql-reference/sql/execute-task
    is_retryable = state in ("FAILED", "CANCELLED") and now - began(newest) < timedelta(days=14)
    if not is_retryable:
        return RunActivity()
    return RunActivity(retryable=began(newest), retryable_run=newest[0].run_group)
