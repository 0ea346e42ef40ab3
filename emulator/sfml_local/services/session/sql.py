"""USE, ALTER SESSION, SET, SHOW PARAMETERS, and the functions that every client calls when it connects."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from sfml_local.core.errors import SqlError, does_not_exist, invalid_parameter, not_emulated
from sfml_local.core.followed_parameters import HARMLESS_PREFIXES, _text, is_followed
from sfml_local.core.likeness import like
from sfml_local.core.names import resolve_schema
from sfml_local.core.queries import Queries
from sfml_local.core.result import DESCRIBE, SCL, USE, Column, Result, status, table
from sfml_local.core.session_parameters import ACCOUNT_VALUES, OF_SESSION
from sfml_local.core.session_variables import SessionVariable, check_size, no_constant
from sfml_local.core.transactions import set_autocommit
from sfml_local.core.typed_constants import constant
from sfml_local.grammar.session import (
    AlterSession,
    DescribeResult,
    GivenValue,
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
    """All values are computed before the first variable is set."""
    values = _values(account, session, statement)
    now = datetime.now(UTC)
    for name, (value, column) in zip(statement.names, values, strict=True):
        check_size(name, value)
        variable = SessionVariable(value, column, now, now)
        session.variables[name] = variable.set_before(session.variables.get(name))
    return status(statement_type_id=SCL)


def _values(account: Account, session: Session, statement: SetVariables) -> list[tuple[Any, Column]]:
    if statement.query is None:
        return [_value(account, session, one) for one in statement.values]
    result = account.execute(session, statement.query)
    if len(result.rows) > 1:
        raise SqlError("Single-row subquery returns more than one row.", 90150, "22000")
    if len(result.columns) != len(statement.names):
        words = (
            f"{len(statement.names)} variables are set to the columns of a query with {len(result.columns)}"
        )
        raise SqlError(f"SQL compilation error:\n{words}")
    row = result.rows[0] if len(result.rows) else (None,) * len(statement.names)
    return [(_kept(value, column), column) for value, column in zip(row, result.columns, strict=True)]


def _value(account: Account, session: Session, given: GivenValue) -> tuple[Any, Column]:
    """A subquery fails as it would elsewhere; an expression that fails while it is computed is no constant."""
    try:
        result = account.execute(session, given.query)
    except SqlError as error:
        is_of_values = error.sqlstate.startswith("22") and not error.message.startswith(
            "SQL compilation error"
        )
        if given.is_subquery or not is_of_values:
            raise
        raise no_constant() from error
    return _kept(result.scalar, result.columns[0]), result.columns[0]


def _kept(value: Any, column: Column) -> Any:
    """A semi-structured value cannot be kept, unless it is NULL."""
    if column.type in ("variant", "object", "array") and value is not None:
        raise no_constant()
    return value


def show_variables(account: Account, session: Session, statement: ShowVariables) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-variables"""
    times = (Column("created_on", "timestamp_ltz"), Column("updated_on", "timestamp_ltz"))
    columns = ("session_id", *times, "name", "value", "type", "comment")
    rows = [
        (
            str(session.id),
            one.created,
            one.updated,
            name,
            _text_of(account, session, one),
            one.column.type,
            "",
        )
        for name, one in sorted(session.variables.items())
        if like(statement.like, name)
    ]
    return table(columns, rows)


def _text_of(account: Account, session: Session, variable: SessionVariable) -> str | None:
    if variable.value is None:
        return None
    query = exp.select(exp.cast(constant(variable.value, variable.column), "VARCHAR"))
    return str(account.run_tree(session, query).scalar)


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
