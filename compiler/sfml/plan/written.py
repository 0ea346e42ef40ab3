"""A deployed task as one that can be written again: how an apply is undone, and how a graph of others is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.beyond import CONTACTS, INTERVAL, LOG_LEVEL, TAGS
from sfml.lower.desired import DesiredTask, SqlDefinition
from sfml.plan import renderings
from sfml.plan.model import ObservedTask
from sfml.semantics.conditions import reads_streams


def written_task(observed: ObservedTask, root: str) -> DesiredTask:
    """The task as it would have to be written to be what it is; `root` is the name of its graph's root.

    Texts are kept as they were answered. What a child shows of its root's settings is left out: Snowflake takes
    it on the root only.
    """
    values = observed.values
    is_root = observed.name == root
    condition = _text(values.get("condition"))
    warehouse = renderings.optional_name(values.get("warehouse"))
    sized = values if warehouse is None else {}
    given: Mapping[str, Any] = observed.settings
    return DesiredTask(
        name=observed.name,
        task=None if is_root else spec_name(observed.name, root),
        definition=SqlDefinition(observed.definition),
        kind="root" if is_root else "sql",
        warehouse=warehouse,
        predecessors=renderings.names(values.get("predecessors")),
        finalize=given["finalize"],
        condition=condition,
        schedule=_schedule(values.get("schedule"), condition) if is_root else None,
        config=(renderings.config(values.get("config")) or None) if is_root else None,  # type: ignore[arg-type]
        overlap_policy=_on(is_root, values.get("overlap_policy")),
        task_auto_retry_attempts=_on(is_root, renderings.number(values.get("task_auto_retry_attempts"))),
        suspend_task_after_num_failures=_on(
            is_root, renderings.number(values.get("suspend_task_after_num_failures"))
        ),
        user_task_timeout_ms=renderings.number(values.get("user_task_timeout_ms")),
        error_integration=_on(is_root, renderings.optional_name(values.get("error_integration"))),
        success_integration=_on(is_root, renderings.optional_name(values.get("success_integration"))),
        session_parameters=dict(values.get("session_parameters") or {}),  # type: ignore[call-overload]
        user_task_managed_initial_warehouse_size=_text(sized.get("user_task_managed_initial_warehouse_size")),
        serverless_task_min_statement_size=_text(sized.get("serverless_task_min_statement_size")),
        serverless_task_max_statement_size=_text(sized.get("serverless_task_max_statement_size")),
        target_completion_seconds=renderings.seconds(sized.get("target_completion_interval")),
        minimum_trigger_interval_seconds=given.get(INTERVAL) if INTERVAL in _set(given) else None,
        execute_as_user=renderings.optional_name(values.get("execute_as_user")),
        log_level=given.get(LOG_LEVEL),
        tags=given.get(TAGS) or {},
        contacts=given.get(CONTACTS) or {},
        comment=_text(values.get("comment")),
    )


def spec_name(name: str, root: str) -> str:
    """What a task is called in messages when only its deployed name is known: `CLV$TRAIN_MODEL` → `train_model`."""
    return name.removeprefix(f"{root}$").lower()


def _set(given: Mapping[str, Any]) -> frozenset[str]:
    """Which settings beyond the API differ from what Snowflake does by itself."""
    return frozenset({INTERVAL} if given.get(INTERVAL) not in (None, 30) else ())


def _on(is_root: bool, value: Any) -> Any:
    return value if is_root else None


def _text(value: object) -> str | None:
    text = "" if value is None else str(value)
    return text if text.strip().lower() not in ("", "null") else None


def _schedule(value: object, condition: str | None) -> Schedule:
    """The schedule with its own spelling: folding a cron expression or a zone would change what the user wrote."""
    if isinstance(value, Mapping) and value.get("cron_expr"):
        return CronSchedule(str(value["cron_expr"]), str(value.get("timezone") or "UTC"))
    if isinstance(value, Mapping):
        return IntervalSchedule(int(value.get("minutes") or 0) * 60 + int(value.get("seconds") or 0))
    return StreamSchedule(()) if reads_streams(condition) else Manual()
