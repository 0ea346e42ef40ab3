"""CREATE TABLE t (a VARCHAR(3) NOT NULL) AS SELECT …: the created rows are held to what the columns declare.

DuckDB has no lengths of texts and no places of times, and a table that it makes of a query has no NOT NULL.
https://docs.snowflake.com/en/sql-reference/sql/create-table
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.calls import SIZE
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
    return [column.copy() for column in columns if _size(column) is not None or _is_required(column)]


def check(session: Session, columns: list[exp.ColumnDef], parts: tuple[str, ...]) -> None:
    """Refuse a text that is too long or a NULL in the new table; the columns are NOT NULL from now on."""
    place = duckdb_identifier(*parts)
    for column in columns:
        if (size := _size(column)) is not None:
            _hold(session, place, column, size)
    for column in columns:
        if _is_required(column):
            name = duckdb_identifier(dotted(column.this))
            session.duck.execute(f"ALTER TABLE {place} ALTER COLUMN {name} SET NOT NULL")


def _hold(session: Session, place: str, column: exp.ColumnDef, size: int) -> None:
    """Refuse longer texts and bytes in a column, and cut off the places that its times have not."""
    name, kind = duckdb_identifier(dotted(column.this)), column.args["kind"].this
    if kind in _TIMES:
        if size < _MICROSECONDS:
            beyond = f"to_microseconds(microsecond({name}) % {10 ** (_MICROSECONDS - size)})"
            session.rows(f"UPDATE {place} SET {name} = {name} - {beyond}")
        return
    length, shown = ("octet_length", "hex") if kind in _BYTES else ("length", "")
    sql = f"SELECT {shown}({name}) FROM {place} WHERE {length}({name}) > {size} LIMIT 1"
    for (text,) in session.rows(sql):
        raise SqlError(f"String '{text}' is too long and would be truncated", 100078, "22000")


_T = exp.DataType.Type
_TIMES = exp.DataType.TEMPORAL_TYPES - {_T.DATE}
_BYTES = frozenset({_T.BINARY, _T.VARBINARY})
_MICROSECONDS = 6
"""The digits of a second that DuckDB keeps."""


def _size(column: exp.ColumnDef) -> int | None:
    """The length of texts or bytes, or the places of times."""
    kind = column.args.get("kind")
    if not isinstance(kind, exp.DataType) or kind.this not in _TIMES | _BYTES | exp.DataType.TEXT_TYPES:
        return None
    size = kind.meta.get(SIZE) or kind.expressions
    return int(size[0].name) if size else None


def _is_required(column: exp.ColumnDef) -> bool:
    kinds = (one.args.get("kind") for one in column.args.get("constraints") or ())
    return any(
        isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds
    )
