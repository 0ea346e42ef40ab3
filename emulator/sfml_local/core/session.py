"""Sessions: who is connected, where it stands, and what it has set."""

from __future__ import annotations

import hmac
import itertools
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core import fakesnow_port
from sfml_local.core.outcomes import Outcomes

if TYPE_CHECKING:
    import duckdb
    from fakesnow.fakes import FakeSnowflakeConnection

    from sfml_local.core.engine import Engine
    from sfml_local.core.names import ObjectName
    from sfml_local.core.result import Result

DEFAULT_ROLE = "SYSADMIN"
DEFAULT_USER = "SFML"
DEFAULT_WAREHOUSE = "LOCAL_WH"
RESULTS_KEPT = 50
RESULT_BYTES_KEPT = 64 * 2**20
IDLE_SECONDS = 4 * 3600.0
"""After so long without a request a session ends. https://docs.snowflake.com/en/user-guide/session-policies"""

_KEY = secrets.token_bytes(32)


def _size(result: Result) -> int:
    """About how many bytes of memory a result's rows take."""
    table = getattr(result.rows, "table", None)
    return int(table.nbytes) if table is not None else 200 * len(result.rows) * max(1, len(result.columns))


def _digest(token: str) -> bytes:
    return hmac.digest(_KEY, token.encode("utf-8", "replace"), "sha256")


class Session:
    """One session. Its current database and schema live in its fakesnow connection.

    `task` is the task run this session works for, or None; a session that a procedure or a job opens has its
    caller's as `parent` and shares its task, role, warehouse, database and schema.
    """

    def __init__(
        self,
        id: int,
        connection: FakeSnowflakeConnection,
        *,
        user: str = DEFAULT_USER,
        role: str = DEFAULT_ROLE,
        warehouse: str | None = DEFAULT_WAREHOUSE,
        parameters: Mapping[str, Any] | None = None,
        task: Any = None,
        parent: Session | None = None,
    ) -> None:
        self.id = id
        self.token = secrets.token_urlsafe(32)
        self.master_token = secrets.token_urlsafe(32)
        self.connection = connection
        self.user = user
        self.role = role
        self.secondary_roles = "ALL"
        self.warehouse = warehouse
        self.parameters: dict[str, Any] = dict(parameters or {})
        self.task = task
        self.parent = parent
        self.variables: dict[str, Any] = {}
        self.zone: str | None = None
        """The time zone that DuckDB's connection works in, once a statement has set it."""
        self.temporaries: set[ObjectName] = set()
        """Temporary tables and views of this session alone."""
        self.in_transaction = False
        self.aborts = 0
        """How often its client has asked to end what it was executing."""
        self._relations = itertools.count()
        self.lock = threading.RLock()
        """Held while DuckDB works for this session: a DuckDB connection serves one thread at a time."""
        self.results: OrderedDict[str, Result] = OrderedDict()
        """The latest results by query id, for RESULT_SCAN."""
        # Held while DuckDB's connection is closed or interrupted: it does not survive both at once.
        self._ending = threading.Lock()
        self._is_closed = False
        # Clients send statements of one session at the same time; those without DuckDB take no other lock.
        self._remembering = threading.Lock()
        self.last_query_id: str | None = None
        self.outcomes = Outcomes()
        self.last_request: float | None = None
        """When its client last asked for something; None for a session that the server works in itself."""
        self.admitted_by: str | None = None
        """The password of `Sessions.admit` that opened this session."""

    def remember(self, query_id: str, result: Result) -> None:
        """Keep a result for RESULT_SCAN; only the latest are kept, and the very latest whatever its size."""
        with self._remembering:
            self.last_query_id = query_id
            self.results[query_id] = result
            size = sum(_size(kept) for kept in self.results.values())
            while len(self.results) > 1 and (len(self.results) > RESULTS_KEPT or size > RESULT_BYTES_KEPT):
                size -= _size(self.results.popitem(last=False)[1])

    def interrupt(self) -> None:
        """Ask DuckDB to give up the statement that it executes, if any, from another thread."""
        with self._ending:
            if not self._is_closed:
                self.duck.interrupt()

    def close(self) -> None:
        """Close the connection to DuckDB once its statement has ended."""
        with self.lock, self._ending:
            self._is_closed = True
            self.connection.close()

    def next_relation(self) -> int:
        """A number for a relation that one statement reads."""
        return next(self._relations)

    @property
    def duck(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection of this session; to be used under `lock`, except to interrupt it."""
        return fakesnow_port.duck_of(self.connection)

    @property
    def database(self) -> str | None:
        return self.connection.database if self.connection.database_set else None

    @property
    def schema(self) -> str | None:
        return self.connection.schema if self.connection.schema_set else None

    @property
    def query_tag(self) -> str:
        return str(self.parameters.get("QUERY_TAG", ""))


class Sessions:
    """The sessions that are open, by token."""

    def __init__(self, engine: Engine, closed: Callable[[Session], None] = lambda session: None) -> None:
        self._engine = engine
        self._closed = closed
        # No session of an earlier server has the same id.
        self._ids = itertools.count(time.time_ns() // 1_000_000)
        # By what _digest makes of a token: how long finding one takes tells nothing about the others.
        self._by_token: dict[bytes, Session] = {}
        self._admitted: dict[bytes, Session] = {}
        self._lock = threading.Lock()

    def open(
        self,
        *,
        database: str | None = None,
        schema: str | None = None,
        user: str = DEFAULT_USER,
        role: str = DEFAULT_ROLE,
        warehouse: str | None = DEFAULT_WAREHOUSE,
        parameters: Mapping[str, Any] | None = None,
        task: Any = None,
        parent: Session | None = None,
    ) -> Session:
        """A new session; a database or schema that does not exist is left unset, as Snowflake does."""
        session = Session(
            next(self._ids),
            self._engine.connect(),
            user=user,
            role=role,
            warehouse=warehouse,
            parameters=parameters,
            task=task,
            parent=parent,
        )
        self._engine.use(session, database, schema)
        with self._lock:
            self._by_token[_digest(session.token)] = session
        return session

    def child_of(
        self,
        parent: Session,
        *,
        database: str | None = None,
        schema: str | None = None,
        role: str | None = None,
        warehouse: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Session:
        """A session for what `parent` starts: the same user, task and, unless told, role, place and parameters."""
        return self.open(
            database=database or parent.database,
            schema=schema or parent.schema,
            user=parent.user,
            role=role or parent.role,
            warehouse=warehouse or parent.warehouse,
            parameters={**parent.parameters, **(parameters or {})},
            task=parent.task,
            parent=parent,
        )

    def __iter__(self) -> Iterator[Session]:
        with self._lock:
            return iter(list(self._by_token.values()))

    def admit(self, parent: Session) -> str:
        """A password with which a process of this session logs in, as a child of it."""
        password = secrets.token_urlsafe(32)
        with self._lock:
            self._admitted[_digest(password)] = parent
        return password

    def admitted(self, password: str) -> Session | None:
        """The session that a password of `admit` was made for."""
        with self._lock:
            return self._admitted.get(_digest(password))

    def dismiss(self, password: str) -> None:
        """Make a password of `admit` worthless, and close the sessions it opened."""
        with self._lock:
            self._admitted.pop(_digest(password), None)
        for session in self:
            if session.admitted_by == password:
                self.close(session)

    def by_token(self, token: str) -> Session | None:
        """The session that a client shows the token of."""
        with self._lock:
            found = self._by_token.get(_digest(token))
            if found is not None:
                found.last_request = time.monotonic()
            return found

    def close_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Close the sessions of clients that went without a word."""
        since = time.monotonic() - seconds
        parents = {session.parent for session in self}
        for session in self:
            is_idle = session.last_request is not None and session.last_request < since
            if is_idle and session not in parents and not session.outcomes.is_busy:
                self.close(session)

    def close(self, session: Session) -> None:
        with self._lock:
            self._by_token.pop(_digest(session.token), None)
        session.close()
        self._closed(session)

    def close_all(self) -> None:
        for session in self:
            self.close(session)
