"""SYSTEM$CANCEL_QUERY, SYSTEM$CANCEL_ALL_QUERIES and SYSTEM$ABORT_SESSION, for a user's own statements and sessions.

https://docs.snowflake.com/en/user-guide/querying-cancel-statements
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.queries import Queries
from sfml_local.processes.cancelling import cancel_query, cancel_session, sessions_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

NOT_EXECUTING = "Identified SQL statement is not currently executing."


def cancel_one(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    query_id = str(_argument("SYSTEM$CANCEL_QUERY", arguments))
    query = account.part(Queries).get(query_id)
    if query is None:
        return NOT_EXECUTING
    _check_owner(session, query.user, f"query '{query_id}'")
    return f"query [{query_id}] terminated." if cancel_query(account, query) else NOT_EXECUTING


def cancel_all(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    number = _session_id("SYSTEM$CANCEL_ALL_QUERIES", arguments)
    for other in sessions_of(account, number):
        _check_owner(session, other.user, f"session '{number}'")
    return f"{cancel_session(account, number, but=account.query_id)} cancelled."


def abort(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    number = _session_id("SYSTEM$ABORT_SESSION", arguments)
    if number == session.id:
        raise not_emulated("SYSTEM$ABORT_SESSION of the session that calls it: close the connection")
    aborted = sessions_of(account, number)
    if not aborted:
        raise SqlError(f"Session '{number}' does not exist.", 2003, "02000")
    for other in aborted:
        _check_owner(session, other.user, f"session '{number}'")
    cancel_session(account, number)
    for other in aborted:
        account.sessions.close(other)
    return f"session [{number}] terminated."


def _argument(function: str, arguments: tuple[Any, ...]) -> Any:
    if len(arguments) != 1:
        words = f"expected 1, got {len(arguments)}"
        how = "too many" if arguments else "not enough"
        raise SqlError(
            f"SQL compilation error:\n{how} arguments for function [{function}], {words}", 938, "22023"
        )
    return arguments[0]


def _session_id(function: str, arguments: tuple[Any, ...]) -> int:
    value = _argument(function, arguments)
    try:
        return int(value)
    except (TypeError, ValueError) as cause:
        words = f"SQL compilation error:\nInvalid argument '{value}' for function {function}: a session id is expected."
        raise SqlError(words, 1015, "22023") from cause


def _check_owner(session: Session, user: str, what: str) -> None:
    if session.user != user:
        words = f"SQL access control error:\nInsufficient privileges to operate on {what}"
        raise SqlError(words, 3001, "42501")


SYSTEM_FUNCTIONS = {
    "SYSTEM$CANCEL_QUERY": cancel_one,
    "SYSTEM$CANCEL_ALL_QUERIES": cancel_all,
    "SYSTEM$ABORT_SESSION": abort,
}
