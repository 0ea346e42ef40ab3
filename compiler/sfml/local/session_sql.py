"""USE, ALTER SESSION, SET, SHOW PARAMETERS, and the functions that every client asks when it connects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sfml.grammar.session import AlterSession, SetVariables, ShowParameters, UnsetVariables, Use
from sfml.local import compute
from sfml.local.errors import SqlError, does_not_exist, not_emulated
from sfml.local.likeness import like
from sfml.local.names import resolve_schema
from sfml.local.result import SCL, USE, Result, status, table

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session


def use(account: Account, session: Session, statement: Use) -> Result:
    """USE ROLE takes any name, and so does USE WAREHOUSE unless unknown warehouses are refused."""
    name = statement.name
    match statement.kind:
        case "ROLE":
            session.role = name.last
        case "WAREHOUSE":
            if compute.unknown_refused():
                compute.get(account, "WAREHOUSE", name.last)
            session.warehouse = name.last
        case "SECONDARY ROLES":
            session.secondary_roles = name.last
        case "DATABASE":
            if not account.engine.has_database(name.last):
                raise does_not_exist("Database", name.last)
            account.engine.use(session, name.last, "PUBLIC")
        case "SCHEMA":
            database, schema = resolve_schema(name, session)
            if not account.engine.has_schema(database, schema):
                raise does_not_exist("Schema", f"{database}.{schema}")
            account.engine.use(session, database, schema)
    return status(statement_type_id=USE)


# -- parameters -----------------------------------------------------------------------------------------------

# What a session may set: a rule for each parameter that changes what statements mean, so that a value this
# server does not follow is refused and never ignored.
MEANINGFUL: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "AUTOCOMMIT": (True, lambda value: isinstance(value, bool)),
    "TIMEZONE": ("Etc/UTC", lambda value: str(value).upper() in {"UTC", "ETC/UTC", "GMT"}),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": (False, lambda value: str(value).lower() == "false"),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ", lambda value: str(value).upper() == "TIMESTAMP_NTZ"),
    "WEEK_START": (0, lambda value: int(value) == 0),
    "WEEK_OF_YEAR_POLICY": (0, lambda value: int(value) == 0),
    "ROWS_PER_RESULTSET": (0, lambda value: int(value) == 0),
    "TWO_DIGIT_CENTURY_START": (1970, lambda value: int(value) == 1970),
    "ERROR_ON_NONDETERMINISTIC_MERGE": (True, lambda value: isinstance(value, bool)),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": (False, lambda value: value is False),
}
# And those that change no result, which are kept and shown.
HARMLESS: dict[str, Any] = {
    "QUERY_TAG": "",
    "STATEMENT_TIMEOUT_IN_SECONDS": 172800,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
    "LOCK_TIMEOUT": 43200,
    "ABORT_DETACHED_QUERY": False,
    "USE_CACHED_RESULT": True,
    "MULTI_STATEMENT_COUNT": 1,
    "LOG_LEVEL": "OFF",
    "TRACE_LEVEL": "OFF",
    "METRIC_LEVEL": "NONE",
    "JSON_INDENT": 2,
}
HARMLESS_PREFIXES = ("CLIENT_", "PYTHON_", "JDBC_", "ODBC_", "ENABLE_", "SNOWPARK_")


def alter_session(account: Account, session: Session, statement: AlterSession) -> Result:
    for name, value in statement.set:
        if name in MEANINGFUL:
            if not MEANINGFUL[name][1](value):
                raise not_emulated(f"ALTER SESSION SET {name} = {value}")
        elif name not in HARMLESS and not name.startswith(HARMLESS_PREFIXES):
            raise SqlError(f"SQL compilation error:\ninvalid parameter '{name}'", 1006, "42601")
    for name, value in statement.set:
        session.parameters[name] = value
        if name == "AUTOCOMMIT":
            with session.lock:
                session.connection.autocommit(bool(value))
    for name in statement.unset:
        session.parameters.pop(name, None)
    return Result(**_fields(status(statement_type_id=SCL)), parameters=dict(statement.set))


def _fields(result: Result) -> dict[str, Any]:
    return {
        "columns": result.columns,
        "rows": result.rows,
        "statement_type_id": result.statement_type_id,
    }


def show_parameters(account: Account, session: Session, statement: ShowParameters) -> Result:
    defaults = {**{name: default for name, (default, _) in MEANINGFUL.items()}, **HARMLESS}
    own = session.parameters if statement.scope == "SESSION" else {}
    rows = []
    for name in sorted(defaults.keys() | {name.upper() for name in own}):
        default = defaults.get(name, "")
        value = own.get(name, default)
        level = "SESSION" if name in own else ""
        if like(statement.like, name):
            rows.append((name, _text(value), _text(default), level, "", _type(value)))
    return table(("key", "value", "default", "level", "description", "type"), rows)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(value: Any) -> str:
    return "BOOLEAN" if isinstance(value, bool) else "NUMBER" if isinstance(value, int) else "STRING"


# -- variables ------------------------------------------------------------------------------------------------


def set_variables(account: Account, session: Session, statement: SetVariables) -> Result:
    values = [account.engine.evaluate(session, text) for text in statement.expressions]
    session.variables.update(zip(statement.names, values, strict=True))
    return status(statement_type_id=SCL)


def unset_variables(account: Account, session: Session, statement: UnsetVariables) -> Result:
    for name in statement.names:
        session.variables.pop(name, None)
    return status(statement_type_id=SCL)


# -- functions --------------------------------------------------------------------------------------------------


def cancel_all_queries(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """Snowpark ends every session with it; a session's statements are done when it asks."""
    return "0 queries are cancelled."


SYSTEM_FUNCTIONS = {
    # What versions of the clients the account supports: none is too old here.
    "SYSTEM$CLIENT_VERSION_INFO": lambda account, session, arguments: "[]",
    "SYSTEM$CANCEL_ALL_QUERIES": cancel_all_queries,
    "SYSTEM$ARE_ANACONDA_TERMS_ACKNOWLEDGED": lambda account, session, arguments: True,
    # NULL: none was set, and the client goes on with its own default.
    "SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY": lambda account, session, arguments: None,
    "SYSTEM$BOOTSTRAP_DATA_REQUEST": lambda account, session, arguments: "{}",
}
HANDLERS = {
    Use: use,
    AlterSession: alter_session,
    ShowParameters: show_parameters,
    SetVariables: set_variables,
    UnsetVariables: unset_variables,
}
READ_ONLY = frozenset({ShowParameters})
