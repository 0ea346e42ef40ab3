"""Converts desired tasks into `snowflake.core.task.Task`, for the REST API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.desired import DesiredTask

if TYPE_CHECKING:
    from snowflake.core.task import Cron, Task


def to_task(desired: DesiredTask, definition_sql: str, *, comment: str | None = None) -> Task:
    """The task for the REST API; its names are unqualified.

    `definition_sql` is the body, which is known for an ML Job only after its registration; `comment` replaces the
    desired one. The API cannot set log level, tags, contacts and minimum trigger interval; they need SQL.
    """
    from snowflake.core.task import OverlapPolicy, Task

    return Task(
        name=desired.name,
        definition=definition_sql,
        warehouse=desired.warehouse,
        user_task_managed_initial_warehouse_size=desired.user_task_managed_initial_warehouse_size,
        target_completion_interval=_seconds(desired.target_completion_seconds),
        serverless_task_min_statement_size=desired.serverless_task_min_statement_size,
        serverless_task_max_statement_size=desired.serverless_task_max_statement_size,
        suspend_task_after_num_failures=desired.suspend_task_after_num_failures,
        user_task_timeout_ms=desired.user_task_timeout_ms,
        schedule=to_schedule(desired.schedule),
        error_integration=desired.error_integration,
        success_integration=desired.success_integration,
        overlap_policy=None if desired.overlap_policy is None else OverlapPolicy(desired.overlap_policy),
        execute_as_user=desired.execute_as_user,
        comment=desired.comment if comment is None else comment,
        finalize=desired.finalize,
        task_auto_retry_attempts=desired.task_auto_retry_attempts,
        predecessors=list(desired.predecessors) or None,
        condition=desired.condition,
        config=None if desired.config is None else dict(desired.config),
        session_parameters=dict(desired.session_parameters) or None,
    )


def to_schedule(schedule: Schedule | None) -> Cron | timedelta | None:
    """The schedule in the client's types; None for a root that a stream or a user starts."""
    from snowflake.core.task import Cron

    match schedule:
        case CronSchedule(cron, timezone):
            return Cron(cron, timezone)
        case IntervalSchedule(seconds):
            return timedelta(seconds=seconds)
        case StreamSchedule() | Manual() | None:
            return None
        case _:
            assert_never(schedule)


def _seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
