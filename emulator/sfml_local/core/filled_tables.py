"""CREATE TABLE t (a VARCHAR(3) NOT NULL) AS SELECT …: the created rows are held to what the columns declare.

DuckDB has no lengths of texts, and a table that it makes of a query has no NOT NULL.
https://docs.snowflake.com/en/sql-reference/sql/create-table
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.rewriting import dotted
from sfml_local.core.session import Session
from sfml_local.grammar.quoting import duckdb_identifier


def declared_columns(tree: Expr) -> list[exp.ColumnDef]:
    """The columns of a created table that a query fills, and whose rows have to be checked."""
    schema, query = tree.this, tree.args.get("expression")
    if (
        not isinstance(tree, exp.Create)
        or not isinstance(schema, exp.Schema)
        or not isinstance(query, exp.Query)
    ):
        return []
    columns = (one for one in schema.expressions if isinstance(one, exp.ColumnDef))
    return [column.copy() for column in columns if _length(column) is not None or _is_required(column)]


def check(session: Session, columns: list[exp.ColumnDef], parts: tuple[str, ...]) -> None:
    """Refuse a text that is too long or a NULL in the new table; the columns are NOT NULL from now on."""
    place = duckdb_identifier(*parts)
    for text_column, length in _lengths(columns):
        name = duckdb_identifier(text_column)
        sql = f"SELECT {name} FROM {place} WHERE length({name}) > {length} LIMIT 1"
        for (text,) in session.rows(sql):
            raise SqlError(f"String '{text}' is too long and would be truncated", 100078, "22000")
    for column in columns:
        if _is_required(column):
            name = duckdb_identifier(dotted(column.this))
            session.duck.execute(f"ALTER TABLE {place} ALTER COLUMN {name} SET NOT NULL")


def _lengths(columns: list[exp.ColumnDef]) -> Iterator[tuple[str, int]]:
    for column in columns:
        if (length := _length(column)) is not None:
            yield dotted(column.this), length


def _length(column: exp.ColumnDef) -> int | None:
    kind = column.args.get("kind")
    if not isinstance(kind, exp.DataType) or kind.this not in exp.DataType.TEXT_TYPES or not kind.expressions:
        return None
    return int(kind.expressions[0].name)


def _is_required(column: exp.ColumnDef) -> bool:
    kinds = (one.args.get("kind") for one in column.args.get("constraints") or ())
    return any(
        isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds
    )
