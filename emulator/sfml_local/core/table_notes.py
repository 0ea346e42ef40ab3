"""Data about tables that DuckDB does not store: their comments and the lengths of their columns.

Both are in fakesnow's tables, which its SHOW and INFORMATION_SCHEMA read; dropping a table removes its rows. They are
written here alone, and read from memory (`noted_tables`). The comments of columns are in DuckDB. A
session's temporary tables have no rows, because nothing shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from sfml_local.core.names import ObjectName
from sfml_local.core.noted_tables import COMMENTS, LENGTHS
from sfml_local.grammar.quoting import duckdb_identifier, duckdb_literal

if TYPE_CHECKING:
    from sfml_local.core.engine import Engine
    from sfml_local.core.result import Result

_OF_TABLE = "ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?"
_MAX_BYTES = 16777216


def set_comment(engine: Engine, table: ObjectName, text: str) -> None:
    """Store a table's or view's comment; an empty text removes it."""
    if table in engine.noted.comments:
        engine.rows(f"DELETE FROM {COMMENTS} WHERE {_OF_TABLE}", _key(table))
        del engine.noted.comments[table]
    if text:
        engine.rows(f"INSERT INTO {COMMENTS} VALUES (?, ?, ?, ?)", [*_key(table), text])
        engine.noted.comments[table] = text


def begin(engine: Engine, table: ObjectName, comment: str, lengths: Iterable[tuple[str, int]]) -> None:
    """Store the data about a table that was created, perhaps again; nothing is written that is known already."""
    known = dict(lengths)
    if engine.noted.comments.get(table, "") != comment:
        set_comment(engine, table, comment)
    if lengths_of(engine, table) != known:
        _forget_lengths(engine, table)
        set_lengths(engine, table, known.items())


def set_lengths(engine: Engine, table: ObjectName, lengths: Iterable[tuple[str, int]]) -> None:
    """Store the lengths of columns of texts and bytes; the last one counts."""
    known = dict(lengths)
    if not known:
        return
    for column in known:
        drop_column(engine, table, column)
    rows = [(*_key(table), name, size, min(size * 4, _MAX_BYTES)) for name, size in known.items()]
    values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(rows))
    engine.rows(f"INSERT INTO {LENGTHS} VALUES {values}", list(chain.from_iterable(rows)))
    engine.noted.lengths[table] = {**lengths_of(engine, table), **known}


def lengths_of(engine: Engine, table: ObjectName) -> Mapping[str, int]:
    """Column → its length, for the columns of texts and bytes that have one."""
    return engine.noted.lengths.get(table, {})


def forget(engine: Engine, table: ObjectName) -> None:
    """Drop the data about a table that was dropped."""
    set_comment(engine, table, "")
    _forget_lengths(engine, table)


def _forget_lengths(engine: Engine, table: ObjectName) -> None:
    if table in engine.noted.lengths:
        engine.rows(f"DELETE FROM {LENGTHS} WHERE {_OF_TABLE}", _key(table))
        del engine.noted.lengths[table]


def move(engine: Engine, table: ObjectName, new: ObjectName) -> None:
    """Move the data to the table's new name."""
    forget(engine, new)
    for place, kept in _places(engine):
        if table in kept:
            engine.rows(
                f"UPDATE {place} SET ext_table_schema = ?, ext_table_name = ? WHERE {_OF_TABLE}",
                [new.schema, new.name, *_key(table)],
            )
            kept[new] = kept.pop(table)


def rename_column(engine: Engine, table: ObjectName, column: str, new: str) -> None:
    """Move a column's length to its new name."""
    lengths = lengths_of(engine, table)
    if column in lengths:
        engine.rows(
            f"UPDATE {LENGTHS} SET ext_column_name = ? WHERE {_OF_TABLE} AND ext_column_name = ?",
            [new, *_key(table), column],
        )
        engine.noted.lengths[table] = {
            new if name == column else name: length for name, length in lengths.items()
        }


def drop_column(engine: Engine, table: ObjectName, column: str) -> None:
    lengths = lengths_of(engine, table)
    if column in lengths:
        engine.rows(
            f"DELETE FROM {LENGTHS} WHERE {_OF_TABLE} AND ext_column_name = ?", [*_key(table), column]
        )
        engine.noted.lengths[table] = {name: length for name, length in lengths.items() if name != column}


def forget_schema(engine: Engine, database: str, schema: str) -> None:
    """Drop the data about all tables of a schema."""
    for place, kept in _places(engine):
        gone = [table for table in list(kept) if (table.database, table.schema) == (database, schema)]
        if gone:
            engine.rows(
                f"DELETE FROM {place} WHERE ext_table_catalog = ? AND ext_table_schema = ?",
                [database, schema],
            )
            for table in gone:
                kept.pop(table, None)


def _places(engine: Engine) -> tuple[tuple[str, dict[ObjectName, Any]], ...]:
    return ((COMMENTS, engine.noted.comments), (LENGTHS, engine.noted.lengths))


def comments(engine: Engine) -> dict[ObjectName, str]:
    """The comments of tables and views."""
    return dict(engine.noted.comments)


def with_comments(engine: Engine, result: Result) -> Result:
    """The result of SHOW TABLES, VIEWS and OBJECTS with comments, which fakesnow leaves empty."""
    names = result.names()
    if not {"database_name", "schema_name", "name", "comment"} <= set(names):
        return result
    kept = {table.parts: comment for table, comment in comments(engine).items()}
    at = names.index("comment")
    key = [names.index(part) for part in ("database_name", "schema_name", "name")]
    rows = tuple(
        (*row[:at], kept.get(tuple(row[index] for index in key), row[at]), *row[at + 1 :])
        for row in result.rows
    )
    return replace(result, rows=rows)


def column_comment_sql(parts: tuple[str, ...], column: str, text: str) -> str:
    """The statement that sets a column's comment; DuckDB allows no parameter in it."""
    value = duckdb_literal(text) if text else "NULL"
    return f"COMMENT ON COLUMN {duckdb_identifier(*parts, column)} IS {value}"


def _key(table: ObjectName) -> list[str]:
    return [table.database, table.schema, table.name]
