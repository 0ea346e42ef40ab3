"""The statements that clients have sent: how far they are, whether they are cancelled, and what is left of sessions.

They last as long as the server runs.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.core.result import SCL, Result

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

KEPT = 10_000
"""Statements; QUERY_HISTORY shows no more at once."""
TEXT_KEPT = 100_000
"""Characters of a statement: https://docs.snowflake.com/en/sql-reference/account-usage/query_history"""
TEXTS_KEPT = 32 * 2**20
RESULTS_KEPT = 200
RESULT_BYTES_KEPT = 64 * 2**20
"""Of the sessions that have ended."""


@dataclass(slots=True, eq=False)
class Query:
    """One statement and where it ran; `ended` is None while it runs."""

    id: str
    session_id: int
    user: str
    role: str
    warehouse: str | None
    database: str | None
    schema: str | None
    tag: str
    text: str
    begun: datetime
    ended: datetime | None = None
    error: SqlError | None = None
    rows: int | None = None
    transaction: int | None = None
    is_child: bool = False
    """Whether a procedure or job has sent it."""
    is_cancelled: bool = False
    is_waiting: bool = False
    """Whether nothing works on it yet."""

    @property
    def status(self) -> str:
        """As the clients and QUERY_HISTORY call it."""
        if self.ended is None:
            return "RUNNING"
        return "SUCCESS" if self.error is None else "FAILED_WITH_ERROR"


class Queries:
    """An account's latest statements by id, and the results of sessions that have ended."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._by_id: OrderedDict[str, Query] = OrderedDict()
        self._characters = 0
        self._results: OrderedDict[str, tuple[str, Result, int]] = OrderedDict()

    @contextmanager
    def recorded(self, session: Session, query_id: str, text: str) -> Iterator[Query]:
        """Record a statement while it runs; what it runs under its own id is a part of it."""
        query = self.get(query_id) or self.accept(session, query_id, text)
        if not query.is_waiting:
            yield query
            return
        query.is_waiting = False
        try:
            yield query
        except SqlError as error:
            query.error = error
            raise
        except BaseException as error:
            query.error = SqlError(f"local server error: {type(error).__name__}", 603, "XX000")
            raise
        finally:
            query.ended = self._account.clock()

    def accept(self, session: Session, query_id: str, text: str) -> Query:
        """A statement that will be worked on; from now on its state is known, and it can be cancelled."""
        query = Query(
            id=query_id,
            session_id=session.id,
            user=session.user,
            role=session.role,
            warehouse=session.warehouse,
            database=session.database,
            schema=session.schema,
            tag=session.query_tag,
            text=text[:TEXT_KEPT],
            begun=self._account.clock(),
            transaction=session.transaction,
            is_child=session.parent is not None,
            is_waiting=True,
        )
        with self._lock:
            self._by_id[query_id] = query
            self._characters += len(query.text)
            while len(self._by_id) > KEPT or (self._characters > TEXTS_KEPT and len(self._by_id) > 1):
                self._characters -= len(self._by_id.popitem(last=False)[1].text)
        return query

    def get(self, query_id: str) -> Query | None:
        return self._by_id.get(query_id)

    def latest_first(self) -> list[Query]:
        with self._lock:
            return list(reversed(self._by_id.values()))

    def running(self, session_id: int) -> list[Query]:
        """The statements of a session that have not ended."""
        return [one for one in self.latest_first() if one.session_id == session_id and one.ended is None]

    def check(self, query_id: str) -> None:
        """Raise SqlError if a statement has been cancelled before it was its turn."""
        query = self._by_id.get(query_id)
        if query is not None and query.is_cancelled:
            raise SqlError("SQL execution canceled", 604, "57014")

    # -- results

    def keep_results(self, session: Session) -> None:
        """Keep the results of a session that ends, for its user's other sessions."""
        with self._lock:
            for query_id, result in session.results.items():
                self._results[query_id] = (session.user, result, result.size)
            size = sum(kept[2] for kept in self._results.values())
            while self._results and (len(self._results) > RESULTS_KEPT or size > RESULT_BYTES_KEPT):
                size -= self._results.popitem(last=False)[1][2]

    def result(self, session: Session, query_id: str) -> Result:
        """The result of a statement of this user, in whatever session; raises SqlError.

        https://docs.snowflake.com/en/sql-reference/functions/result_scan
        """
        if (own := session.results.get(query_id)) is not None:
            return own
        for other in self._account.sessions:
            if other.user == session.user and (found := other.results.get(query_id)) is not None:
                return found
        user, result, _ = self._results.get(query_id, (None, None, 0))
        if result is None or user != session.user:
            raise SqlError(f"Statement {query_id} not found", 709, "02000")
        return result


def rows_of(result: Result) -> int:
    """The rows that a statement answered, or changed."""
    is_change = 0x3000 <= result.statement_type_id < SCL and len(result.rows)
    changed = [one for one in result.rows[0] if isinstance(one, int)] if is_change else []
    return sum(changed) if is_change else len(result.rows)
