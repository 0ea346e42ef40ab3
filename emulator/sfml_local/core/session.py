"""Sessions: the user, the current database and schema, and the settings of a connection."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core import fakesnow_port
from sfml_local.core.outcomes import Outcomes
from sfml_local.core.parts import Part, Parts
from sfml_local.core.statement_parameters import value_of
from sfml_local.core.workplace import Workplace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from fakesnow.fakes import FakeSnowflakeConnection

    from sfml_local.core.names import ObjectName
    from sfml_local.core.result import Result
    from sfml_local.core.session_variables import SessionVariable

DEFAULT_ROLE = "SYSADMIN"
DEFAULT_USER = "SFML"
DEFAULT_WAREHOUSE = "LOCAL_WH"
RESULTS_KEPT = 50
RESULT_BYTES_KEPT = 64 * 2**20
QUERY_IDS_KEPT = 10_000


class Session:
    """One session. Its current database and schema live in its fakesnow connection.

    `task` is the task run this session works for, or None; a session that a procedure or a job opens has its
    caller's as `parent` and shares its task, role, warehouse, database and schema. That of a procedure with its
    caller's rights has no connection of its own: it works in its parent's.
    """

    _workplace: Workplace

    def __init__(
        self,
        id: int,
        connection: FakeSnowflakeConnection | None,
        *,
        user: str = DEFAULT_USER,
        role: str = DEFAULT_ROLE,
        warehouse: str | None = DEFAULT_WAREHOUSE,
        parameters: Mapping[str, Any] | None = None,
        task: Any = None,
        parent: Session | None = None,
        committing: Sequence[Callable[[Session], None]] = (),
    ) -> None:
        """`committing` is called, under the session's lock, before a definition commits what is open."""
        self.id = id
        self.is_callers = connection is None
        """Whether it works in its parent's workplace."""
        self.is_owners = False
        """Whether it is that of a procedure with its owner's rights."""
        self.scope = 0
        """How many calls of procedures, and blocks, its statements are in."""
        self.borrowed: dict[ObjectName, pa.Table] = {}
        """Its callers' temporary tables that it has copied, as they were."""
        if connection is not None:
            self._workplace = Workplace(Parts(self), connection)
        else:
            assert parent is not None
            self._workplace = parent._workplace
        self.committing = tuple(committing)
        self.token = secrets.token_urlsafe(32)
        self.master_token = secrets.token_urlsafe(32)
        self.user = user
        self.role = role
        self.secondary_roles = "ALL"
        self.client = ""
        """The name and version of the client, as it has told them at the login."""
        self.warehouse = warehouse
        self.parameters: dict[str, Any] = dict(parameters or {})
        self.task = task
        self.parent = parent
        self.results: OrderedDict[str, Result] = OrderedDict()
        """The latest results by query id, for RESULT_SCAN."""
        self._sizes: dict[str, int] = {}
        # Clients send statements of one session in parallel; those without DuckDB acquire no other lock.
        self._remembering = threading.Lock()
        self.query_ids: deque[str] = deque(maxlen=QUERY_IDS_KEPT)
        """The ids of its latest statements, in their order."""
        self.queries = 0
        """How many statements it has run."""
        self.outcomes = Outcomes()
        self.last_request: float | None = None
        """The time of the client's last request; None for a session of the server itself."""
        self.admitted_by: object = None
        """The `Admission` of the process that opened this session."""

    def part(self, kind: Callable[[Session], Part]) -> Part:
        """A service's data for this session, by its class."""
        return self._workplace.parts.of(kind)

    def remember(self, query_id: str, result: Result, *, counts: bool = True) -> None:
        """Keep a result for RESULT_SCAN; older results are dropped, but never the latest, whatever its size.

        `counts` says whether LAST_QUERY_ID knows the statement.
        """
        with self._remembering:
            # Statements of a block are parts of it, under its id.
            if counts and self.last_query_id != query_id:
                self.query_ids.append(query_id)
                self.queries += 1
            self.results[query_id], self._sizes[query_id] = result, result.size
            size = sum(self._sizes.values())
            while len(self.results) > 1 and (len(self.results) > RESULTS_KEPT or size > RESULT_BYTES_KEPT):
                oldest, _ = self.results.popitem(last=False)
                size -= self._sizes.pop(oldest)

    @property
    def last_query_id(self) -> str | None:
        return self.query_id(-1)

    def query_id(self, number: int) -> str | None:
        """The id of the statement at a position, from the first (1) or the latest (-1); None if it is not known.

        https://docs.snowflake.com/en/sql-reference/functions/last_query_id
        """
        at = number - 1 - (self.queries - len(self.query_ids)) if number > 0 else len(self.query_ids) + number
        return self.query_ids[at] if number and 0 <= at < len(self.query_ids) else None

    def interrupt(self) -> None:
        """Ask DuckDB to cancel the executing statement, if any, from another thread."""
        with self._workplace.ending:
            if not self._workplace.is_closed:
                self.duck.interrupt()

    def close(self) -> None:
        """Close the connection to DuckDB, unless it is the caller's, once its statement has ended."""
        if self.is_callers:
            return
        with self.lock, self._workplace.ending:
            self._workplace.is_closed = True
            self.connection.close()

    def next_relation(self) -> int:
        """A number for a relation that one statement reads."""
        return next(self._workplace.relations)

    @property
    def executing(self) -> str | None:
        """The id of the statement that has the lock."""
        return self._workplace.executing

    @executing.setter
    def executing(self, query_id: str | None) -> None:
        self._workplace.executing = query_id

    @property
    def is_closed(self) -> bool:
        return self._workplace.is_closed

    @property
    def connection(self) -> FakeSnowflakeConnection:
        return self._workplace.connection

    @property
    def lock(self) -> threading.RLock:
        return self._workplace.lock

    @property
    def variables(self) -> dict[str, SessionVariable]:
        return self._workplace.variables

    @property
    def temporaries(self) -> set[ObjectName]:
        return self._workplace.temporaries

    @property
    def dropped(self) -> set[ObjectName]:
        return self._workplace.dropped

    @property
    def lengths(self) -> dict[ObjectName, dict[str, int]]:
        return self._workplace.lengths

    @property
    def changed(self) -> set[ObjectName]:
        return self._workplace.changed

    @changed.setter
    def changed(self, names: set[ObjectName]) -> None:
        self._workplace.changed = names

    @property
    def zone(self) -> str | None:
        return self._workplace.zone

    @zone.setter
    def zone(self, zone: str) -> None:
        self._workplace.zone = zone

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction was begun explicitly."""
        return self._workplace.in_transaction

    @in_transaction.setter
    def in_transaction(self, is_open: bool) -> None:
        self._workplace.in_transaction = is_open

    @property
    def begun_in(self) -> int | None:
        """The scope in which the open transaction was begun."""
        return self._workplace.begun_in

    @begun_in.setter
    def begun_in(self, scope: int | None) -> None:
        self._workplace.begun_in = scope

    @property
    def begun_at(self) -> datetime | None:
        return self._workplace.begun_at

    @begun_at.setter
    def begun_at(self, moment: datetime | None) -> None:
        self._workplace.begun_at = moment

    @property
    def transaction(self) -> int | None:
        """The number of the open transaction: the nanoseconds from 1970 to its beginning."""
        return None if self.begun_at is None else int(self.begun_at.timestamp() * 1_000_000) * 1000

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement in DuckDB's dialect, run in this session's transaction.

        A result that is not read to its end would keep the connection busy.
        """
        with self.lock:
            return self.duck.execute(sql, parameters).fetchall()

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
        return str(value_of("QUERY_TAG", self.parameters) or "")
