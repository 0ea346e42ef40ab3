"""The interface of a service: statements and functions that it answers, passes over statements, and hooks.

A service is built once per account. Its data for the account is a part of it (`Account.part`), its data for a
session a part of the session; modules hold no data. Everything it offers is an argument of `Service.__init__`, so a
misspelt name does not type-check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.routing import BaseRoute

from sfml_local.core.account import Account, Handlers, Kind, Locator, Relation, SystemFunction, TableFunction
from sfml_local.core.definitions import Defined
from sfml_local.core.execution import Around, TreeHandler
from sfml_local.core.rest_call import Operations
from sfml_local.core.rewriting import Pass, TableCall
from sfml_local.core.session import Session

Hook = Callable[[Account], None]
SchemaHook = Callable[[Account, str, str], None]
ObjectHook = Callable[[Account, str, str], None]
RenameHook = Callable[[Account, str, str, str], None]
SessionHook = Callable[[Account, Session], None]


class Service:
    """Everything that one service offers its account. Subclasses define it; `registry.SERVICES` lists them."""

    def __init__(
        self,
        account: Account,
        *,
        schema: str = "",
        database_schema: Callable[[str], str] | None = None,
        handlers: Handlers | None = None,
        read_only: frozenset[type] = frozenset(),
        trees: Mapping[type, TreeHandler] | None = None,
        system_functions: Mapping[str, SystemFunction] | None = None,
        table_functions: Mapping[str, TableFunction] | None = None,
        relations: Mapping[str, Relation] | None = None,
        first_rewrites: tuple[Pass, ...] = (),
        rewrites: tuple[Pass, ...] = (),
        table_calls: tuple[TableCall, ...] = (),
        around: tuple[Around, ...] = (),
        defined: tuple[Defined, ...] = (),
        committing: tuple[Callable[[Session], None], ...] = (),
        locators: Mapping[str, Locator] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        operations: Operations | None = None,
        routes: tuple[BaseRoute, ...] = (),
        schema_dropped: tuple[SchemaHook, ...] = (),
        object_dropped: tuple[ObjectHook, ...] = (),
        object_renamed: tuple[RenameHook, ...] = (),
        session_closed: tuple[SessionHook, ...] = (),
        start: tuple[Hook, ...] = (),
        stop: tuple[Hook, ...] = (),
    ) -> None:
        """Called before the account's files are open.

        `schema` is SQL that creates its tables in the account's SQLite file (CREATE TABLE IF NOT EXISTS …), and
        `database_schema` such SQL for each database of DuckDB's, by the database's name.
        `handlers` carry out statements of the grammar, those of `read_only` when they are described, too; `trees`
        statements that sqlglot reads.
        `system_functions` are called by their names: `SYSTEM$NAME`, `DATABASE.SCHEMA.NAME`, or `!METHOD` with the
        object's name as first argument; so are `table_functions`, `NAME` of any INFORMATION_SCHEMA.
        `relations` are read like tables: `DATABASE.SCHEMA.NAME`, or `INFORMATION_SCHEMA.NAME` of any database.
        `first_rewrites` and `rewrites` are passes over a statement before and after those of `rewrites.py`;
        `table_calls` say what a table function stands for that is none of these; `around` goes around the execution,
        `defined` follows CREATE, ALTER and DROP, `committing` comes before a definition commits what is open.
        `locators` find the files of addresses that begin so (`snow://model/`); `kinds` answer for its objects where
        grants, tags and GET_DDL ask.
        `operations` are `METHOD /path` below /api/v2, `routes` Starlette's besides.
        `schema_dropped` is called before a schema goes with all that is in it; `object_dropped` and `object_renamed`
        are called with kind and full name of another object than a table or view that goes, is replaced or gets a new
        name. `session_closed` is called after a session has ended, `start` and `stop` when the server has started and
        is about to stop.
        """
        self.account = account
        self.schema = schema
        self.database_schema = database_schema
        self.handlers = handlers or {}
        self.read_only = read_only
        self.trees: Mapping[type, Any] = trees or {}
        self.system_functions = system_functions or {}
        self.table_functions = table_functions or {}
        self.relations = relations or {}
        self.first_rewrites = first_rewrites
        self.rewrites = rewrites
        self.table_calls = table_calls
        self.around = around
        self.defined = defined
        self.committing = committing
        self.locators = locators or {}
        self.kinds = kinds or {}
        self.operations = operations or {}
        self.routes = routes
        self._schema_dropped = schema_dropped
        self._object_dropped = object_dropped
        self._object_renamed = object_renamed
        self._session_closed = session_closed
        self._start = start
        self._stop = stop

    def start(self) -> None:
        """Begin background work: the server listens."""
        for begin in self._start:
            begin(self.account)

    def stop(self) -> None:
        """End background work."""
        for end in reversed(self._stop):
            end(self.account)

    def schema_dropped(self, database: str, schema: str) -> None:
        """Drop the service's data of a schema."""
        for drop in self._schema_dropped:
            drop(self.account, database, schema)

    def object_dropped(self, kind: str, name: str) -> None:
        """Drop the service's data about an object of another service."""
        for drop in self._object_dropped:
            drop(self.account, kind, name)

    def object_renamed(self, kind: str, name: str, new: str) -> None:
        """Keep the service's data about an object of another service under its new name."""
        for rename in self._object_renamed:
            rename(self.account, kind, name, new)

    def session_closed(self, session: Session) -> None:
        """Drop data about a session that is kept outside of it."""
        for close in self._session_closed:
            close(self.account, session)
