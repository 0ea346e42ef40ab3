"""MERGE as one statement of DuckDB, with Snowflake's rule for several source rows that match one target row.

https://docs.snowflake.com/en/sql-reference/sql/merge
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import duckdb
from sqlglot import Expr, exp

from sfml_local.core import fakesnow_port
from sfml_local.core.errors import duplicate_row, wrong_kind
from sfml_local.core.expressions.coercions import coerced
from sfml_local.core.expressions.statements import with_conversions
from sfml_local.core.mixed_numbers import widened
from sfml_local.core.result import INSERT, Column, Result
from sfml_local.core.statement_parameters import value_of
from sfml_local.core.temporaries import full_name
from sfml_local.core.transactions import begin_dml, transaction

if TYPE_CHECKING:
    from fakesnow.cursor import FakeSnowflakeCursor

    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session

_DONE = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
MERGED = INSERT + 0x300
"""The statement type of MERGE."""

_SOURCE = "_sfml_source"
_ROW, _ACTION = "_sfml_row", "_sfml_action"
"""Columns added to the source: the matching row of the target, and the clause that would apply to it."""


def merge(rewriting: Rewriting, cursor: FakeSnowflakeCursor, tree: exp.Merge) -> Result:
    """Execute a MERGE; returns one row with the number of rows for each kind of change in the statement."""
    session = rewriting.session
    fakesnow_port.check_place(cursor, tree)
    _demand_table(rewriting, tree)
    kinds = {_kind(when) for when in clauses(tree)}
    transformed = fakesnow_port.transform(cursor, tree, [])
    assert isinstance(transformed, exp.Merge)
    with_conversions(transformed, rewriting)
    transformed = widened(transformed, session.duck)
    assert isinstance(transformed, exp.Merge)
    for note in fakesnow_port.NOTES:
        transformed.args.pop(note, None)
    for when in clauses(transformed):
        _bare(when.args["then"])
    if not transformed.args["using"].alias_or_name:
        transformed.args["using"].set("alias", exp.TableAlias(this=exp.to_identifier(_SOURCE, quoted=True)))
    strict = value_of("ERROR_ON_NONDETERMINISTIC_MERGE", session.parameters) is not False
    begin_dml(session)
    done = _changed(session, transformed, strict)
    shown = [kind for kind in _DONE if kind in kinds]
    columns = tuple(Column(f"number of rows {_DONE[kind]}", "fixed", 38, 0) for kind in shown)
    return Result(columns, (tuple(done[kind] for kind in shown),), MERGED)


def _demand_table(rewriting: Rewriting, tree: exp.Merge) -> None:
    name = full_name(tree.this, rewriting.session)
    if name is not None and rewriting.account.engine.kind_of(rewriting.session, name.parts) == "VIEW":
        raise wrong_kind("VIEW", "TABLE")


def _changed(session: Session, tree: exp.Merge, strict: bool) -> Counter[str]:
    """The number of rows for each change; texts are numbers where DuckDB refuses to compute with them.

    DuckDB refuses it when it binds the statement, before anything is done.
    """
    try:
        return _applied(session, tree.copy(), strict)
    except duckdb.BinderException:
        numbers = coerced(tree)
        assert isinstance(numbers, exp.Merge)
        return _applied(session, numbers, strict)


def _applied(session: Session, tree: exp.Merge, strict: bool) -> Counter[str]:
    # One transaction, so that the check and the change see the same rows.
    with transaction(session):
        return _checked(session.duck, tree, strict)


def _checked(duck: duckdb.DuckDBPyConnection, tree: exp.Merge, strict: bool) -> Counter[str]:
    several = _several(duck, tree)
    if several and strict and any(action != "DELETE" for action in several):
        raise duplicate_row()
    if several:
        _choose(tree)
    sql = f"{tree.sql(dialect='duckdb')} RETURNING merge_action"
    return Counter(action for (action,) in duck.execute(sql).fetchall())


def clauses(tree: exp.Merge) -> list[exp.When]:
    """The WHEN clauses, in their order."""
    return list(tree.args["whens"].expressions)


def _kind(when: exp.When) -> str:
    then = when.args["then"]
    return (
        "INSERT" if isinstance(then, exp.Insert) else "UPDATE" if isinstance(then, exp.Update) else "DELETE"
    )


def _several(duck: duckdb.DuckDBPyConnection, tree: exp.Merge) -> set[str]:
    """The clauses of source rows that change the same target row; empty if there are none.

    The first clause whose condition holds applies to a source row. A single update is deterministic, and so are
    any number of deletes: https://docs.snowflake.com/en/sql-reference/sql/merge#label-merge-duplicate-join-behavior
    """
    if not any(when.args["matched"] for when in clauses(tree)):
        return set()
    counted = (
        f"SELECT list({_ACTION}) FROM ({_met(tree).sql(dialect='duckdb')}) AS _sfml_met"
        f" WHERE {_ACTION} IS NOT NULL AND {_ROW} IS NOT NULL GROUP BY {_ROW} HAVING COUNT(*) > 1"
    )
    return {action for (row,) in duck.execute(counted).fetchall() for action in row}


def _met(tree: exp.Merge) -> exp.Select:
    """The source's rows, each with the matching row of the target, if any, and the clause that applies."""
    target, source = tree.this.copy(), tree.args["using"].copy()
    row = exp.column("rowid", table=exp.to_identifier(target.alias_or_name, quoted=True))
    branches = exp.Case(
        ifs=[
            exp.If(this=_condition(when), true=exp.Literal.string(_kind(when)))
            for when in clauses(tree)
            if when.args["matched"]
        ]
    )
    everything = exp.Column(this=exp.Star(), table=exp.to_identifier(source.alias_or_name, quoted=True))
    return exp.Select(
        expressions=[everything, exp.alias_(row, _ROW), exp.alias_(branches, _ACTION)],
        from_=exp.From(this=source),
        joins=[exp.Join(this=target, side="LEFT", on=tree.args["on"].copy())],
    )


def _condition(when: exp.When) -> Expr:
    condition: Expr = when.args.get("condition") or exp.true()
    return condition.copy()


def _choose(tree: exp.Merge) -> None:
    """Let only the first source row that changes a target row change it."""
    met = _met(tree)
    alias = tree.args["using"].alias_or_name
    first = f"{_ROW} IS NULL OR ROW_NUMBER() OVER (PARTITION BY {_ROW} ORDER BY {_ACTION} NULLS LAST) = 1"
    chosen = exp.select("*").from_(met.subquery("_sfml_met")).where("TRUE")
    chosen.set("qualify", exp.Qualify(this=exp.maybe_parse(first, dialect="duckdb")))
    # The source is a subquery now, whose columns cannot be qualified with a database.
    for column in (column for when in clauses(tree) for column in when.find_all(exp.Column)):
        column.set("db", None)
        column.set("catalog", None)
    target = exp.to_identifier(tree.this.alias_or_name, quoted=True)
    tree.set("using", chosen.subquery(exp.to_identifier(alias, quoted=True)))
    tree.set(
        "on",
        exp.EQ(
            this=exp.column("rowid", table=target),
            expression=exp.column(_ROW, table=exp.to_identifier(alias, quoted=True)),
        ),
    )


def _bare(then: object) -> None:
    """The columns that are set or inserted, without the target's name, as DuckDB requires."""
    if isinstance(then, exp.Update):
        targets = [assignment.this for assignment in then.expressions if isinstance(assignment, exp.EQ)]
    elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Tuple):
        targets = then.this.expressions
    else:
        return
    for target in targets:
        if isinstance(target, exp.Column):
            target.set("table", None)
            target.set("db", None)
            target.set("catalog", None)
