"""The SQL engine: fakesnow over DuckDB, its databases and tables; `execution` runs statements on it."""

from __future__ import annotations

import contextlib
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import SERVER_VERSION

from sfml_local.core import (
    database_files,
    fakesnow_port,
    global_database,
    memory,
)
from sfml_local.core.database_maker import MAKER, at_once
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions import library
from sfml_local.core.expressions import macros as own_macros
from sfml_local.core.names import ObjectName
from sfml_local.core.noted_tables import NotedTables
from sfml_local.core.settings import Settings
from sfml_local.core.translating import translating
from sfml_local.grammar.quoting import duckdb_identifier, duckdb_literal

if TYPE_CHECKING:
    import pyarrow as pa
    from fakesnow.fakes import FakeSnowflakeConnection

    from sfml_local.core.notices import Notices
    from sfml_local.core.session import Session

# fakesnow reads rows with an Arrow function that DuckDB calls deprecated at every statement.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)


RESERVED = frozenset({"memory", "temp", "system", GLOBAL_DATABASE_NAME.lower()})
"""Names of internal databases of DuckDB and fakesnow."""

MOST_THREADS = 256
"""More threads than that gain nothing, and each has a stack; DuckDB takes any number that it is given."""

_PLAIN = re.compile(r"[^\W\d][\w$]*")
"""Names that fakesnow can use, because it writes them unquoted into its own statements."""

COLUMNS = """
SELECT column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns()
WHERE database_name = ? AND schema_name = ? AND table_name = ?
ORDER BY column_index
"""

_NAMED = {
    "table": "SELECT 'TABLE' FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
    "view": "SELECT 'VIEW' FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
}
"""Whether what DuckDB finds in any case, a table or a view, has just this name."""

KINDS = " UNION ALL ".join(_NAMED.values())

SCHEMAS = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? AND NOT internal"
HIDDEN_SCHEMAS = {"main", "_fs_information_schema"}
"""Schemas that DuckDB and fakesnow need."""

SEQUENCES = """
SELECT 1 FROM duckdb_sequences() WHERE database_name = ? AND schema_name = ? AND sequence_name = ?
"""


class Run(Protocol):
    """Runs a statement in DuckDB's dialect, outside of sessions or in the transaction of one, and returns its rows."""

    def __call__(self, sql: str, parameters: Sequence[Any] = ..., /) -> list[tuple[Any, ...]]: ...


def stored_columns(run: Run, parts: Sequence[str]) -> list[tuple[str, str]]:
    """(name, DuckDB type) of the columns of a table or view; empty if there is none.

    Takes a quarter of the time of a query of the catalogue, which takes longer the more tables there are.
    """
    place = duckdb_identifier(*parts)
    try:
        rows = run(f"PRAGMA table_info({duckdb_literal(place)})")
    except duckdb.CatalogException:
        return []
    return [(row[1], str(row[2])) for row in rows]


class UnreadableFile(Exception):
    """DuckDB cannot read a file in the format in which it was to read it."""


class Engine:
    """fakesnow over the DuckDB files of one folder: one file per database, and one for data about all of them."""

    version = SERVER_VERSION
    """The version of Snowflake that clients are told."""

    def __init__(
        self,
        folder: Path,
        notices: Notices,
        settings: Settings,
        definitions: Sequence[Callable[[str], str]] = (),
    ) -> None:
        """`definitions` is the SQL of services for each database, by its name; it may run repeatedly."""
        self._definitions = definitions
        self.folder = folder / "databases"
        self.changing = threading.RLock()
        """Acquired while databases and schemas are created or dropped."""
        self._functions: list[Callable[..., Any]] = []
        """Python functions that DuckDB calls; it keeps them only while the connection that registered them exists."""
        self._fakesnow = fakesnow_port.instance(self.folder)
        duck = self._fakesnow.duck_conn
        self._limits = memory.limits_of(folder, settings)
        self.answer_bytes = self._limits.answer_bytes
        memory.bind(duck, self._limits)
        if settings.threads:
            duck.execute(f"SET GLOBAL threads = {min(settings.threads, MOST_THREADS)}")
        self._durable = bool(settings.durable)
        if not self._durable:
            duck.execute("SET GLOBAL fsync_mode = 'NONE'")
        # Otherwise DuckDB would look for missing tables among the Python variables of the caller.
        duck.execute("SET GLOBAL python_enable_replacements = false")
        # A statement that is refused when it is bound has done nothing, and is tried otherwise or goes without loss.
        duck.execute(
            "SET GLOBAL default_transaction_invalidation_policy = 'SYNTACTIC_ERRORS_DO_NOT_INVALIDATE'"
        )
        self._functions += library.register(duck)
        own_macros.define(duck)
        global_database.open_global(notices, duck, folder, durable=self._durable)
        self.noted = NotedTables(duck)
        self._schemas: dict[str, frozenset[str]] = {}
        """The schemas of each open database. DuckDB knows them too, but nearly every session and statement asks."""
        self.unavailable: dict[str, str] = {}
        """Databases whose files exist but cannot be opened at the moment, with the reason."""

    # -- databases ------------------------------------------------------------------------------------

    def attach(self, database: str) -> None:
        """Open or create the file of a database, with fakesnow's views and macros in it."""
        if (reason := self.unavailable.get(database)) is not None:
            raise SqlError(f"Database '{database}' cannot be opened: {reason}", 606, "57P03")
        if database.lower() in RESERVED | {name.lower() for name in self.databases()}:
            raise not_emulated(
                f"CREATE DATABASE {duckdb_identifier(database)} (DuckDB has one of that name in any case)"
            )
        if not _PLAIN.fullmatch(database):
            raise not_emulated(
                f"CREATE DATABASE {duckdb_identifier(database)} (letters, digits, _ and $ alone)"
            )
        file = database_files.file_of(self.folder, database)
        with translating(f"CREATE DATABASE {database}"), self.connection() as duck:
            quoted, defined = duckdb_identifier(database), self._defined(database)
            schema = f"CREATE SCHEMA {quoted}.{duckdb_identifier(database_files.DEFAULT_SCHEMA)}"
            is_new = MAKER.create(file, database, f"{schema};{defined}", durable=self._durable)
            duck.execute(f"ATTACH {_literal(file)} AS {quoted}")
            self._schemas[database] = frozenset()
            if not is_new:
                duck.execute(at_once(defined))
            schemas = duck.execute(SCHEMAS, [database]).fetchall()
        self._schemas[database] = frozenset(name for (name,) in schemas) - HIDDEN_SCHEMAS

    def _defined(self, database: str) -> str:
        """The SQL of fakesnow and of the services for a database; it may run repeatedly."""
        quoted = duckdb_identifier(database)
        views = info_schema.per_db_creation_sql(quoted).replace(f"'{quoted}'", _literal(database))
        own = (definition(database) for definition in self._definitions)
        return ";".join((views, macros.creation_sql(quoted), *own))

    def detach(self, database: str) -> None:
        """Close a database, which need not be open; its file stays."""
        with translating(f"DROP DATABASE {database}"), self.connection() as duck:
            duck.execute(f"DETACH DATABASE IF EXISTS {duckdb_identifier(database)}")
        self._schemas.pop(database, None)

    def begin_drop(self, database: str) -> None:
        """Close a database permanently; the next server completes the drop if this one dies."""
        file = database_files.file_of(self.folder, database)
        # Mark the file first: DuckDB writes its log into it on closing, and a server that dies then leaves it broken.
        database_files.begin_drop(file)
        try:
            self.detach(database)
        except BaseException:
            database_files.undo_drop(file)
            raise

    def end_drop(self, database: str) -> None:
        """Delete the file of a database that is closed and forgotten."""
        database_files.end_drop(database_files.file_of(self.folder, database))

    def databases(self) -> tuple[str, ...]:
        """The names of the databases, sorted."""
        return tuple(sorted(self._schemas))

    def has_database(self, name: str) -> bool:
        return name in self._schemas

    def schemas(self, database: str) -> tuple[str, ...]:
        """The names of a database's schemas, sorted, without those that DuckDB and fakesnow need."""
        return tuple(sorted(self._schemas.get(database, ())))

    def has_schema(self, database: str, name: str) -> bool:
        return name == "INFORMATION_SCHEMA" or name in self.schemas(database)

    def create_schema(self, database: str, name: str) -> None:
        with translating(f"CREATE SCHEMA {name}"):
            self.rows(f"CREATE SCHEMA {duckdb_identifier(database)}.{duckdb_identifier(name)}")
        self._schemas[database] |= {name}

    def drop_schema(self, database: str, name: str) -> None:
        self.rows(f"DROP SCHEMA {duckdb_identifier(database)}.{duckdb_identifier(name)} CASCADE")
        self._schemas[database] -= {name}

    def columns(self, session: Session, name: ObjectName) -> list[tuple[Any, ...]]:
        """(name, DuckDB type, text length, nullable, default, comment) of a table's or view's columns."""
        parts = name.parts
        if name in session.temporaries:
            parts = ("temp", "main", name.fqn())
        found = session.rows(COLUMNS, parts)
        lengths = self.sizes(session, name)
        return [(*row[:2], lengths.get(row[0]), *row[2:]) for row in found]

    def held_types(self, session: Session, name: ObjectName) -> dict[str, tuple[str, int | None]]:
        """Column → its DuckDB type, and its length or places if it has some; empty if there is no such table.

        Every INSERT calls this twice. DuckDB tells the columns of a query that it binds in a tenth of the time of
        `columns`; a view may hold a query that it can no longer bind.
        """
        parts = name.parts
        if name in session.temporaries:
            parts = ("temp", "main", name.fqn())
        with session.lock:
            duck: Any = session.duck
            if duck._table_kind(parts) == "table":
                duck.abort()  # an earlier query's rows that nobody has read to their end
                names, types, *_ = duck._bind(f"SELECT * FROM {duckdb_identifier(*parts)}")
                found = list(zip(names, map(str, types), strict=True))
            else:
                found = stored_columns(session.rows, parts)
            lengths = self.sizes(session, name)
        return {column: (type, lengths.get(column)) for column, type in found}

    def sizes(self, session: Session, name: ObjectName) -> Mapping[str, int]:
        """The declared lengths of a table's texts and bytes, and the places of its times."""
        if name in session.temporaries:
            return session.lengths.get(name, {})
        return self.noted.lengths.get(name, {})

    def kind_of(self, session: Session, parts: tuple[str, str, str]) -> str | None:
        """TABLE or VIEW, for an object with these names in DuckDB; None if there is none.

        Asking the catalogue takes as long as a small statement, and longer the more tables there are. DuckDB looks one
        name up at once, in any case.
        """
        with session.lock:
            looked_up: Any = session.duck
            if (kind := looked_up._table_kind(parts)) == "none":
                return None
            rows = session.rows(_NAMED[kind], parts)
        return str(rows[0][0]) if rows else None

    def has_sequence(self, session: Session, name: ObjectName) -> bool:
        """Whether there is a sequence; it may have the name of a table."""
        return bool(session.rows(SEQUENCES, name.parts))

    # -- sessions -------------------------------------------------------------------------------------

    def connect(self) -> FakeSnowflakeConnection:
        return self._fakesnow.connect()

    def use(self, session: Session, database: str | None, schema: str | None) -> None:
        """Set the session's current database and schema; if one does not exist, it is left unset.

        A session that another thread has closed meanwhile needs none.
        """
        has_database = database is not None and self.has_database(database)
        has_schema = has_database and schema is not None and self.has_schema(str(database), schema)
        inner = "_FS_INFORMATION_SCHEMA" if schema == "INFORMATION_SCHEMA" else schema
        connection = session.connection
        with session.lock:
            if session.is_closed:
                return
            if has_database:
                assert database is not None
                place = f"{duckdb_identifier(database)}.{duckdb_identifier(inner if has_schema and inner else 'main')}"
            else:
                place = "memory.main"
            session.rows(f"SET schema = {_literal(place)}")
            fakesnow_port.set_place(
                connection, database if has_database else None, inner if has_schema else None
            )

    @contextlib.contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A new connection to DuckDB outside of all sessions, for this room alone."""
        with self._fakesnow.duck_conn.cursor() as duck:
            yield duck

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query in DuckDB's dialect, outside of all sessions."""
        with self.connection() as duck:
            return duck.execute(sql, parameters).fetchall()

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The same as an Arrow table."""
        with self.connection() as duck:
            return duck.execute(sql, parameters).to_arrow_table()

    def file_rows(self, sql: str, parameters: Sequence[Any]) -> pa.Table:
        """The rows of a query that reads files; raises UnreadableFile if they are not in the format that it says."""
        try:
            return self.arrow(sql, parameters)
        except duckdb.InvalidInputException as cause:
            raise UnreadableFile(str(cause)) from cause

    def write_file(self, rows: pa.Table, expressions: str, options: str, file: Path) -> None:
        """Write expressions over rows into a file, with options of DuckDB's COPY."""
        with self.connection() as duck:
            # The cursor ends here, and with it the name.
            duck.register("_sfml_written", rows)
            duck.execute(f"COPY (SELECT {expressions} FROM _sfml_written) TO {_literal(file)} ({options})")
            duck.unregister("_sfml_written")

    def define_function(self, name: str, function: Callable[..., Any], *, volatile: bool) -> None:
        """Register a function of any arguments that returns texts, for all sessions while the engine is open.

        It takes and returns Arrow arrays with nulls. A volatile function is called for each row, even if its
        arguments are constants.
        """
        self._functions.append(function)
        with self.connection() as connection:
            duck: Any = connection
            duck.create_function(
                name, function, None, "VARCHAR", type="arrow", null_handling="special", side_effects=volatile
            )

    def close(self) -> None:
        self._fakesnow.duck_conn.close()
        memory.forget_spilled(self._limits)


def _literal(value: object) -> str:
    return duckdb_literal(str(value))
