"""Properties of databases and schemas besides the comment: stored and shown, without an effect on this server.

https://docs.snowflake.com/en/sql-reference/sql/create-schema · /alter-schema · /alter-database
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, does_not_exist, invalid_value, not_emulated
from sfml_local.core.names import resolve_schema
from sfml_local.core.result import Result, status
from sfml_local.grammar.databases import Alter, Kind

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS container_properties (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,  -- '' is the database itself
    properties TEXT NOT NULL,
    PRIMARY KEY (database, schema)
);
"""
_DAYS = frozenset({"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})
KEPT = _DAYS | {
    *("LOG_LEVEL", "LOG_EVENT_LEVEL", "METRIC_LEVEL", "TRACE_LEVEL", "ENABLE_CONSOLE_OUTPUT"),
    *("PIPE_EXECUTION_PAUSED", "STORAGE_SERIALIZATION_POLICY", "TRANSIENT", "MANAGED ACCESS"),
}
_ABSENT = frozenset(
    {
        *("CATALOG", "CATALOG_SYNC", "CLASSIFICATION_PROFILE", "CONTACT", "DEFAULT_DDL_COLLATION"),
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
        if key in _ABSENT and value != "":
            raise not_emulated(f"{kind} with {key}: set it on each object")
        if key not in KEPT | _ABSENT:
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "42601")
        if key in _DAYS:
            check_days(key, value)
    return {key: value for key, value in given.items() if key in KEPT}


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


def properties(account: Account, database: str, schema: str = "") -> dict[str, Any]:
    row = account.store.row(
        "SELECT properties FROM container_properties WHERE database = ? AND schema = ?", (database, schema)
    )
    return dict(json.loads(row["properties"])) if row else {}


def effective(account: Account, database: str, schema: str) -> dict[str, Any]:
    """The properties of a schema, with its database's for those that it lacks."""
    return {**properties(account, database), **properties(account, database, schema)}


def save(account: Account, database: str, schema: str, given: Mapping[str, Any]) -> None:
    """Replace its properties by these."""
    forget(account, database, schema)
    if given:
        account.store.execute(
            "INSERT INTO container_properties VALUES (?, ?, ?)", (database, schema, json.dumps(dict(given)))
        )


def forget(account: Account, database: str, schema: str) -> None:
    account.store.execute(
        "DELETE FROM container_properties WHERE database = ? AND schema = ?", (database, schema)
    )


def alter(account: Account, session: Session, statement: Alter) -> Result:
    """ALTER DATABASE and SCHEMA … SET and UNSET."""
    engine = account.engine
    if statement.kind == "DATABASE":
        database, schema = statement.name.last, ""
        exists = engine.has_database(database) and len(statement.name.parts) == 1
    else:
        database, schema = resolve_schema(statement.name, session)
        exists = engine.has_database(database) and schema in engine.schemas(database)
    if not exists:
        if statement.if_exists:
            return status()
        raise does_not_exist(statement.kind.capitalize(), ".".join(statement.name.parts))
    if statement.other in ("ENABLE MANAGED ACCESS", "DISABLE MANAGED ACCESS"):
        statement = Alter(
            statement.kind,
            statement.name,
            {"MANAGED ACCESS": True} if statement.other.startswith("ENABLE") else {},
            () if statement.other.startswith("ENABLE") else ("MANAGED ACCESS",),
        )
    elif statement.other:
        raise not_emulated(f"ALTER {statement.kind} … {statement.other}")
    given = dict(statement.set)
    comment = given.pop("COMMENT", None)
    if "COMMENT" in statement.unset:
        comment = ""
    checked(statement.kind, dict.fromkeys((key for key in statement.unset if key != "COMMENT"), 0))
    kept = {**properties(account, database, schema), **checked(statement.kind, given)}
    for key in statement.unset:
        kept.pop(key, None)
    with account.store.transaction():
        save(account, database, schema, kept)
        if comment is not None:
            account.store.execute(
                "UPDATE containers SET comment = ? WHERE database = ? AND schema = ?",
                (str(comment), database, schema),
            )
    return status()


HANDLERS: Handlers = {Alter: alter}


def schema_dropped(account: Account, database: str, schema: str) -> None:
    forget(account, database, schema)
