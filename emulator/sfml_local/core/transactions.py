"""Transactions of a session's DuckDB connection."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
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


def is_open(session: Session) -> bool:
    """Whether a transaction is open that the client has to end."""
    return session.in_transaction or fakesnow_port.is_in_transaction(session.connection)


def ends_with_statement(session: Session) -> bool:
    """Whether the next statement commits by itself."""
    return not session.in_transaction and fakesnow_port.is_autocommit(session.connection)


def set_autocommit(session: Session, value: bool) -> None:
    with session.lock:
        session.connection.autocommit(value)


def begin_dml(session: Session) -> None:
    """DML begins a transaction that outlasts it where AUTOCOMMIT is false."""
    connection = session.connection
    if not fakesnow_port.is_autocommit(connection) and not fakesnow_port.is_in_transaction(connection):
        session.duck.begin()
        fakesnow_port.mark_transaction(connection, is_open=True)


@contextlib.contextmanager
def dml(session: Session, rolled_back: Callable[[], object]) -> Iterator[None]:
    """One transaction around a DML statement and what is done with it; open ones go on.

    `rolled_back` is called where an error ends the transaction, too.
    """
    ends = ends_with_statement(session)
    if ends:
        session.duck.begin()
    else:
        begin_dml(session)
    try:
        yield
        if ends:
            session.duck.commit()
    except BaseException:
        if ends:
            rolled_back()
            with contextlib.suppress(Exception):
                session.duck.rollback()
        raise


def in_transaction(duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether statements share a transaction; otherwise each has its own transaction id."""
    first, second = (duck.execute("SELECT txid_current()").fetchall() for _ in range(2))
    return first == second


def commit_open(session: Session) -> None:
    """Commit the session's open transaction, as DDL does."""
    with session.lock:
        for prepare in session.committing:
            prepare(session)
        if is_open(session):
            session.duck.commit()
            session.in_transaction = False
            fakesnow_port.mark_transaction(session.connection, is_open=False)
