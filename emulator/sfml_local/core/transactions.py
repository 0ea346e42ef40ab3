"""Transactions of a session's DuckDB connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfml_local.core import fakesnow_port

if TYPE_CHECKING:
    import duckdb

    from sfml_local.core.session import Session


@contextlib.contextmanager
def transaction(session: Session) -> Iterator[None]:
    """One DuckDB transaction around several statements; an open one is joined."""
    duck = session.duck
    if in_transaction(duck):
        yield
        return
    duck.begin()
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            duck.rollback()
        raise
    duck.commit()


def in_transaction(duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether statements share a transaction; otherwise each has its own transaction id."""
    first, second = (duck.execute("SELECT txid_current()").fetchall() for _ in range(2))
    return first == second


def commit_open(session: Session) -> None:
    """Commit the session's open transaction, as DDL does."""
    with session.lock:
        for prepare in session.committing:
            prepare(session)
        without_autocommit = fakesnow_port.is_in_transaction(session.connection)
        if session.in_transaction or without_autocommit:
            session.duck.commit()
            session.in_transaction = False
            fakesnow_port.mark_transaction(session.connection, is_open=False)
