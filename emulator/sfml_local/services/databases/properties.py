"""Which properties databases and schemas may have: they are stored and shown, without an effect on this server.

https://docs.snowflake.com/en/sql-reference/sql/create-schema · /alter-schema · /alter-database
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml_local.core.errors import SqlError, invalid_value, not_emulated
from sfml_local.grammar.databases import Kind

_DAYS = frozenset({"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})
KEPT = _DAYS | {
    *("LOG_LEVEL", "LOG_EVENT_LEVEL", "METRIC_LEVEL", "TRACE_LEVEL", "ENABLE_CONSOLE_OUTPUT"),
    *("PIPE_EXECUTION_PAUSED", "STORAGE_SERIALIZATION_POLICY", "TRANSIENT", "MANAGED ACCESS"),
}
_ABSENT = frozenset(
    {
        *("CATALOG", "CATALOG_SYNC", "CLASSIFICATION_PROFILE", "DEFAULT_DDL_COLLATION"),
        *("DEFAULT_NOTEBOOK_COMPUTE_POOL_CPU", "DEFAULT_NOTEBOOK_COMPUTE_POOL_GPU", "EVENT_TABLE"),
        *("EXTERNAL_VOLUME", "OBJECT_VISIBILITY", "QUOTED_IDENTIFIERS_IGNORE_CASE"),
        *("REPLACE_INVALID_CHARACTERS", "SERVERLESS_TASK_MAX_STATEMENT_SIZE"),
        *("SERVERLESS_TASK_MIN_STATEMENT_SIZE", "SUSPEND_TASK_AFTER_NUM_FAILURES"),
        *("TASK_AUTO_RETRY_ATTEMPTS", "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE"),
        *("USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS", "USER_TASK_TIMEOUT_MS"),
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
        if key not in KEPT | _ABSENT:
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "42601")
        if key in _DAYS:
            check_days(key, value)
    return {key: value for key, value in given.items() if key in KEPT}


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
