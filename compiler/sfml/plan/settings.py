"""A task's settings in one comparable form, whether they come from a spec or from Snowflake.

Snowflake fills in defaults and renders values its own way; a setting that is unset and one that was set to the
default are the same here, so that a plan never shows a change that is none.
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
    }
)
"""What Snowflake uses where nothing is set (https://docs.snowflake.com/en/sql-reference/sql/create-task)."""

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
    "comment",
)
"""Every setting that is compared beside the body, in the order in which a plan shows them."""

SERVERLESS_DEFAULTS: Mapping[str, Comparable] = MappingProxyType(
    {"serverless.initial": "MEDIUM", "serverless.min": "XSMALL", "serverless.max": "XXLARGE"}
)
"""What a task without a warehouse has where it says nothing; a task with one has none of it."""

ROOT_ONLY = ("config", "overlap", "retries", "suspend_after_failures", "on_error", "on_success", "schedule")
"""What a child or finalizer cannot have of its own; some are shown on it nevertheless, as the root's.

https://docs.snowflake.com/en/user-guide/tasks-errors-integrate: children inherit the error integration.
"""


OFF_SINCE = "off_since"
"""The key of a root's record that says since when the schedule is off on purpose, as an ISO time in UTC.

An apply with `--no-resume` writes it, whatever turns the schedule on takes it away; it is never compared.
"""


def with_defaults(settings: Mapping[str, Comparable]) -> Mapping[str, Comparable]:
    """The settings with every key of `SETTINGS`, unset ones at Snowflake's default."""
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
    """What Snowflake should answer for this task."""
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
    """A schedule as one comparable text; `10 MINUTE` and `10 MINUTES` are the same."""
    match schedule:
        case CronSchedule(cron, timezone):
            return renderings.schedule({"cron_expr": cron, "timezone": timezone})
        case IntervalSchedule(seconds):
            return f"every {seconds} s"
        case StreamSchedule() | Manual() | None:
            return None


def with_off_since(comment: str | None, since: str | None) -> str:
    """A root's comment whose record says since when the schedule is off on purpose, or says nothing of it."""
    text, record = split_comment(comment)
    kept = {key: value for key, value in (record or {}).items() if key != OFF_SINCE}
    if since is not None:
        kept[OFF_SINCE] = since
    line = RECORD_PREFIX + json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return f"{text}\n{line}" if text else line


def split_comment(comment: str | None) -> tuple[str, Mapping[str, Comparable] | None]:
    """A root's comment as the user's text and the record that its last line holds, None if it has none."""
    text = comment or ""
    head, _, last = text.rpartition("\n")
    if not last.startswith(RECORD_PREFIX):
        return text, None
    try:
        record = json.loads(last[len(RECORD_PREFIX) :])
    except ValueError:
        return text, None
    return (head, record) if isinstance(record, dict) else (text, None)
