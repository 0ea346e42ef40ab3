"""Transactions of a session's DuckDB connection."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import duckdb

from sfml_local.core import fakesnow_port
from sfml_local.core.clock import now
from sfml_local.core.errors import SqlError, broken_transaction, not_emulated
from sfml_local.core.statement_parameters import value_of

if TYPE_CHECKING:
    from sfml_local.core.session import Session


SCOPED_TRANSACTION = 90232


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


def follow_scope(session: Session) -> None:
    """Note in which scope the open transaction was begun, and when, whatever began it."""
    if not is_open(session):
        session.begun_in = session.begun_at = None
    elif session.begun_in is None:
        session.begun_in, session.begun_at = session.scope, now()


def check_unbroken(session: Session) -> None:
    """Refuse to commit a transaction in which a statement has failed: DuckDB has dropped all that was done in it.

    An account keeps the transaction, and commits what the other statements did.
    """
    if not is_open(session):
        return
    try:
        session.duck.execute("SELECT 1").fetchall()
    except duckdb.TransactionException as cause:
        raise broken_transaction() from cause


def is_of_scope(session: Session) -> bool:
    """Whether an open transaction was begun in the procedure, or outside of all, that the statement is in."""
    return session.begun_in in (None, session.scope)


def check_begin(session: Session) -> None:
    """Refuse BEGIN in a procedure within its caller's transaction: on an account it is one of its own.

    https://docs.snowflake.com/en/sql-reference/transactions#scoped-transactions
    """
    if not is_of_scope(session):
        raise not_emulated("BEGIN in a procedure or block that is called within a transaction")


def check_end(session: Session) -> None:
    """Refuse to end a transaction that was begun outside of the procedure, also by a definition.

    The sentence is documented, its number is not: it is that of the other error of these rules.
    """
    if not is_of_scope(session):
        raise SqlError(
            "Modifying a transaction that has started at a different scope is not allowed.",
            SCOPED_TRANSACTION,
            "25000",
        )


def ends_with_statement(session: Session) -> bool:
    """Whether the next statement commits by itself."""
    return not session.in_transaction and fakesnow_port.is_autocommit(session.connection)


def set_autocommit(session: Session, value: bool) -> None:
    """Set it, which commits what is open; not in a procedure.

    https://docs.snowflake.com/en/sql-reference/transactions#autocommit
    """
    if session.scope:
        raise SqlError(
            "Stored procedure execution error: AUTOCOMMIT cannot be set in a stored procedure.",
            SCOPED_TRANSACTION,
            "25000",
        )
    commit_open(session)
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


def roll_back(session: Session) -> None:
    """Roll back the open transaction of a session that ends."""
    with session.lock:
        session.duck.rollback()
        session.in_transaction = False
        session.begun_in = None
        fakesnow_port.mark_transaction(session.connection, is_open=False)


def commits(session: Session) -> bool:
    """Whether a definition commits: not where Snowpark asks for that, as it does for its own temporary objects."""
    return not value_of("SNOWPARK_SKIP_TXN_COMMIT_IN_DDL", session.parameters)


def commit_before_definition(session: Session) -> None:
    """Commit the open transaction, if a definition does that."""
    if commits(session):
        commit_open(session)


def commit_open(session: Session) -> None:
    """Commit the session's open transaction, as DDL does."""
    check_end(session)
    with session.lock:
        check_unbroken(session)
        for prepare in session.committing:
            prepare(session)
        if is_open(session):
            session.duck.commit()
            session.in_transaction = False
            session.begun_in = None
            fakesnow_port.mark_transaction(session.connection, is_open=False)
