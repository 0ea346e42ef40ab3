"""QUERY_HISTORY and QUERY_HISTORY_BY_SESSION, _BY_USER and _BY_WAREHOUSE: the statements since the server has started.

https://docs.snowflake.com/en/sql-reference/functions/query_history
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sfml.semantics.redaction import redacted
from sfml_local.core.arguments import Args, time_of
from sfml_local.core.errors import SqlError
from sfml_local.core.queries import Queries, Query
from sfml_local.core.result import Result, columns, table
from sfml_local.grammar.tokens import SqlSyntaxError, parse_name

if TYPE_CHECKING:
    from sfml_local.core.account import Account, TableFunction
    from sfml_local.core.session import Session

_COLUMNS = columns(
    "QUERY_ID QUERY_TEXT DATABASE_NAME SCHEMA_NAME QUERY_TYPE SESSION_ID:fixed USER_NAME ROLE_NAME WAREHOUSE_NAME"
    " WAREHOUSE_SIZE WAREHOUSE_TYPE CLUSTER_NUMBER:fixed QUERY_TAG EXECUTION_STATUS ERROR_CODE:fixed ERROR_MESSAGE"
    " START_TIME:timestamp_ltz END_TIME:timestamp_ltz TOTAL_ELAPSED_TIME:fixed BYTES_SCANNED:fixed"
    " ROWS_PRODUCED:fixed COMPILATION_TIME:fixed EXECUTION_TIME:fixed QUEUED_PROVISIONING_TIME:fixed"
    " QUEUED_REPAIR_TIME:fixed QUEUED_OVERLOAD_TIME:fixed TRANSACTION_BLOCKED_TIME:fixed"
    " OUTBOUND_DATA_TRANSFER_CLOUD OUTBOUND_DATA_TRANSFER_REGION OUTBOUND_DATA_TRANSFER_BYTES:fixed"
    " INBOUND_DATA_TRANSFER_CLOUD INBOUND_DATA_TRANSFER_REGION INBOUND_DATA_TRANSFER_BYTES:fixed"
    " CREDITS_USED_CLOUD_SERVICES:real LIST_EXTERNAL_FILE_TIME:fixed RELEASE_VERSION"
    " EXTERNAL_FUNCTION_TOTAL_INVOCATIONS:fixed EXTERNAL_FUNCTION_TOTAL_SENT_ROWS:fixed"
    " EXTERNAL_FUNCTION_TOTAL_RECEIVED_ROWS:fixed EXTERNAL_FUNCTION_TOTAL_SENT_BYTES:fixed"
    " EXTERNAL_FUNCTION_TOTAL_RECEIVED_BYTES:fixed IS_CLIENT_GENERATED_STATEMENT:boolean QUERY_HASH"
    " QUERY_HASH_VERSION:fixed QUERY_PARAMETERIZED_HASH QUERY_PARAMETERIZED_HASH_VERSION:fixed TRANSACTION_ID:fixed"
)
"""In the order of an account."""
_RANGE = "END_TIME_RANGE_START END_TIME_RANGE_END RESULT_LIMIT INCLUDE_CLIENT_GENERATED_STATEMENT"
_DAYS = 7
_MOST = 10_000
_SUMMED = {
    "QUEUED_PROVISIONING_TIME",
    "QUEUED_REPAIR_TIME",
    "QUEUED_OVERLOAD_TIME",
    "TRANSACTION_BLOCKED_TIME",
}


def _history(
    name: str, own: str = "", chosen: Callable[[Account, Session, Any], Callable[[Query], bool]] | None = None
) -> TableFunction:
    """A function of the family: `own` is the argument that its statements are chosen by."""

    def call(account: Account, session: Session, args: Args) -> Result:
        given = args.by_name(name, f"{own} {_RANGE}".strip())
        is_chosen = chosen(account, session, given.get(own)) if chosen else lambda query: True
        is_in_range = _range(account, given)
        queries = [one for one in account.part(Queries).latest_first() if is_chosen(one) and is_in_range(one)]
        return table(_COLUMNS, [_row(account, one) for one in queries[: _limit(given)]])

    return call


def _limit(given: dict[str, Any]) -> int:
    limit = given.get("RESULT_LIMIT", 100)
    if not isinstance(limit, int) or not 1 <= limit <= _MOST:
        raise SqlError(
            f"SQL compilation error:\nInvalid value [{limit}] for parameter 'RESULT_LIMIT'", 1008, "22023"
        )
    return limit


def _range(account: Account, given: dict[str, Any]) -> Callable[[Query], bool]:
    """Whether a statement has ended between two moments; without an end, one that runs belongs to it."""
    start, end = time_of(given.get("END_TIME_RANGE_START")), time_of(given.get("END_TIME_RANGE_END"))
    earliest = account.clock() - timedelta(days=_DAYS)
    if any(one is not None and one < earliest for one in (start, end)):
        words = "Cannot retrieve data from more than 7 days ago."
        raise SqlError(f"SQL compilation error:\n{words}", 1015, "22023")

    def is_in(query: Query) -> bool:
        if query.ended is None:
            return end is None
        return (start is None or query.ended >= start) and (end is None or query.ended <= end)

    return is_in


def _by_session(account: Account, session: Session, given: Any) -> Callable[[Query], bool]:
    try:
        number = session.id if given is None else int(given)
    except ValueError as cause:
        raise SqlError(f"Numeric value '{given}' is not recognized", 100038, "22018") from cause
    return lambda query: query.session_id == number


def _by_user(account: Account, session: Session, given: Any) -> Callable[[Query], bool]:
    user = _named(given) or session.user
    return lambda query: query.user == user


def _by_warehouse(account: Account, session: Session, given: Any) -> Callable[[Query], bool]:
    warehouse = _named(given) or session.warehouse
    return lambda query: query.warehouse == warehouse


def _named(given: Any) -> str | None:
    """A name in a text, with its quotes or folded."""
    try:
        return None if given is None else parse_name(str(given)).last
    except SqlSyntaxError:
        return str(given)


def _row(account: Account, query: Query) -> tuple[Any, ...]:
    lasted = int(((query.ended or account.clock()) - query.begun).total_seconds() * 1000)
    known: dict[str, Any] = {
        "QUERY_ID": query.id,
        "QUERY_TEXT": redacted(query.text),
        "DATABASE_NAME": query.database,
        "SCHEMA_NAME": query.schema,
        "QUERY_TYPE": _type(query.text),
        "SESSION_ID": query.session_id,
        "USER_NAME": query.user,
        "ROLE_NAME": query.role,
        "WAREHOUSE_NAME": query.warehouse,
        "QUERY_TAG": query.tag,
        "EXECUTION_STATUS": query.status,
        "ERROR_CODE": None if query.error is None else int(query.error.code),
        "ERROR_MESSAGE": None if query.error is None else redacted(query.error.message),
        "START_TIME": query.begun,
        "END_TIME": query.ended,
        "TOTAL_ELAPSED_TIME": lasted,
        "EXECUTION_TIME": lasted,
        "ROWS_PRODUCED": query.rows,
        "IS_CLIENT_GENERATED_STATEMENT": False,
        "TRANSACTION_ID": query.transaction or 0,
    }
    return tuple(known.get(one.name, 0 if one.name in _SUMMED else None) for one in _COLUMNS)


_ALONE = (
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "COPY",
    "CALL",
    "SHOW",
    "USE",
    "DESCRIBE",
    "SET",
    "UNSET",
)
_WORDS = {"WITH": "SELECT", "DESC": "DESCRIBE", "PUT": "PUT_FILES", "GET": "GET_FILES", "LIST": "LIST_FILES"}


def _type(text: str) -> str:
    """QUERY_TYPE by the first words: SELECT, CREATE_TABLE …; UNKNOWN for others."""
    words = [word.strip("(;") for word in text.upper().split(maxsplit=6)[:6]]
    words = [
        word for word in words if word not in ("OR", "REPLACE", "TEMPORARY", "TEMP", "TRANSIENT", "SCOPED")
    ]
    first = words[0] if words else ""
    if first in ("CREATE", "ALTER", "DROP") and len(words) > 1:
        return f"{first}_{words[1]}"
    return _WORDS.get(first) or (first if first in _ALONE else "UNKNOWN")


TABLE_FUNCTIONS = {
    "QUERY_HISTORY": _history("QUERY_HISTORY"),
    "QUERY_HISTORY_BY_SESSION": _history("QUERY_HISTORY_BY_SESSION", "SESSION_ID", _by_session),
    "QUERY_HISTORY_BY_USER": _history("QUERY_HISTORY_BY_USER", "USER_NAME", _by_user),
    "QUERY_HISTORY_BY_WAREHOUSE": _history("QUERY_HISTORY_BY_WAREHOUSE", "WAREHOUSE_NAME", _by_warehouse),
}
