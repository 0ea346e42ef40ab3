"""SHOW PARAMETERS IN DATABASE, SCHEMA, TABLE, VIEW and WAREHOUSE: defaults, and what was set on the object.

https://docs.snowflake.com/en/sql-reference/parameters#object-parameters
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core import places
from sfml_local.core.errors import does_not_exist, no_current_database, no_current_schema
from sfml_local.core.likeness import like
from sfml_local.core.names import resolve, resolve_schema
from sfml_local.grammar.session import ShowParameters
from sfml_local.grammar.tokens import Name
from sfml_local.services.compute import store as compute
from sfml_local.services.databases import store as databases

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

Default = tuple[str, str]
"""A default as shown, and its kind."""

OF_WAREHOUSES: Mapping[str, Default] = {
    "MAX_CONCURRENCY_LEVEL": ("8", "NUMBER"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": ("0", "NUMBER"),
    "STATEMENT_TIMEOUT_IN_SECONDS": ("172800", "NUMBER"),
}
OF_TABLES: Mapping[str, Default] = {
    "DATA_RETENTION_TIME_IN_DAYS": ("1", "NUMBER"),
    "DEFAULT_DDL_COLLATION": ("", "STRING"),
    "MAX_DATA_EXTENSION_TIME_IN_DAYS": ("14", "NUMBER"),
}
OF_SCHEMAS: Mapping[str, Default] = {
    **OF_TABLES,
    "CATALOG": ("", "STRING"),
    "DEFAULT_NOTEBOOK_COMPUTE_POOL_CPU": ("SYSTEM_COMPUTE_POOL_CPU", "STRING"),
    "DEFAULT_NOTEBOOK_COMPUTE_POOL_GPU": ("SYSTEM_COMPUTE_POOL_GPU", "STRING"),
    "ENABLE_CONSOLE_OUTPUT": ("false", "BOOLEAN"),
    "EXTERNAL_VOLUME": ("", "STRING"),
    "LOG_EVENT_LEVEL": ("OFF", "STRING"),
    "LOG_LEVEL": ("OFF", "STRING"),
    "METRIC_LEVEL": ("NONE", "STRING"),
    "PIPE_EXECUTION_PAUSED": ("false", "BOOLEAN"),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": ("false", "BOOLEAN"),
    "REPLACE_INVALID_CHARACTERS": ("false", "BOOLEAN"),
    "SERVERLESS_TASK_MAX_STATEMENT_SIZE": ("X2Large", "STRING"),
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE": ("XSMALL", "STRING"),
    "STORAGE_SERIALIZATION_POLICY": ("OPTIMIZED", "STRING"),
    "SUSPEND_TASK_AFTER_NUM_FAILURES": ("10", "NUMBER"),
    "TASK_AUTO_RETRY_ATTEMPTS": ("0", "NUMBER"),
    "TRACE_LEVEL": ("OFF", "STRING"),
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": ("Medium", "STRING"),
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": ("30", "NUMBER"),
    "USER_TASK_TIMEOUT_MS": ("3600000", "NUMBER"),
}


def rows(account: Account, session: Session, statement: ShowParameters) -> list[tuple[str, ...]]:
    """The rows of SHOW PARAMETERS IN an existing object."""
    defaults, own = _known(account, session, statement.scope, statement.name)
    return [
        (key, *_value(own.get(key), default, statement.scope), "", kind)
        for key, (default, kind) in sorted(defaults.items())
        if like(statement.like, key)
    ]


def _value(value: Any, default: str, scope: str) -> tuple[str, str, str]:
    if value is None:
        return default, default, ""
    return (str(value).lower() if isinstance(value, bool) else str(value)), default, scope


def _known(
    account: Account, session: Session, scope: str, name: Name | None
) -> tuple[Mapping[str, Default], Mapping[str, Any]]:
    from sfml_local.services.objects import store as records

    match scope:
        case "WAREHOUSE":
            warehouse = name.last if name else session.warehouse or ""
            return OF_WAREHOUSES, compute.get(account, "WAREHOUSE", warehouse).settings
        case "DATABASE":
            database = name.last if name else session.database
            if database is None:
                raise no_current_database("SHOW PARAMETERS")
            places.demand_scope(account, session, scope, Name((database,)))
            return OF_SCHEMAS, databases.properties(account, database)
        case "SCHEMA":
            if name is None and session.schema is None:
                raise no_current_schema("SHOW PARAMETERS")
            places.demand_scope(account, session, scope, name)
            return OF_SCHEMAS, databases.properties(account, *resolve_schema(name, session))
    assert name is not None
    full = resolve(name, session)
    if not account.engine.columns(session, full):
        raise does_not_exist(scope.capitalize(), full.fqn())
    record = records.find(account, full)
    return OF_TABLES, record.details if record else {}
