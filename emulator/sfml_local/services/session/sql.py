"""USE, ALTER SESSION, SET, SHOW PARAMETERS, and the functions that every client calls when it connects."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import does_not_exist, invalid_parameter, not_emulated
from sfml_local.core.followed_parameters import HARMLESS_PREFIXES, _text, is_followed
from sfml_local.core.likeness import like
from sfml_local.core.names import resolve_schema
from sfml_local.core.queries import Queries
from sfml_local.core.result import DESCRIBE, SCL, USE, Column, Result, status, table
from sfml_local.core.session_parameters import ACCOUNT_VALUES, OF_SESSION
from sfml_local.core.transactions import set_autocommit
from sfml_local.grammar.session import (
    AlterSession,
    DescribeResult,
    SetVariables,
    ShowParameters,
    ShowTransactions,
    ShowVariables,
    UnsetVariables,
    Use,
)
from sfml_local.services.compute import store as compute
from sfml_local.services.objects import parameters as object_parameters

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session


def use(account: Account, session: Session, statement: Use) -> Result:
    """USE ROLE accepts any name, and so does USE WAREHOUSE unless unknown warehouses are refused."""
    name = statement.name
    match statement.kind:
        case "ROLE":
            session.role = name.last
        case "WAREHOUSE":
            if account.settings.refuses_unknown_compute:
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


def alter_session(account: Account, session: Session, statement: AlterSession) -> Result:
    for name, value in statement.set:
        if name not in OF_SESSION and not name.startswith(HARMLESS_PREFIXES):
            raise invalid_parameter(name)
        _check(name, value)
        if not is_followed(name, value):
            raise not_emulated(f"ALTER SESSION SET {name} = {value}")
    for name, value in statement.set:
        session.parameters[name] = value
        if name == "AUTOCOMMIT":
            set_autocommit(session, bool(value))
    for name in statement.unset:
        session.parameters.pop(name, None)
    return Result(**_fields(status(statement_type_id=SCL)), parameters=dict(statement.set))


def _check(name: str, value: Any) -> None:
    """Refuse an invalid value of the parameter; a value of another kind is converted first."""
    parameter = OF_SESSION.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if parameter is not None and parameter.check is not None and is_number == (parameter.kind == "NUMBER"):
        parameter.check(name, value)


def _fields(result: Result) -> dict[str, Any]:
    return {
        "columns": result.columns,
        "rows": result.rows,
        "statement_type_id": result.statement_type_id,
    }


def show_parameters(account: Account, session: Session, statement: ShowParameters) -> Result:
    if statement.scope not in ("SESSION", "ACCOUNT", "USER"):
        rows = object_parameters.rows(account, session, statement)
        return table(("key", "value", "default", "level", "description", "type"), rows)
    own = session.parameters if statement.scope == "SESSION" else {}
    rows = [_parameter_row(name, own) for name in OF_SESSION.keys() | {name.upper() for name in own}]
    beside = object_parameters.BESIDE_SESSIONS.get(statement.scope, {})
    rows += [
        (name, value, value, "", "", kind) for name, (value, kind) in beside.items() if name not in OF_SESSION
    ]
    rows = sorted(row for row in rows if like(statement.like, row[0]))
    return table(("key", "value", "default", "level", "description", "type"), rows)


def _parameter_row(name: str, own: Mapping[str, Any]) -> tuple[str, ...]:
    parameter = OF_SESSION.get(name)
    default = parameter.default if parameter else ""
    if name in own:
        value, level = _text(own[name]), "SESSION"
    elif name in ACCOUNT_VALUES:
        value, level = ACCOUNT_VALUES[name], "ACCOUNT"
    else:
        value, level = default, ""
    return (name, value, default, level, "", parameter.kind if parameter else _type(own[name]))


def _type(value: Any) -> str:
    return "BOOLEAN" if isinstance(value, bool) else "NUMBER" if isinstance(value, int) else "STRING"


# -- variables ------------------------------------------------------------------------------------------------


def set_variables(account: Account, session: Session, statement: SetVariables) -> Result:
    values = [_variable(account, session, text) for text in statement.expressions]
    session.variables.update(zip(statement.names, values, strict=True))
    return status(statement_type_id=SCL)


def _variable(account: Account, session: Session, expression: str) -> Any:
    result = account.execute(session, f"SELECT {expression}")
    if result.columns[0].type in ("variant", "object", "array"):
        raise not_emulated("SET of a semi-structured value: cast it to VARCHAR or another type")
    return result.scalar


def show_variables(account: Account, session: Session, statement: ShowVariables) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-variables; the time of setting is not stored."""
    columns = ("session_id", "created_on", "updated_on", "name", "value", "type", "comment")
    rows = [
        (str(session.id), None, None, name, _text(value), _variable_type(value), "")
        for name, value in sorted(session.variables.items())
        if like(statement.like, name)
    ]
    return table(columns, rows)


def _variable_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "fixed" if isinstance(value, int) else "real" if isinstance(value, float) else "text"


def unset_variables(account: Account, session: Session, statement: UnsetVariables) -> Result:
    for name in statement.names:
        session.variables.pop(name, None)
    return status(statement_type_id=SCL)


# -- results and transactions ---------------------------------------------------------------------------------


_TYPES = {"fixed": "NUMBER", "real": "FLOAT", "text": "VARCHAR"}


def describe_result(account: Account, session: Session, statement: DescribeResult) -> Result:
    """The columns of an earlier result; the name of the third is not recorded."""
    query_id = statement.query_id or session.last_query_id or ""
    result = account.part(Queries).result(session, query_id)
    # An account says Y of a constant, too.
    rows = [(column.name, _TYPES.get(column.type, column.type.upper()), "Y") for column in result.columns]
    return table(("name", "type", "null?"), rows, DESCRIBE)


def show_transactions(account: Account, session: Session, statement: ShowTransactions) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-transactions; the names are made from the numbers."""
    if statement.in_account:
        raise not_emulated("SHOW TRANSACTIONS IN ACCOUNT")
    rows = []
    if session.transaction is not None:
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session.id}/{session.transaction}"))
        rows.append(
            (session.transaction, session.user, str(session.id), name, session.begun_at, "running", 0)
        )
    columns = (
        *(Column("id", "fixed"), "user", "session", "name"),
        *(Column("started_on", "timestamp_ltz"), "state", Column("scope", "fixed")),
    )
    return table(columns, rows)


# -- functions --------------------------------------------------------------------------------------------------


SYSTEM_FUNCTIONS = {
    # The client versions that the account supports; here all are supported.
    "SYSTEM$CLIENT_VERSION_INFO": lambda account, session, arguments: "[]",
    "SYSTEM$ARE_ANACONDA_TERMS_ACKNOWLEDGED": lambda account, session, arguments: True,
    # NULL: unset, so the client uses its own default.
    "SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY": lambda account, session, arguments: None,
    "SYSTEM$BOOTSTRAP_DATA_REQUEST": lambda account, session, arguments: "{}",
}
HANDLERS: Handlers = {
    Use: use,
    AlterSession: alter_session,
    ShowParameters: show_parameters,
    SetVariables: set_variables,
    ShowVariables: show_variables,
    UnsetVariables: unset_variables,
    DescribeResult: describe_result,
    ShowTransactions: show_transactions,
}
READ_ONLY = frozenset({ShowParameters, ShowVariables, DescribeResult, ShowTransactions})
