"""Deployed tasks as desired tasks, so that they can be written again by a restore, and after an adoption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.beyond import CONTACTS, INTERVAL, LOG_LEVEL, TAGS, WATCH
from sfml.lower.desired import DesiredTask, SqlDefinition
from sfml.plan import renderings
from sfml.plan.model import ObservedTask
from sfml.semantics.conditions import reads_streams


def written_task(observed: ObservedTask, root: str) -> DesiredTask:
    """The desired task that gives the deployed task when it is written; `root` is the name of the graph's root.

    Texts are kept as Snowflake returned them. Settings of the root that Snowflake shows on child tasks are left out,
    because it accepts them on the root only.
    """
    values = observed.values
    is_root = observed.name == root
    condition = _text(values.get("condition"))
    warehouse = renderings.resolved_name(values.get("warehouse"))
    sized = values if warehouse is None else {}
    settings: Mapping[str, Any] = observed.settings
    return DesiredTask(
        name=observed.name,
        task=None if is_root else spec_name(observed.name, root),
        definition=SqlDefinition(observed.definition),
        kind="root" if is_root else "sql",
        warehouse=warehouse,
        predecessors=renderings.names(values.get("predecessors")),
        finalize=settings["finalize"],
        condition=condition,
        schedule=_schedule(values.get("schedule"), condition) if is_root else None,
        config=(renderings.config(values.get("config")) or None) if is_root else None,  # type: ignore[arg-type]
        overlap_policy=_on(is_root, values.get("overlap_policy")),
        task_auto_retry_attempts=_on(is_root, renderings.number(values.get("task_auto_retry_attempts"))),
        suspend_task_after_num_failures=_on(
            is_root, renderings.number(values.get("suspend_task_after_num_failures"))
        ),
        user_task_timeout_ms=renderings.number(values.get("user_task_timeout_ms")),
        error_integration=_on(is_root, renderings.resolved_name(values.get("error_integration"))),
        success_integration=_on(is_root, renderings.resolved_name(values.get("success_integration"))),
        session_parameters=dict(values.get("session_parameters") or {}),  # type: ignore[call-overload]
        user_task_managed_initial_warehouse_size=_text(sized.get("user_task_managed_initial_warehouse_size")),
        serverless_task_min_statement_size=_text(sized.get("serverless_task_min_statement_size")),
        serverless_task_max_statement_size=_text(sized.get("serverless_task_max_statement_size")),
        target_completion_seconds=renderings.seconds(sized.get("target_completion_interval")),
        minimum_trigger_interval_seconds=settings.get(INTERVAL) if _has_own_interval(settings) else None,
        execute_as_user=renderings.resolved_name(values.get("execute_as_user")),
        log_level=settings.get(LOG_LEVEL),
        tags=settings.get(TAGS) or {},
        contacts=settings.get(CONTACTS) or {},
        watch=(settings.get(WATCH) or {}) if is_root else {},
        comment=_text(values.get("comment")),
    )


def spec_name(name: str, root: str) -> str:
    """The name of a task in messages if only its name in Snowflake is known: `CLV$TRAIN_MODEL` → `train_model`."""
    return name.removeprefix(f"{root}$").lower()


def _has_own_interval(settings: Mapping[str, Any]) -> bool:
    """Whether the trigger interval differs from Snowflake's default of 30 seconds."""
    return settings.get(INTERVAL) not in (None, 30)


def _on(is_root: bool, value: Any) -> Any:
    return value if is_root else None


def _text(value: object) -> str | None:
    text = "" if value is None else str(value)
    return text if text.strip().lower() not in ("", "null") else None


def _schedule(value: object, condition: str | None) -> Schedule:
    """The schedule in the user's own spelling of cron expression and time zone."""
    if isinstance(value, Mapping) and value.get("cron_expr"):
        return CronSchedule(str(value["cron_expr"]), str(value.get("timezone") or "UTC"))
    if isinstance(value, Mapping):
        return IntervalSchedule(int(value.get("minutes") or 0) * 60 + int(value.get("seconds") or 0))
    return StreamSchedule(()) if reads_streams(condition) else Manual()
