"""INSERT ALL and INSERT FIRST: the rows of one query into several tables, all or none.

https://docs.snowflake.com/en/sql-reference/sql/insert-multi-table
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.arrow import as_table
from sfml_local.core.errors import not_emulated
from sfml_local.core.expressions.dialect import OVERWRITES
from sfml_local.core.expressions.statements import demand_as_many, is_default
from sfml_local.core.result import INSERT, Column, Result
from sfml_local.core.temporaries import full_name
from sfml_local.core.transactions import begin_dml, transaction
from sfml_local.services.streams import store as streams

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_ROWS = "_SFML_ROWS"
"""The relation from which the inserts read the query's rows."""


def insert(account: Account, session: Session, tree: exp.MultitableInserts) -> Result:
    """The number of rows inserted into each table."""
    query = tree.args["source"]
    _refuse_streams(account, session, query)
    rows = as_table(account.run_tree(session, query.copy()))
    names = [name.upper() for name in rows.column_names]
    rows = rows.rename_columns(names)
    columns: list[Column] = []
    counts: list[int] = []
    begin_dml(session)
    with session.lock, transaction(session):
        emptied: set[str] = set()
        for statement in _inserts(tree, names):
            if tree.meta.get(OVERWRITES) and (target := _target(statement)) not in emptied:
                # Each table is emptied once, before its first rows, also where no row is for it.
                statement.set("overwrite", True)
                emptied.add(target)
            result = account.run_tree(session, statement, staged={_ROWS: rows})
            columns.append(Column(f"number of rows inserted into {_table_of(statement)}", "fixed", 38, 0))
            counts.append(int(result.scalar or 0))
    return Result(tuple(columns), (tuple(counts),), INSERT)


def _refuse_streams(account: Account, session: Session, query: Expr) -> None:
    """Refuses queries of a stream, which would not advance, because the query runs before the inserts."""
    if not streams.exist(account.store):
        return
    for table in query.find_all(exp.Table):
        name = full_name(table, session)
        if name is not None and streams.find(account.store, name) is not None:
            raise not_emulated(f"INSERT into several tables from the stream {name.name}")


def _table_of(statement: exp.Insert) -> str:
    return str(_into(statement).name).upper()


def _target(statement: exp.Insert) -> str:
    return _into(statement).sql(dialect="snowflake", normalize=True)


def _into(statement: exp.Insert) -> exp.Table:
    table = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    assert isinstance(table, exp.Table)
    return table


def _inserts(tree: exp.MultitableInserts, names: list[str]) -> Iterator[exp.Insert]:
    """One INSERT for each INTO, with the rows that its WHEN selects."""
    is_first = str(tree.args["kind"]).upper() == "FIRST"
    before: list[Expr] = []
    current: Expr | None = None
    for branch in tree.expressions:
        if branch.args.get("else_"):
            current = _none_of(before)
        elif branch.args.get("expression") is not None:
            condition = branch.expression
            current = exp.and_(_none_of(before), condition) if is_first and before else condition
            before.append(condition)
        yield _insert_of(branch.this, current, names)


def _none_of(conditions: list[Expr]) -> Expr:
    """The condition that none of the conditions is true; NULL is not true."""
    return exp.and_(
        *(exp.not_(exp.Coalesce(this=exp.paren(one.copy()), expressions=[exp.false()])) for one in conditions)
    )


def _insert_of(part: exp.Insert, condition: Expr | None, names: list[str]) -> exp.Insert:
    target, values = part.this.copy(), part.expression
    if isinstance(values, exp.Values):
        chosen = [one.copy() for one in values.expressions[0].expressions]
        chosen = _without_defaults(target, chosen)
    else:
        chosen = [exp.column(exp.to_identifier(name, quoted=True)) for name in names]
    query = exp.select(*chosen).from_(exp.to_table(_ROWS))
    return exp.Insert(this=target, expression=query if condition is None else query.where(condition.copy()))


def _without_defaults(target: Expr, values: list[Expr]) -> list[Expr]:
    """Leave out columns whose value is DEFAULT, which no query has."""
    if not any(map(is_default, values)):
        return values
    if not isinstance(target, exp.Schema):
        raise not_emulated("DEFAULT in INSERT into several tables without names of columns")
    demand_as_many(len(target.expressions), len(values))
    left = [pair for pair in zip(target.expressions, values, strict=True) if not is_default(pair[1])]
    if not left:
        raise not_emulated("DEFAULT alone in INSERT into several tables")
    target.set("expressions", [column for column, _ in left])
    return [value for _, value in left]
