"""How a statement that runs is ended: by its id, or all of a session."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfml_local.core.queries import Queries, Query
from sfml_local.processes.children import interrupt

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

GLANCE = 0.05
"""Seconds between interruptions."""


def cancel_query(account: Account, query: Query, but: str | None = None) -> bool:
    """End one statement; returns whether it still ran. `but` is the id of a statement that goes on beside it."""
    if query.ended is not None:
        return False
    query.is_cancelled = True
    # A session that is aborted is no longer found while it waits for the end of its statements.
    sessions = sessions_of(account, query.session_id)
    threading.Thread(
        target=_end, args=(account, sessions, query, but), name="cancelling", daemon=True
    ).start()
    return True


def cancel_session(account: Account, session_id: int, but: str | None = None) -> int:
    """End all statements of a session but one, by its id; returns how many there were."""
    queries = [one for one in account.part(Queries).running(session_id) if one.id != but]
    return sum(cancel_query(account, query, but) for query in queries)


def _end(account: Account, sessions: Sequence[Session], query: Query, but: str | None) -> None:
    """Interrupt a statement until it has ended: DuckDB forgets an interruption that comes before it has begun."""
    while query.ended is None and not account.stopping.is_set():
        for session in sessions:
            if session.executing == query.id or (
                _is_alone(account, query, but) and (but is None or session.executing != but)
            ):
                session.interrupt()
                interrupt(account, session)
        account.stopping.wait(GLANCE)


def _is_alone(account: Account, query: Query, but: str | None) -> bool:
    """Whether all that works for its session works for this statement, or is cancelled, too."""
    running = account.part(Queries).running(query.session_id)
    return all(one.is_child or one.is_cancelled or one.id == but for one in running)


def sessions_of(account: Account, session_id: int) -> list[Session]:
    """The sessions with an id: a procedure with its caller's rights has its caller's."""
    return [session for session in account.sessions if session.id == session_id]
