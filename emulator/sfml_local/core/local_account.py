"""An account of services: opens its files, and passes statements to the service that answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sfml_local.core import database_recovery, execution, known_trees, plain_readings, set_aside, store
from sfml_local.core.account import Account
from sfml_local.core.account import query_id as current_query
from sfml_local.core.bindings import (
    exists_before_name,
    immediate_bindings,
    inline_bindings,
    inline_identifiers,
    public_places,
    quoted_files,
    quoted_urls,
    without_scoped,
)
from sfml_local.core.chains import run_chain
from sfml_local.core.clock import now
from sfml_local.core.defaults import DATABASE
from sfml_local.core.engine import Engine
from sfml_local.core.errors import SqlError, not_emulated, too_complex
from sfml_local.core.execution import Followers
from sfml_local.core.naming_locks import NamingLocks, name_in
from sfml_local.core.nested_statements import refuse_nested
from sfml_local.core.places import missing_place
from sfml_local.core.queries import Queries, rows_of
from sfml_local.core.result import Column, Result, status
from sfml_local.core.service import Service
from sfml_local.core.session import Session
from sfml_local.core.sessions import Sessions
from sfml_local.core.settings import Settings, read
from sfml_local.core.store import Store
from sfml_local.core.transactions import commit_before_definition, is_open
from sfml_local.core.unknown_references import UnknownReference, UnknownRelation, placed
from sfml_local.grammar.flow import chained
from sfml_local.grammar.statements import is_definition, parse_statement
from sfml_local.grammar.tokens import SqlSyntaxError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import Expr

Builder = Callable[[Account], Service]
Key = TypeVar("Key")
Value = TypeVar("Value")


class LocalAccount(Account):
    """An account of these services, each built for it alone."""

    def __init__(
        self,
        folder: Path,
        services: Iterable[Builder],
        *,
        token: str | None = None,
        clock: Callable[[], datetime] = now,
        schedules: bool = True,
        settings: Settings | None = None,
    ) -> None:
        settings = settings or read()
        super().__init__(folder, token=token, clock=clock, schedules=schedules, settings=settings)
        self.services = tuple(build(self) for build in services)
        self.handlers = _merged(one.handlers for one in self.services)
        self.read_only = frozenset(chain.from_iterable(one.read_only for one in self.services))
        self.system_functions = _merged(one.system_functions for one in self.services)
        self.table_functions = _merged(one.table_functions for one in self.services)
        self.relations = _merged(one.relations for one in self.services)
        self.locators = _merged(one.locators for one in self.services)
        self.kinds = _merged(one.kinds for one in self.services)
        self.operations = _merged(one.operations for one in self.services)
        self.routes = tuple(chain.from_iterable(one.routes for one in self.services))
        self._followers = Followers(
            first=tuple(chain.from_iterable(one.first_rewrites for one in self.services)),
            last=tuple(chain.from_iterable(one.rewrites for one in self.services)),
            around=tuple(chain.from_iterable(one.around for one in self.services)),
            defined=tuple(chain.from_iterable(one.defined for one in self.services)),
            table_calls=tuple(chain.from_iterable(one.table_calls for one in self.services)),
            trees=_merged(one.trees for one in self.services),
        )
        self.store = self._open_store(folder / set_aside.METADATA_FILE)
        in_databases = [one.database_schema for one in self.services if one.database_schema is not None]
        self.engine = Engine(folder, self.noticed, settings, in_databases)
        database_recovery.open_databases(self.engine, self.store, self.noticed)
        committing = tuple(chain.from_iterable(one.committing for one in self.services))
        self.sessions = Sessions(self.engine, self._session_closed, committing)
        if DATABASE not in self.engine.unavailable:
            with_database = self.sessions.open()
            self.execute(with_database, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
            self.sessions.close(with_database)

    def _open_store(self, file: Path) -> Store:
        has_databases = any((self.folder / set_aside.DATABASES).glob("*.db"))
        if (damage := store.damage(file)) is not None:
            aside = set_aside.put_aside(file, logs=("-wal", "-shm"))
            self.noticed.add(f"{file.name} is damaged, put aside as {aside}: {damage}")
        elif has_databases and not (file.exists() and file.stat().st_size):
            self.noticed.add(
                f"{file.name} is missing: tables are there, but tasks, stages, models and runs are no longer known:"
                " apply and seed again",
                shown=True,
            )
        schemas = tuple(one.schema for one in self.services)
        return Store(file, schemas, durable=bool(self.settings.durable))

    def start(self) -> None:
        """Begin background work; called when the server listens."""
        for service in self.services:
            service.start()

    def close(self) -> None:
        """End background work and close every file."""
        self.stopping.set()
        for service in reversed(self.services):
            service.stop()
        self.sessions.close_all()
        self.engine.close()
        self.store.close()

    def _session_closed(self, session: Session) -> None:
        self.part(Queries).keep_results(session)
        for service in self.services:
            service.session_closed(session)

    def schema_dropped(self, database: str, schema: str) -> None:
        for service in self.services:
            service.schema_dropped(database, schema)

    def object_dropped(self, kind: str, name: str) -> None:
        for service in self.services:
            service.object_dropped(kind, name)

    def object_renamed(self, kind: str, name: str, new: str) -> None:
        for service in self.services:
            service.object_renamed(kind, name, new)

    # -- statements -----------------------------------------------------------------------------------

    def execute(
        self,
        session: Session,
        sql: str,
        params: Sequence[Any] | None = None,
        describe_only: bool = False,
        query_id: str | None = None,
    ) -> Result:
        if query_id is None or describe_only:
            return self._answered(session, sql, list(params or ()), describe_only, query_id)
        with self.part(Queries).recorded(session, query_id, sql) as query:
            result = self._answered(session, sql, list(params or ()), describe_only, query_id)
            query.rows = rows_of(result)
            session.remember(query_id, result)
            return result

    def _answered(
        self, session: Session, sql: str, params: list[Any], describe_only: bool, query_id: str | None
    ) -> Result:
        """The result under a query id, or under none: what services execute for a statement is no query."""
        mark = current_query.set(query_id or self.new_query_id())
        try:
            return self._execute(session, sql, params, describe_only, is_query=query_id is not None)
        except SqlSyntaxError as cause:
            raise SqlError(str(cause), 1003, "42000") from cause
        except UnknownReference as cause:
            raise placed(cause, sql) from cause
        except UnknownRelation as cause:
            raise missing_place(cause, self, session, sql) from cause
        except RecursionError as cause:
            raise too_complex() from cause
        finally:
            known_trees.forget()
            current_query.reset(mark)

    def _execute(
        self, session: Session, sql: str, params: list[Any], describe_only: bool, *, is_query: bool
    ) -> Result:
        if self.ignored.has(sql):
            return status()
        if not params and not describe_only and (reading := plain_readings.read(self, session, sql)):
            return reading
        sql = quoted_files(sql)
        if "->>" in sql and (statements := chained(inline_bindings(sql, params))):
            return run_chain(self, session, statements, describe_only=describe_only)
        written = sql
        sql, params = immediate_bindings(*inline_identifiers(without_scoped(sql), params))
        sql = exists_before_name(public_places(quoted_urls(sql)))
        statement = parse_statement(inline_bindings(sql, params))
        if is_query and not describe_only:
            refuse_nested(session, statement, written)
        if statement is None:
            return self.run(session, sql, params, describe_only)
        handler = self.handlers.get(type(statement))
        if handler is None:
            raise not_emulated(sql)
        if describe_only and type(statement) not in self.read_only:
            return Result((Column("status"),))
        if not describe_only and is_open(session) and is_definition(sql):
            commit_before_definition(session)
        if (name := name_in(statement)) is None:
            return handler(self, session, statement)
        with self.part(NamingLocks).holding(name):
            return handler(self, session, statement)

    def run(
        self, session: Session, sql: str, params: Sequence[Any] = (), describe_only: bool = False
    ) -> Result:
        return execution.run(self, self._followers, session, sql, params, describe_only)

    def run_tree(
        self,
        session: Session,
        tree: Expr,
        params: Sequence[Any] = (),
        describe_only: bool = False,
        staged: Mapping[str, pa.Table] | None = None,
        written: str | None = None,
    ) -> Result:
        return execution.run_tree(
            self, self._followers, session, tree, params, describe_only, staged, written
        )


def _merged(parts: Iterable[Mapping[Key, Value]]) -> dict[Key, Value]:
    """The handlers of all services; no two services may handle the same kind."""
    merged: dict[Key, Value] = {}
    for part in parts:
        twice = merged.keys() & part.keys()
        assert not twice, f"two services have {twice}"
        merged.update(part)
    return merged
