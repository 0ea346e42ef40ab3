"""Converts the REST API's answers about tasks into the values that plans compare and kept deployments hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sfml.base.errors import AccountError

_TEXTS = (
    *("name", "id", "state", "definition", "owner", "comment", "finalize", "condition", "warehouse"),
    *("error_integration", "success_integration", "execute_as_user"),
    "user_task_managed_initial_warehouse_size",
    *("serverless_task_min_statement_size", "serverless_task_max_statement_size"),
)
_NUMBERS = ("task_auto_retry_attempts", "suspend_task_after_num_failures", "user_task_timeout_ms")
_MAPPINGS = ("config", "session_parameters")

_OVERLAP = {None: None, True: "ALLOW_CHILD_OVERLAP", False: "NO_OVERLAP"}
"""`allow_overlapping_execution` → overlap policy, for answers without `overlap_policy`."""


def task_values(answer: Any) -> Mapping[str, object]:
    """The settings of one task; raises `AccountError` for an answer that does not fit the API's specification.

    https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/task
    """
    if not isinstance(answer, dict):
        raise _misread("a task", answer)
    values: dict[str, object] = {name: _of_kind(answer, name, _is_text) for name in _TEXTS}
    for name in ("name", "definition"):
        if values[name] is None:
            raise _misread(name, None)
    policy = _of_kind(answer, "overlap_policy", _is_text)
    allowed = _of_kind(answer, "allow_overlapping_execution", _is_truth)
    return {
        **values,
        **{name: _of_kind(answer, name, _is_number) for name in _NUMBERS},
        **{name: _of_kind(answer, name, _is_mapping) for name in _MAPPINGS},
        "predecessors": _of_kind(answer, "predecessors", _are_texts),
        "overlap_policy": policy if policy is not None else _OVERLAP[allowed],
        "schedule": _schedule(_of_kind(answer, "schedule", _is_mapping)),
        "target_completion_interval": _interval(_of_kind(answer, "target_completion_interval", _is_mapping)),
    }


def _schedule(schedule: Mapping[str, Any] | None) -> Mapping[str, object] | None:
    """`{cron_expr, timezone}`, or `{seconds}` between two runs; None without a schedule."""
    match schedule and schedule.get("schedule_type"):
        case None if schedule is None:
            return None
        case "CRON_TYPE":
            fields = {name: _of_kind(schedule or {}, name, _is_text) for name in ("cron_expr", "timezone")}
            if None in fields.values():
                raise _misread("schedule", schedule)
            return fields
        case "MINUTES_TYPE":
            return {"seconds": _interval(schedule)}
        case _:
            raise _misread("schedule", schedule)


def _interval(interval: Mapping[str, Any] | None) -> int | None:
    """An interval in seconds; the API returns minutes and remaining seconds."""
    if interval is None:
        return None
    minutes = _of_kind(interval, "minutes", _is_number)
    if minutes is None:
        raise _misread("an interval", interval)
    return int(minutes) * 60 + int(_of_kind(interval, "seconds", _is_number) or 0)


def _of_kind(answer: Mapping[str, Any], name: str, is_of_kind: Callable[[Any], bool]) -> Any:
    value = answer.get(name)
    if value is not None and not is_of_kind(value):
        raise _misread(name, value)
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _misread(what: str, value: Any) -> AccountError:
    return AccountError(
        f"Snowflake's answer is not what its API describes: {what} is {value!r:.80}",
        help="look at the task with SHOW TASKS; a newer version of sfml may support it",
    )
