"""The account: one folder's databases, metadata, stages and sessions, and the one way to run a statement."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from sfml_local import registry as dispatch
from sfml_local.control import DATABASE as DATABASE
from sfml_local.control import SCHEMA as SCHEMA
from sfml_local.core import private_files, set_aside, store
from sfml_local.core.bindings import (
    exists_before_name,
    inline_bindings,
    inline_identifiers,
    quoted_urls,
    without_scoped,
)
from sfml_local.core.clock import now
from sfml_local.core.engine import Engine
from sfml_local.core.errors import SqlError, not_emulated, too_complex
from sfml_local.core.ignored import IgnoredStatements
from sfml_local.core.log_format import logger
from sfml_local.core.result import Column, Result, status
from sfml_local.core.session import Session, Sessions
from sfml_local.core.store import Store
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import SqlSyntaxError
from sfml_local.processes.children import Child

ACCOUNT_NAME = "LOCAL"

_query_id: ContextVar[str | None] = ContextVar("query_id", default=None)


class Account:
    """Everything a local Snowflake holds. `address` is set once the server listens."""

    def __init__(
        self,
        folder: Path,
        *,
        token: str | None = None,
        clock: Callable[[], datetime] = now,
        schedules: bool = True,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.schedules = schedules
        """Whether schedules and triggers fire from the start on."""
        self.ignored = IgnoredStatements()
        self.attention = threading.Event()
        """Set when something changed that may begin a task earlier than was known."""
        self.token = token or secrets.token_urlsafe(32)
        self.name: str = ACCOUNT_NAME
        self.host = "127.0.0.1"
        self.port = 0
        private_files.make_folder(folder)
        for part in (set_aside.DATABASES, "stages", "models", "logs"):
            private_files.make_folder(folder / part)
        self._notices: list[str] = []
        self.stages_folder = folder / "stages"
        self.models_folder = folder / "models"
        self.logs_folder = folder / "logs"
        self.store = self._open_store(folder / set_aside.METADATA_FILE)
        self.engine = Engine(self, folder)
        self.sessions = Sessions(self.engine, self._session_closed)
        self.system_functions = dispatch.SYSTEM_FUNCTIONS
        self.stopping = threading.Event()
        self.last_request = time.monotonic()
        self.children: set[Child] = set()
        if DATABASE not in self.engine.unavailable:
            with_database = self.sessions.open()
            self.execute(with_database, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
            self.sessions.close(with_database)

    def _open_store(self, file: Path) -> Store:
        has_databases = any((self.folder / set_aside.DATABASES).glob("*.db"))
        if (damage := store.damage(file)) is not None:
            aside = set_aside.put_aside(file, logs=("-wal", "-shm"))
            self.notice(f"{file.name} is damaged, put aside as {aside}: {damage}")
        elif has_databases and not (file.exists() and file.stat().st_size):
            self.notice(
                f"{file.name} is missing: tables are there, but tasks, stages, models and runs are no longer known:"
                " apply and seed again",
                shown=True,
            )
        return Store(file, dispatch.SCHEMAS)

    def notice(self, text: str, *, shown: bool = False) -> None:
        """Say something of the account's files in the log; `shown` to users, too, until the server ends."""
        logger.warning("%s", text)
        if shown:
            self._notices.append(text)

    @property
    def notices(self) -> tuple[str, ...]:
        """What its users have to know of damage: what this server met, and files that are put aside."""
        return (*set_aside.notices(self.folder), *self._notices)

    def start(self) -> None:
        """Begin background work; called when the server listens."""
        for hook in dispatch.STARTS:
            hook(self)

    def close(self) -> None:
        """End background work and close every file."""
        self.stopping.set()
        for hook in reversed(dispatch.STOPS):
            hook(self)
        self.sessions.close_all()
        self.engine.close()
        self.store.close()

    def _session_closed(self, session: Session) -> None:
        for hook in dispatch.SESSION_CLOSED:
            hook(self, session)

    def leave(self, database: str, schema: str | None = None) -> None:
        """Take every session out of a database or schema that is about to go."""
        for session in self.sessions:
            if session.database == database and schema in (None, session.schema):
                self.engine.use(session, database if schema else None, None)

    def schema_dropped(self, database: str, schema: str) -> None:
        """Let every family drop what it keeps in a schema."""
        for hook in dispatch.SCHEMA_DROPPED:
            hook(self, database, schema)

    # -- statements -----------------------------------------------------------------------------------

    @property
    def query_id(self) -> str:
        """The id of the statement that this thread is executing; names its log file."""
        return _query_id.get() or self.new_query_id()

    @staticmethod
    def new_query_id() -> str:
        return str(uuid.uuid4())

    def log_path(self, query_id: str | None = None) -> Path:
        """Where the output of a statement's processes is kept."""
        return self.logs_folder / f"{query_id or self.query_id}.log"

    def execute(
        self,
        session: Session,
        sql: str,
        params: Sequence[Any] | None = None,
        describe_only: bool = False,
        query_id: str | None = None,
    ) -> Result:
        """Run one statement; raises SqlError. Describing answers the columns and changes nothing."""
        query_id = query_id or self.new_query_id()
        mark = _query_id.set(query_id)
        try:
            result = self._execute(session, sql, list(params or ()), describe_only)
        except SqlSyntaxError as cause:
            raise SqlError(str(cause), 1003, "42000") from cause
        except RecursionError as cause:
            raise too_complex() from cause
        finally:
            _query_id.reset(mark)
        if not describe_only:
            session.remember(query_id, result)
        return result

    def _execute(self, session: Session, sql: str, params: list[Any], describe_only: bool) -> Result:
        if self.ignored.has(sql):
            return status()
        sql, params = inline_identifiers(without_scoped(sql), params)
        sql = exists_before_name(quoted_urls(sql))
        statement = parse_statement(inline_bindings(sql, params))
        if statement is None:
            return self.engine.run(session, sql, params, describe_only)
        handler = dispatch.HANDLERS.get(type(statement))
        if handler is None:
            raise not_emulated(sql)
        if describe_only and type(statement) not in dispatch.READ_ONLY:
            return Result((Column("status"),))
        return handler(self, session, statement)
