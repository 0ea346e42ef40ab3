"""UPDATE … FROM: the numbers of target rows, not of pairs with source rows, which DuckDB counts.

A target row that several source rows match is updated once, from one of them, and counted a second time as
multi-joined. https://docs.snowflake.com/en/sql-reference/sql/update
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core import fakesnow_port
from sfml_local.core.errors import duplicate_row
from sfml_local.core.number_types import run_typed
from sfml_local.core.result import INSERT, Column, Result
from sfml_local.core.statement_parameters import value_of
from sfml_local.core.transactions import begin_dml, transaction

if TYPE_CHECKING:
    import duckdb
    from fakesnow.cursor import FakeSnowflakeCursor

    from sfml_local.core.session import Session

UPDATED = INSERT + 0x100
"""The statement type of UPDATE."""

_UPDATED, _JOINED = "number of rows updated", "number of multi-joined rows updated"


def is_joined(tree: Expr) -> bool:
    """Whether a statement is an UPDATE … FROM."""
    return isinstance(tree, exp.Update) and tree.args.get("from_") is not None


def is_strict(session: Session) -> bool:
    """Whether an UPDATE of a row that several source rows match is an error."""
    return value_of("ERROR_ON_NONDETERMINISTIC_UPDATE", session.parameters) is True


def update(session: Session, cursor: FakeSnowflakeCursor, tree: Expr) -> Result:
    """Execute an UPDATE … FROM; returns one row with the numbers of updated and of multi-joined target rows."""
    fakesnow_port.check_place(cursor, tree)
    transformed = fakesnow_port.transform(cursor, tree, [])
    begin_dml(session)
    # One transaction, so that the numbers and the change see the same rows.
    with transaction(session):
        updated, joined = _matched(session.duck, transformed)
        if joined and is_strict(session):
            raise duplicate_row()
        run_typed(partial(_execute, session.duck), transformed, session.duck)
    return counted(session, updated, joined)


def counted(session: Session, updated: int, joined: int = 0) -> Result:
    """The row that an UPDATE answers: without multi-joined rows where these are an error."""
    shown = {_UPDATED: updated} if is_strict(session) else {_UPDATED: updated, _JOINED: joined}
    columns = tuple(Column(name, "fixed", 38, 0) for name in shown)
    return Result(columns, (tuple(shown.values()),), UPDATED)


def _execute(duck: duckdb.DuckDBPyConnection, tree: Expr) -> None:
    duck.execute(tree.sql(dialect="duckdb"))


def _matched(duck: duckdb.DuckDBPyConnection, transformed: Expr) -> tuple[int, int]:
    """How many target rows match the condition, and how many of these match more than one source row."""
    found: list[tuple[int, int]] = []

    def run(counting: Expr) -> None:
        found.extend(duck.execute(counting.sql(dialect="duckdb")).fetchall())

    run_typed(run, _counting(transformed), duck)
    return found[-1]


def _counting(transformed: Expr) -> exp.Select:
    target = transformed.this
    row = exp.column("rowid", table=exp.to_identifier(target.alias_or_name, quoted=True))
    source = transformed.args["from_"].this
    pairs = exp.select(row.as_("_sfml_row"), "COUNT(*) AS _sfml_pairs").from_(target.copy())
    pairs = pairs.join(source.copy(), join_type="cross").group_by(row.copy())
    if (where := transformed.args.get("where")) is not None:
        pairs = pairs.where(where.this.copy())
    numbers = "COUNT(*), COUNT(*) FILTER (_sfml_pairs > 1)"
    return exp.select(*exp.maybe_parse(f"SELECT {numbers}", dialect="duckdb").expressions).from_(
        pairs.subquery("_sfml_matched")
    )
