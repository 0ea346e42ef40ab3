"""Deployed tasks in comparable form, from responses of REST or SHOW TASKS."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.plan import renderings
from sfml.plan.model import Comparable, ObservedTask
from sfml.plan.settings import split_comment, with_defaults


def observed_task(values: Mapping[str, object]) -> ObservedTask:
    """The task in a REST response: https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/task.

    The values may also be those of SHOW TASKS: texts for `schedule`, `target_completion_interval` and `config`, and a
    JSON array for `predecessors`. The body is kept as it is.
    """
    finalize = values.get("finalize")
    return ObservedTask(
        name=renderings.last_name(str(values["name"])),
        id=str(values.get("id") or ""),
        started=str(values.get("state")).lower() == "started",
        definition=str(values["definition"]),
        settings=with_defaults(
            {
                "after": renderings.names(values.get("predecessors")),
                "finalize": renderings.last_name(str(finalize)) if renderings.text(finalize) else None,
                "when": renderings.text(values.get("condition")),
                "warehouse": renderings.optional_name(values.get("warehouse")),
                "schedule": renderings.schedule(values.get("schedule")),
                "config": renderings.config(values.get("config")),
                "overlap": renderings.overlap(
                    values.get("overlap_policy"), values.get("allow_overlapping_execution")
                ),
                "retries": renderings.number(values.get("task_auto_retry_attempts")),
                "suspend_after_failures": renderings.number(values.get("suspend_task_after_num_failures")),
                "timeout_ms": renderings.number(values.get("user_task_timeout_ms")),
                "on_error": renderings.optional_name(values.get("error_integration")),
                "on_success": renderings.optional_name(values.get("success_integration")),
                "session_parameters": renderings.session_parameters(values.get("session_parameters")),
                "serverless.initial": renderings.size(values.get("user_task_managed_initial_warehouse_size")),
                "serverless.min": renderings.size(values.get("serverless_task_min_statement_size")),
                "serverless.max": renderings.size(values.get("serverless_task_max_statement_size")),
                "serverless.target_completion": renderings.seconds(values.get("target_completion_interval")),
                "execute_as_user": renderings.optional_name(values.get("execute_as_user")),
                "comment": renderings.text(split_comment(_comment(values))[0]),
            }
        ),
        owner=None if values.get("owner") is None else str(values["owner"]),
        values=values,
    )


def record_of(values: Mapping[str, object]) -> Mapping[str, Comparable] | None:
    """The record in a root's comment; None for a task without one, which sfml did not make."""
    return split_comment(_comment(values))[1]


def _comment(values: Mapping[str, object]) -> str | None:
    comment = values.get("comment")
    return None if comment is None else str(comment)
