"""The account's metadata in one SQLite file: every acknowledged change survives the death of the server."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet


class _Connection(sqlite3.Connection):
    """A connection that supports weak references; it is closed when its thread ends."""


def damage(path: Path) -> str | None:
    """The damage of an existing SQLite file; None if it is undamaged, empty or missing."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path, timeout=30)
    try:
        finding = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return str(error)
        raise
    finally:
        connection.close()
    return None if finding[0] == "ok" else str(finding[0])


class Store:
    """A SQLite database used by many threads: one connection each, readers never wait for a writer."""

    def __init__(self, path: Path, schemas: Iterable[str] = (), *, durable: bool = True) -> None:
        self.path = path
        self._synchronous = "NORMAL" if durable else "OFF"
        self._local = threading.local()
        self._connections: WeakSet[sqlite3.Connection] = WeakSet()
        self._lock = threading.Lock()
        # SQLite would write the file after each table.
        self._connection().executescript(f"BEGIN IMMEDIATE;{';'.join(schemas)};COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False, factory=_Connection
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
            # In WAL mode, a commit that has returned is known to the operating system, so killing
            # this process cannot undo it. Only a power cut could; with NORMAL the file stays consistent then.
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            self._local.connection = connection
            self._local.depth = 0
            self._local.after = []
            with self._lock:
                self._connections.add(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction; it acquires the write lock at once, or joins the open transaction of this thread."""
        connection = self._connection()
        if self._local.depth:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        self._local.depth = 1
        self._local.after = []
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        else:
            connection.execute("COMMIT")
        finally:
            self._local.depth = 0
        for action in self._local.after:
            action()

    def after_commit(self, action: Callable[[], object]) -> None:
        """Call this once the transaction of this thread is committed, or now if none is open."""
        self._connection()
        if self._local.depth:
            self._local.after.append(action)
        else:
            action()

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Execute one change; returns the number of changed rows."""
        return self._connection().execute(sql, parameters).rowcount

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        return self._connection().execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection().execute(sql, parameters).fetchone()
        return found

    def value(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Any:
        row = self.row(sql, parameters)
        return None if row is None else row[0]

    def close(self) -> None:
        with self._lock:
            for connection in list(self._connections):
                connection.close()
            self._connections.clear()
