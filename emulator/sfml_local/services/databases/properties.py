"""Which properties databases and schemas may have: they are stored and shown, without an effect on this server.

https://docs.snowflake.com/en/sql-reference/sql/create-schema · /alter-schema · /alter-database
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sfml.semantics.limits import INTEGER_RANGES, warehouse_size
from sfml_local.core.errors import SqlError, invalid_value, not_emulated
from sfml_local.grammar.databases import Kind

_DAYS = frozenset({"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})
_SIZES = frozenset(
    {
        *("SERVERLESS_TASK_MAX_STATEMENT_SIZE", "SERVERLESS_TASK_MIN_STATEMENT_SIZE"),
        "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
    }
)
KEPT = (
    _DAYS
    | _SIZES
    | INTEGER_RANGES.keys()
    | {
        *("LOG_LEVEL", "LOG_EVENT_LEVEL", "METRIC_LEVEL", "TRACE_LEVEL", "ENABLE_CONSOLE_OUTPUT"),
        *("PIPE_EXECUTION_PAUSED", "STORAGE_SERIALIZATION_POLICY", "TRANSIENT", "MANAGED ACCESS"),
        *("DEFAULT_NOTEBOOK_COMPUTE_POOL_CPU", "DEFAULT_NOTEBOOK_COMPUTE_POOL_GPU"),
        "REPLACE_INVALID_CHARACTERS",
    }
)
"""What is kept: parameters of tasks hold for tasks that set none; the others are of objects that are not emulated."""
_ABSENT = frozenset(
    {
        *("CATALOG", "CATALOG_SYNC", "CLASSIFICATION_PROFILE", "DEFAULT_DDL_COLLATION", "EVENT_TABLE"),
        *("EXTERNAL_VOLUME", "OBJECT_VISIBILITY", "QUOTED_IDENTIFIERS_IGNORE_CASE"),
    }
)
"""Properties that would change the behaviour of other objects."""


def checked(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The properties; refuses unknown ones, and those that would have an effect."""
    for key, value in given.items():
        if key in ("TAG", "CONTACT"):
            raise labels_not_emulated(kind, key)
        if key in _ABSENT and value != "":
            raise not_emulated(f"{kind} with {key}: set it on each object")
        demand_known(kind, (key,))
        if key in _DAYS:
            check_days(key, value)
        if key in INTEGER_RANGES:
            _check_range(key, value)
        if key in _SIZES and warehouse_size(str(value)) is None:
            raise invalid_value(value, key)
    return {key: value for key, value in given.items() if key in KEPT}


def demand_known(kind: Kind, names: Iterable[str]) -> None:
    """Refuse what is no property; UNSET takes those that cannot be set here, because none is set."""
    for key in names:
        if key not in KEPT | _ABSENT:
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "42601")


def _check_range(key: str, value: Any) -> None:
    """The range of a task's parameter, which accounts show with thousands grouped."""
    least, most = INTEGER_RANGES[key]
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_value(f"'{value}'" if isinstance(value, str) else value, key)
    if value < least or (most is not None and value > most):
        raise invalid_value(f"{value:,}", key)


def labels_not_emulated(kind: str, clause: str) -> SqlError:
    """The refusal of [WITH] TAG (…) and [WITH] CONTACT (…) in a CREATE that does not take them here."""
    how = "" if clause == "TAG" else "contacts are kept of tasks only"
    return not_emulated(f"CREATE {kind} … {clause}", how)


MOST_DAYS = 90


def check_days(key: str, value: Any) -> None:
    """https://docs.snowflake.com/en/sql-reference/parameters#data-retention-time-in-days; the code is assumed."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid_value(value, key)
    if value > MOST_DAYS:
        what = "retention" if key == "DATA_RETENTION_TIME_IN_DAYS" else "data extension"
        raise SqlError(
            f"SQL compilation error:\nExceeds maximum allowable {what} time ({MOST_DAYS} day(s)).",
            1008,
            "22023",
        )
