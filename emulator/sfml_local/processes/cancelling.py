"""How a statement that runs is ended: by its id, or all of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.queries import Queries, Query
from sfml_local.processes.children import interrupt

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def cancel_query(account: Account, query: Query) -> bool:
    """End one statement; returns whether it still ran."""
    if query.ended is not None:
        return False
    query.is_cancelled = True
    others = [one for one in account.part(Queries).running(query.session_id) if not one.is_child]
    is_alone = all(one is query for one in others)
    for session in sessions_of(account, query.session_id):
        if is_alone or session.executing == query.id:
            _interrupt(account, session)
    return True


def cancel_session(account: Account, session_id: int, but: str | None = None) -> int:
    """End all statements of a session but one, by its id; returns how many there were."""
    queries = [one for one in account.part(Queries).running(session_id) if one.id != but]
    for query in queries:
        query.is_cancelled = True
    for session in sessions_of(account, session_id):
        if session.executing is None or session.executing != but:
            _interrupt(account, session)
    return len(queries)


def sessions_of(account: Account, session_id: int) -> list[Session]:
    """The sessions with an id: a procedure with its caller's rights has its caller's."""
    return [session for session in account.sessions if session.id == session_id]


def _interrupt(account: Account, session: Session) -> None:
    session.interrupt()
    interrupt(account, session)
