"""Settings from CREATE TASK and ALTER TASK: names, ranges, spellings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sfml.grammar import Name
from sfml.grammar.task_settings import Clauses, Value
from sfml.local.errors import SqlError, invalid_value
from sfml.local.names import ObjectName
from sfml.local.tasks.model import Settings
from sfml.local.tasks.rules import check_exclusions, refused, sibling
from sfml.semantics.config import ConfigError, parse_config
from sfml.semantics.interval import ScheduleError, interval_seconds
from sfml.semantics.limits import INTEGER_RANGES, WAREHOUSE_SIZES, warehouse_size
from sfml.semantics.schedule import parse_schedule

OVERLAP_POLICIES = ("NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP")
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
_SIZES = (
    "user_task_managed_initial_warehouse_size",
    "serverless_task_min_statement_size",
    "serverless_task_max_statement_size",
)


def settings_from(name: ObjectName, clauses: Clauses, definition: str) -> Settings:
    """The settings a CREATE TASK asks for, checked but for what other tasks say."""
    values: dict[str, Any] = {"definition": definition, **values_from(name, clauses)}
    values["predecessors"] = predecessors_from(name, clauses.after or ())
    values["condition"] = clauses.when
    return checked(name, Settings(**values))


def predecessors_from(name: ObjectName, names: tuple[Name, ...]) -> tuple[str, ...]:
    """Unqualified names, each once, sorted: their order means nothing."""
    return tuple(sorted({sibling(predecessor, name) for predecessor in names}))


def values_from(name: ObjectName, clauses: Clauses) -> dict[str, Any]:
    """Field of `Settings` → value, for what the clauses set; session parameters under their own key."""
    values: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for key, value in clauses.settings:
        if key == "ALLOW_OVERLAPPING_EXECUTION":
            # FALSE is the default, which any task of a graph takes.
            values["overlap_policy"] = OVERLAP_POLICIES[1] if _boolean(key, value) else None
        elif key == "FINALIZE":
            assert isinstance(value, str | Name)
            values["finalize"] = sibling(value, name, "finalized root task")
        elif key in _PROPERTIES:
            values[key.lower()] = _PROPERTIES[key](key, value)
        else:
            parameters[key] = session_parameter(key, value)
    if parameters:
        values["session_parameters"] = parameters
    if clauses.execute_as is not None:
        values["execute_as_user"] = clauses.execute_as
    return values


def _boolean(key: str, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).upper() in ("TRUE", "FALSE"):
        return str(value).upper() == "TRUE"
    raise invalid_value(value, key)


def _text(key: str, value: Value) -> str:
    if not isinstance(value, str):
        raise invalid_value(value, key)
    return value


def _object(key: str, value: Value) -> str:
    if isinstance(value, Name):
        return ".".join(value.parts)
    return str(value).upper()


def _integer(key: str, value: Value) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_value(value, key)
    return in_range(key, value)


def in_range(key: str, value: int) -> int:
    """The value again; refuses one out of Snowflake's range, thousands grouped as it does."""
    low, high = INTEGER_RANGES[key]
    if value < low or (high is not None and value > high):
        raise invalid_value(f"{value:,}", key)
    return value


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, Value], str]:
    def read(key: str, value: Value) -> str:
        word = str(value).upper()
        if word not in allowed:
            raise invalid_value(value, key)
        return word

    return read


def _size(key: str, value: Value) -> str:
    size = warehouse_size(str(value))
    if size is None:
        raise invalid_value(value, key)
    return size


def _completion(key: str, value: Value) -> str:
    seconds = interval_seconds(str(value))
    if seconds is None or not 10 <= seconds <= 86_400:
        raise invalid_value(value, key)
    return str(value)


_PROPERTIES: Mapping[str, Callable[[str, Value], Any]] = {
    "WAREHOUSE": _object,
    "SCHEDULE": _text,
    "CONFIG": _text,
    "COMMENT": _text,
    "OVERLAP_POLICY": _one_of(OVERLAP_POLICIES),
    "LOG_LEVEL": _one_of(LOG_LEVELS),
    "ERROR_INTEGRATION": _object,
    "SUCCESS_INTEGRATION": _object,
    "EXECUTE_AS_USER": _object,
    "TARGET_COMPLETION_INTERVAL": _completion,
    **dict.fromkeys(INTEGER_RANGES, _integer),
    **dict.fromkeys((size.upper() for size in _SIZES), _size),
}


def session_parameter(key: str, value: Any) -> Any:
    """The value of a session parameter; two of them Snowflake does not take on tasks."""
    if key == "AUTOCOMMIT" and str(value).upper() == "FALSE":
        raise refused("The parameter AUTOCOMMIT = false is not supported with Tasks.")
    if key == "SEARCH_PATH":
        raise refused("The parameter SEARCH_PATH is not supported with Tasks.")
    return ".".join(value.parts) if isinstance(value, Name) else value


def field_named(key: str) -> str | None:
    """The field of `Settings` that ALTER TASK … UNSET resets, or None for a session parameter."""
    if key == "ALLOW_OVERLAPPING_EXECUTION":
        return "overlap_policy"
    if key in _PROPERTIES or key == "FINALIZE":
        return key.lower()
    return None


def checked(name: ObjectName, settings: Settings) -> Settings:
    """The settings again, when each of them and all together are what Snowflake takes."""
    if settings.schedule is not None:
        try:
            parse_schedule(settings.schedule)
        except ScheduleError as cause:
            raise refused(str(cause)) from cause
    if settings.config is not None:
        try:
            parse_config(settings.config)
        except ConfigError as cause:
            raise refused(str(cause)) from cause
    _check_sizes(settings)
    check_exclusions(name, settings)
    return settings


def demand_serverless(old: Settings, new: Settings) -> None:
    """091857: a task that is to complete in an interval cannot be given a warehouse."""
    is_moved = old.warehouse is None and new.warehouse is not None
    if is_moved and old.target_completion_interval and new.target_completion_interval:
        raise refused("TARGET_COMPLETION_INTERVAL is only allowed for serverless Tasks.", 91857, "42601")


def _check_sizes(settings: Settings) -> None:
    if settings.warehouse is not None:
        serverless = (*_SIZES, "target_completion_interval")
        for field in serverless:
            if getattr(settings, field) is not None:
                raise refused(f"Cannot set {field.upper()} on a non-serverless task.")
    low, high = settings.serverless_task_min_statement_size, settings.serverless_task_max_statement_size
    if low and high and WAREHOUSE_SIZES.index(low) > WAREHOUSE_SIZES.index(high):
        raise refused(
            f"SERVERLESS_TASK_MIN_STATEMENT_SIZE ({low}) cannot be greater than "
            f"SERVERLESS_TASK_MAX_STATEMENT_SIZE ({high})."
        )


def unsupported(key: str) -> SqlError:
    """An UNSET of something that is no property of a task."""
    return SqlError(f"SQL compilation error:\ninvalid property '{key}' for 'TASK'", 1420, "42601")
