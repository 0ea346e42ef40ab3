"""The private names of fakesnow that the engine uses, each read in one place.

`tests/foreign/test_foreign_fakesnow.py` tests each of them, so that a release that moves one is noticed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
from fakesnow.instance import FakeSnow
from fakesnow.transforms import stage
from sqlglot import exp

from sfml_local.core import fast_trees
from sfml_local.core.translation_steps import NeededSteps

if TYPE_CHECKING:
    import pyarrow as pa
    from fakesnow.cursor import FakeSnowflakeCursor
    from fakesnow.fakes import FakeSnowflakeConnection
    from sqlglot import Expr

fast_trees.install()

with contextlib.suppress(OSError):
    # fakesnow creates this temporary folder on import, for its stages, which are not used here, and never removes it.
    Path(stage.LOCAL_BUCKET_PATH).rmdir()

NOTES = ("table_comment", "col_comments", "text_lengths")
"""Arguments that fakesnow adds to a transformed statement and writes after its effect, as text that it
inserts into SQL; the engine writes the same with parameters."""


class ForgottenResults(dict[str, Any]):
    """Replaces fakesnow's cache of results, which would keep each with its parse tree until the server ends."""

    def __setitem__(self, query_id: str, result: Any) -> None:
        """Keep nothing: a session remembers its latest results itself, in `Session.remember`."""


def instance(folder: Path) -> FakeSnow:
    """fakesnow for the files of a folder, whose connections create nothing, and forget results once they are read.

    Its own start makes a database about all databases in memory; the engine opens one in a file.
    """
    made = FakeSnow.__new__(FakeSnow)
    vars(made).update(
        create_database_on_connect=False,
        create_schema_on_connect=False,
        db_path=folder,
        nop_regexes=None,
        results_cache=ForgottenResults(),
        duck_conn=duckdb.connect(":memory:", config={"lambda_syntax": "ENABLE_SINGLE_ARROW"}),
    )
    made.duck_conn.execute("SET GLOBAL TimeZone = 'UTC'")
    return made


def duck_of(connection: FakeSnowflakeConnection) -> duckdb.DuckDBPyConnection:
    """The DuckDB connection below a session's."""
    return connection._duck_conn


def is_autocommit(connection: FakeSnowflakeConnection) -> bool:
    """Whether each statement commits by itself."""
    return bool(connection._autocommit)


def is_in_transaction(connection: FakeSnowflakeConnection) -> bool:
    """Whether a statement without autocommit has begun a transaction."""
    return bool(connection._in_transaction)


def mark_transaction(connection: FakeSnowflakeConnection, *, is_open: bool) -> None:
    """Tell fakesnow that the transaction of a session without autocommit has begun or ended."""
    connection._in_transaction = is_open


def set_place(connection: FakeSnowflakeConnection, database: str | None, schema: str | None) -> None:
    """Set the database and schema with which fakesnow qualifies names; None is unset."""
    connection.database = database
    connection.database_set = database is not None
    connection._schema = schema
    connection.schema_set = schema is not None


def check_place(cursor: FakeSnowflakeCursor, tree: Expr) -> None:
    """Refuse a statement for which the session lacks a current database or schema; one that has both lacks none."""
    connection = cursor._conn
    if not (connection.database_set and connection.schema_set):
        cursor.check_db_and_schema(tree)


def transform(cursor: FakeSnowflakeCursor, tree: Expr, params: list[Any]) -> Expr:
    """Translate one statement from Snowflake's dialect to DuckDB's."""
    steps: Any = cursor._transform(NeededSteps(tree), params)  # type: ignore[arg-type]
    return steps.tree  # type: ignore[no-any-return]


def statements_of(cursor: FakeSnowflakeCursor, tree: Expr) -> list[Expr]:
    """Split a statement such as ADD COLUMN a, b into several, because DuckDB accepts one column each."""
    actions = tree.args.get("actions") or () if isinstance(tree, exp.Alter) else ()
    if len(actions) > 1 and all(isinstance(action, exp.AlterColumn) for action in actions):
        return [_with_action(tree, action) for action in actions]
    return cursor._transform_explode(tree)


def _with_action(tree: Expr, action: Expr) -> Expr:
    one = tree.copy()
    one.set("actions", [action.copy()])
    return one


class BoundedRows:
    """A DuckDB connection whose answers become Arrow tables of at most so many bytes.

    A query's rows go into Arrow as they are worked out: `execute` of the connection would keep them, and read them
    again by another statement. What fakesnow says of a change, as a query of constants, is answered without DuckDB.
    """

    def __init__(self, duck: duckdb.DuckDBPyConnection, most: int) -> None:
        self._duck: Any = duck
        self._most = most
        self._rows: Any = None
        """The open answer of a query, or what was said of a change; None for all else."""
        self._described: list[tuple[Any, ...]] | None = None
        self.is_query = False
        """Whether what is executed next is one query."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._duck, name)

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> BoundedRows:
        self._rows = _said(sql)
        if self._rows is None and self.is_query and ";" not in sql:
            self._duck.abort()  # an earlier query's rows that nobody has read to their end
            self._rows = self._duck._submit(sql, params or None, "stream", _BATCH)
        elif self._rows is None:
            self._duck.execute(sql, params)
        self._described = None if self._rows is None else self._rows.description
        return self

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        return self._duck.description if self._described is None else self._described

    def to_arrow_table(self) -> pa.Table:
        """The rows of the last statement; raises MemoryError as soon as they take more."""
        import pyarrow as pa

        if isinstance(self._rows, Said):
            return self._rows.table
        batches, size = [], 0
        rows: Any = self._duck.to_arrow_reader() if self._rows is None else self._rows.arrow_reader()
        with rows as reader:  # else the connection would have an open answer
            try:
                for batch in reader:
                    size += batch.nbytes
                    if size > self._most:
                        raise MemoryError(
                            f"the rows of its answer alone take more than {self._most // 2**20} MB"
                        )
                    batches.append(batch)
            except OSError as cause:
                raise _duckdb_error(str(cause)) from cause
            return pa.Table.from_batches(batches, reader.schema)


_BATCH = 131_072
"""Rows of a batch, as many as DuckDB's own `to_arrow_reader` gives."""


class Said(NamedTuple):
    """A row of constants as DuckDB would answer it."""

    table: pa.Table
    description: list[tuple[Any, ...]]


_CONSTANT = re.compile(r"(?P<value>\d{1,9}|'[^']*') as (?P<quote>'?)(?P<name>[a-z -]+)(?P=quote)", re.ASCII)


def _said(sql: str) -> Said | None:
    """The answer to one of the queries in which fakesnow says what a statement has done; None for others."""
    if not sql.startswith("SELECT ") or " as " not in sql:
        return None
    found = [_CONSTANT.fullmatch(one) for one in sql.removeprefix("SELECT ").split(", ")]
    constants = [(one["name"], one["value"]) for one in found if one is not None]
    return _answered(tuple(constants)) if len(constants) == len(found) else None


@lru_cache(maxsize=128)
def _answered(constants: tuple[tuple[str, str], ...]) -> Said:
    import pyarrow as pa

    names = [name for name, _ in constants]
    arrays = [
        pa.array([value[1:-1]], pa.string()) if value[0] == "'" else pa.array([int(value)], pa.int32())
        for _, value in constants
    ]
    kinds = ["VARCHAR" if value[0] == "'" else "INTEGER" for _, value in constants]
    return Said(pa.Table.from_arrays(arrays, names=names), list(zip(names, kinds, strict=True)))


def _duckdb_error(text: str) -> duckdb.Error:
    """DuckDB's own error of what Arrow reports as an error of reading, as `Conversion Error: …`.

    Rows are worked out while they are read, so what is wrong with one of them, or an interrupt, comes by Arrow.
    """
    kind = text.partition(" Error: ")[0].replace(" ", "").lower()
    kinds = {
        name.removesuffix("Exception").lower(): name for name in dir(duckdb) if name.endswith("Exception")
    }
    error: type[duckdb.Error] = getattr(duckdb, kinds.get(kind, "Error"))
    return error(text)


def bound_rows(cursor: FakeSnowflakeCursor, most: int) -> None:
    """Let statements of the cursor that answer more bytes end with a MemoryError."""
    bounded: Any = BoundedRows(cursor._duck_conn, most)
    cursor._duck_conn = bounded


def execute(cursor: FakeSnowflakeCursor, transformed: Expr, params: list[Any] | None) -> None:
    """Run a statement that `transform` returned."""
    if isinstance(bounded := cursor._duck_conn, BoundedRows):
        bounded.is_query = isinstance(transformed, exp.Query)
    cursor._execute(transformed, params)


def answer(cursor: FakeSnowflakeCursor) -> pa.Table | None:
    """The rows of the statement that ran last."""
    return cursor._arrow_table


def description(cursor: FakeSnowflakeCursor) -> list[Any]:
    """The names and DuckDB types of the columns of the statement that ran last."""
    return list(cursor._duck_conn.description or ())
