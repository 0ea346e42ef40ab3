"""A task's settings in one comparable form, whether they come from a spec or from Snowflake.

Snowflake fills in defaults and renders values its own way; a setting that is unset and one that was set to the
default are the same here, so that a plan never shows a change that is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.desired import DesiredTask
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
    "comment",
)
"""Every setting that is compared beside the body, in the order in which a plan shows them."""

RECORD_PREFIX = "sfml:"


def with_defaults(settings: Mapping[str, Comparable]) -> Mapping[str, Comparable]:
    """The settings with every key of `SETTINGS`, unset ones at Snowflake's default."""
    filled = {}
    for key in SETTINGS:
        value = settings.get(key)
        filled[key] = DEFAULTS.get(key) if value is None else value
    return MappingProxyType(filled)


def desired_settings(task: DesiredTask) -> Mapping[str, Comparable]:
    """What Snowflake should answer for this task."""
    return with_defaults(
        {
            "after": tuple(sorted(task.predecessors)),
            "finalize": task.finalize,
            "when": task.condition,
            "warehouse": task.warehouse,
            "schedule": schedule_text(task.schedule),
            "config": dict(task.config) if task.config else None,
            "overlap": task.overlap_policy,
            "retries": task.task_auto_retry_attempts,
            "suspend_after_failures": task.suspend_task_after_num_failures,
            "timeout_ms": task.user_task_timeout_ms,
            "on_error": task.error_integration,
            "on_success": task.success_integration,
            "session_parameters": dict(task.session_parameters) or None,
            "serverless.initial": task.user_task_managed_initial_warehouse_size,
            "serverless.min": task.serverless_task_min_statement_size,
            "serverless.max": task.serverless_task_max_statement_size,
            "serverless.target_completion": task.target_completion_seconds,
            "execute_as_user": task.execute_as_user,
            "comment": split_comment(task.comment)[0],
        }
    )


def schedule_text(schedule: Schedule | None) -> str | None:
    """A schedule as one comparable text; `10 MINUTE` and `10 MINUTES` are the same."""
    match schedule:
        case CronSchedule(cron, timezone):
            return f"cron {' '.join(cron.upper().split())} {timezone.upper()}"
        case IntervalSchedule(seconds):
            return f"every {seconds} s"
        case StreamSchedule() | Manual() | None:
            return None


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


def unqualified(name: str) -> str:
    """The last part of a qualified name, unquoted: `DB.S."a.b"` → `a.b`."""
    parts = split_name(name)
    return parts[-1] if parts else name


def split_name(name: str) -> Sequence[str]:
    """The parts of a dotted name; quotes are taken off, a doubled one stands for itself."""
    parts: list[str] = []
    current, quoted, at = "", False, 0
    while at < len(name):
        char = name[at]
        if char == '"' and quoted and name[at + 1 : at + 2] == '"':
            current, at = current + '"', at + 1
        elif char == '"':
            quoted = not quoted
        elif char == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += char
        at += 1
    return [*parts, current]
