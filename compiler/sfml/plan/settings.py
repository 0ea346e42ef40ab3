"""The settings of a task in comparable form, from a spec or from Snowflake.

Snowflake fills in defaults and writes values in its own way. Here an unset setting is equal to one with the default
value, so that a plan shows only real changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from sfml.base.quoting import folded
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.beyond import beyond
from sfml.lower.comments import RECORD_PREFIX
from sfml.lower.desired import DesiredTask
from sfml.plan import renderings
from sfml.plan.model import Comparable

DEFAULTS: Mapping[str, Comparable] = MappingProxyType(
    {
        "overlap": "NO_OVERLAP",
        "retries": 0,
        "suspend_after_failures": 10,
        "timeout_ms": 3_600_000,
        "config": MappingProxyType({}),
        "session_parameters": MappingProxyType({}),
        "after": (),
        "comment": "",
        "when": "",
        "minimum_trigger_interval": 30,
        "tags": MappingProxyType({}),
        "contacts": MappingProxyType({}),
        "watch": MappingProxyType({}),
    }
)
"""Snowflake's defaults for unset settings (https://docs.snowflake.com/en/sql-reference/sql/create-task)."""

SETTINGS = (
    "after",
    "finalize",
    "when",
    "warehouse",
    "schedule",
    "config",
    "overlap",
    "retries",
    "suspend_after_failures",
    "timeout_ms",
    "on_error",
    "on_success",
    "session_parameters",
    "serverless.initial",
    "serverless.min",
    "serverless.max",
    "serverless.target_completion",
    "execute_as_user",
    "minimum_trigger_interval",
    "log_level",
    "tags",
    "contacts",
    "watch",
    "comment",
)
"""Every setting that is compared, other than the body, in the order of plans."""

SERVERLESS_DEFAULTS: Mapping[str, Comparable] = MappingProxyType(
    {"serverless.initial": "MEDIUM", "serverless.min": "XSMALL", "serverless.max": "XXLARGE"}
)
"""The default sizes of serverless tasks; they are None for a task with a warehouse."""

ROOT_ONLY = (
    "config",
    "overlap",
    "retries",
    "suspend_after_failures",
    "on_error",
    "on_success",
    "schedule",
    "watch",
)
"""Settings that only the root has. Snowflake shows some of them on child tasks and finalizers too, with its values.

https://docs.snowflake.com/en/user-guide/tasks-errors-integrate: children inherit the error integration.
"""


OFF_SINCE = "off_since"
"""The key in a root's record for the time since which the schedule is off on purpose, as an ISO time in UTC.

An apply with `--no-resume` writes it, and turning the schedule on removes it; it is not compared.
"""


def with_defaults(settings: Mapping[str, Comparable]) -> Mapping[str, Comparable]:
    """The settings with every key of `SETTINGS`, and Snowflake's defaults for unset ones."""
    filled = {}
    is_child = bool(settings.get("after") or settings.get("finalize"))
    for key in SETTINGS:
        value = settings.get(key)
        if is_child and key in ROOT_ONLY:
            value = None
        filled[key] = DEFAULTS.get(key) if value is None else value
    for key, default in SERVERLESS_DEFAULTS.items():
        filled[key] = None if filled["warehouse"] is not None else filled[key] or default
    if filled["warehouse"] is not None:
        filled["serverless.target_completion"] = None
    return MappingProxyType(filled)


def desired_settings(task: DesiredTask) -> Mapping[str, Comparable]:
    """The settings that Snowflake returns for the task once it is applied."""
    return with_defaults(
        {
            "after": tuple(sorted(folded(name) for name in task.predecessors)),
            "finalize": task.finalize,
            "when": renderings.text(task.condition),
            "warehouse": task.warehouse,
            "schedule": schedule_text(task.schedule),
            "config": renderings.config(task.config),
            "overlap": task.overlap_policy,
            "retries": task.task_auto_retry_attempts,
            "suspend_after_failures": task.suspend_task_after_num_failures,
            "timeout_ms": task.user_task_timeout_ms,
            "on_error": task.error_integration,
            "on_success": task.success_integration,
            "session_parameters": renderings.session_parameters(task.session_parameters),
            "serverless.initial": task.user_task_managed_initial_warehouse_size,
            "serverless.min": task.serverless_task_min_statement_size,
            "serverless.max": task.serverless_task_max_statement_size,
            "serverless.target_completion": task.target_completion_seconds,
            "execute_as_user": task.execute_as_user,
            **beyond(task),
            "comment": renderings.text(split_comment(task.comment)[0]),
        }
    )


def schedule_text(schedule: Schedule | None) -> str | None:
    """A schedule as comparable text, such as `every 600 s`; None for a manual or triggered graph."""
    match schedule:
        case CronSchedule(cron, timezone):
            return renderings.schedule({"cron_expr": cron, "timezone": timezone})
        case IntervalSchedule(seconds):
            return f"every {seconds} s"
        case StreamSchedule() | Manual() | None:
            return None


def with_off_since(comment: str | None, since: str | None) -> str:
    """A root's comment with `OFF_SINCE` set in its record, or removed for None."""
    text, record = split_comment(comment)
    kept = {key: value for key, value in (record or {}).items() if key != OFF_SINCE}
    if since is not None:
        kept[OFF_SINCE] = since
    line = RECORD_PREFIX + json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return f"{text}\n{line}" if text else line


def split_comment(comment: str | None) -> tuple[str, Mapping[str, Comparable] | None]:
    """The user's text in a root's comment, and the record in its last line, which is None if it has none."""
    text = comment or ""
    head, _, last = text.rpartition("\n")
    if not last.startswith(RECORD_PREFIX):
        return text, None
    try:
        record = json.loads(last[len(RECORD_PREFIX) :])
    except ValueError:
        return text, None
    return (head, record) if isinstance(record, dict) else (text, None)
