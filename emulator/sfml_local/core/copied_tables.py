"""CREATE TABLE … LIKE and … CLONE: the copy has its table's columns with their types, lengths, defaults and comments.

https://docs.snowflake.com/en/sql-reference/sql/create-table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core import table_notes
from sfml_local.core.errors import not_emulated
from sfml_local.core.numbered_columns import copied_default
from sfml_local.core.temporaries import full_name
from sfml_local.grammar.quoting import duckdb_identifier

if TYPE_CHECKING:
    from sfml_local.core.engine import Engine
    from sfml_local.core.names import ObjectName
    from sfml_local.core.session import Session

_LONGEST = 16777216


@dataclass(frozen=True, slots=True)
class CopiedColumn:
    """A column of the copied table, as `Engine.columns` answers it; DuckDB's names of types and defaults."""

    name: str
    type: str
    length: int | None
    nullable: bool
    default: str | None
    comment: str | None


def source_of(tree: Expr) -> exp.Table | None:
    """The table that a statement copies."""
    if not isinstance(tree, exp.Create) or str(tree.args.get("kind")).upper() != "TABLE":
        return None
    found = tree.args.get("clone") or _like(tree)
    table = found.this if isinstance(found, Expr) else None
    return table if isinstance(table, exp.Table) else None


def source_name(tree: Expr, session: Session) -> ObjectName | None:
    """The full name of that table."""
    return full_name(source_of(tree), session)


def _like(tree: Expr) -> exp.LikeProperty | None:
    properties = tree.args.get("properties")
    one = None if properties is None else properties.find(exp.LikeProperty)
    return one if isinstance(one, exp.LikeProperty) else None


def as_query(tree: Expr) -> Expr:
    """The statement as CREATE TABLE … AS SELECT, which DuckDB reads; a CLONE has the rows, too."""
    source = source_of(tree)
    if source is None:
        return tree
    if source.args.get("when") is not None and not _is_now(source.args["when"]):
        raise not_emulated("CLONE … AT and BEFORE")
    source = source.copy()
    source.set("when", None)
    rows = exp.select("*").from_(source)
    made = tree.copy()
    made.set("expression", rows if tree.args.get("clone") is not None else rows.limit(0))
    made.set("clone", None)
    if (like := _like(made)) is not None:
        like.pop()
    if made.args.get("properties") is not None and not made.args["properties"].expressions:
        made.set("properties", None)
    return made


def _is_now(when: Expr) -> bool:
    """Whether a moment of Time Travel is the present one: AT (OFFSET => 0)."""
    return when.sql(dialect="snowflake").replace(" ", "").upper() == "AT(OFFSET=>0)"


def columns_of(engine: Engine, session: Session, tree: Expr) -> tuple[CopiedColumn, ...]:
    """The columns to be copied; empty if the statement copies no table."""
    name = source_name(tree, session)
    rows = () if name is None else engine.columns(session, name)
    return tuple(CopiedColumn(*row) for row in rows)


def complete(
    session: Session, columns: tuple[CopiedColumn, ...], parts: tuple[str, ...], *, is_clone: bool
) -> None:
    """Give the columns of a created table what CREATE TABLE … AS leaves out."""
    place = duckdb_identifier(*parts)
    for column in columns:
        alter = f"ALTER TABLE {place} ALTER COLUMN {duckdb_identifier(column.name)} SET"
        if column.default is not None:
            default = copied_default(session.duck, column.default, parts, goes_on=is_clone)
            session.duck.execute(f"{alter} DEFAULT {default}")
        if not column.nullable:
            session.duck.execute(f"{alter} NOT NULL")
        if column.comment:
            session.duck.execute(table_notes.column_comment_sql(parts, column.name, column.comment))


def lengths(columns: tuple[CopiedColumn, ...]) -> list[tuple[str, Any]]:
    """The declared lengths of the copied text columns."""
    return [(one.name, one.length) for one in columns if one.length is not None and one.length < _LONGEST]
