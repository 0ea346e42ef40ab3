"""SHOW PARAMETERS IN DATABASE, SCHEMA, TABLE, VIEW, FUNCTION, PROCEDURE and WAREHOUSE.

https://docs.snowflake.com/en/sql-reference/parameters#object-parameters
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfml_local.core import places
from sfml_local.core.errors import does_not_exist, no_current_database, no_current_schema
from sfml_local.core.likeness import like
from sfml_local.core.names import ObjectName, resolve, resolve_schema
from sfml_local.grammar.routines import KINDS
from sfml_local.grammar.session import ShowParameters
from sfml_local.grammar.tokens import Name
from sfml_local.services.compute import store as compute
from sfml_local.services.databases import store as databases
from sfml_local.services.objects.account_parameters import OF_ACCOUNTS, OF_USERS
from sfml_local.services.routines import sql as routines

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


OF_FUNCTIONS: Mapping[str, Default] = {
    key: OF_SCHEMAS[key]
    for key in ("ENABLE_CONSOLE_OUTPUT", "LOG_EVENT_LEVEL", "LOG_LEVEL", "METRIC_LEVEL", "TRACE_LEVEL")
}
OF_PROCEDURES: Mapping[str, Default] = {**OF_FUNCTIONS, "AUTO_EVENT_LOGGING": ("OFF", "STRING")}
BESIDE_SESSIONS: Mapping[str, Mapping[str, Default]] = {
    "ACCOUNT": {**OF_WAREHOUSES, **OF_SCHEMAS, **OF_ACCOUNTS},
    "USER": OF_USERS,
}
"""What accounts and users have beside the parameters of sessions, by scope."""

Level = tuple[str, Mapping[str, Any]]
"""The name of a level, and what is set there."""


def rows(account: Account, session: Session, statement: ShowParameters) -> list[tuple[str, ...]]:
    """The rows of SHOW PARAMETERS IN an existing object: what is set on it, or on the nearest place around it."""
    defaults, levels = _known(account, session, statement)
    return [
        (key, *_value(key, default, levels), "", kind)
        for key, (default, kind) in sorted(defaults.items())
        if like(statement.like, key)
    ]


def _value(key: str, default: str, levels: Sequence[Level]) -> tuple[str, str, str]:
    for level, own in levels:
        if (value := own.get(key)) is not None:
            return (str(value).lower() if isinstance(value, bool) else str(value)), default, level
    return default, default, ""


def around(account: Account, database: str, schema: str = "") -> tuple[Level, ...]:
    """What is set on a schema, if one is given, and on its database."""
    of_database = ("DATABASE", databases.properties(account, database))
    return (
        (("SCHEMA", databases.properties(account, database, schema)), of_database)
        if schema
        else (of_database,)
    )


def _known(
    account: Account, session: Session, statement: ShowParameters
) -> tuple[Mapping[str, Default], Sequence[Level]]:
    scope, name = statement.scope, statement.name
    match scope:
        case "WAREHOUSE":
            warehouse = name.last if name else session.warehouse or ""
            return OF_WAREHOUSES, ((scope, compute.get(account, "WAREHOUSE", warehouse).settings),)
        case "DATABASE":
            database = name.last if name else session.database
            if database is None:
                raise no_current_database("SHOW PARAMETERS")
            places.demand_scope(account, session, scope, Name((database,)))
            return OF_SCHEMAS, around(account, database)
        case "SCHEMA":
            if name is None and session.schema is None:
                raise no_current_schema("SHOW PARAMETERS")
            places.demand_scope(account, session, scope, name)
            return OF_SCHEMAS, around(account, *resolve_schema(name, session))
    assert name is not None
    full = resolve(name, session)
    if scope in KINDS:
        routines.demand(account, session, scope, full, statement.types)
        defaults = OF_FUNCTIONS if scope == "FUNCTION" else OF_PROCEDURES
        return defaults, around(account, full.database, full.schema)
    return OF_TABLES, _of_table(account, session, scope, full)


def _of_table(account: Account, session: Session, scope: str, full: ObjectName) -> Sequence[Level]:
    from sfml_local.services.objects import store as records

    if not account.engine.columns(session, full):
        raise does_not_exist(scope.capitalize(), full.fqn())
    record = records.find(account, full)
    own: Level = (scope, record.details if record else {})
    return own, *around(account, full.database, full.schema)
