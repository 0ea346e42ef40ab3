"""`WHERE a.k = b.k(+)` as the LEFT JOIN that it is; sqlglot leaves the mark out when it writes for DuckDB.

https://docs.snowflake.com/en/sql-reference/constructs/where
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted

_MARK = re.compile(r"\(\s*\+\s*\)")


@looks_for(exp.Where, exp.Join)
def outer_marks(tree: Expr, rewriting: Rewriting) -> Expr:
    """Queries with marks as outer joins; marks elsewhere are refused."""
    if rewriting.written is not None and _MARK.search(rewriting.written) is None:
        return tree
    for select in list(tree.find_all(exp.Select)):
        where = select.args.get("where")
        if where is not None and any(_marked(one) for one in _conditions(where.this)):
            _join(select, where)
    if any(column.args.get("join_mark") for column in tree.find_all(exp.Column)):
        raise _refused()
    return tree


def _refused() -> SqlError:
    return not_emulated("(+) but in conditions of a query that are combined by AND", "write LEFT JOIN")


def _conditions(condition: Expr) -> list[Expr]:
    condition = condition.unnest()
    if not isinstance(condition, exp.And):
        return [condition]
    return [*_conditions(condition.this), *_conditions(condition.expression)]


def _marked(condition: Expr) -> set[str]:
    """The tables whose columns have a mark in a condition; an empty name for a column without its table."""
    columns = condition.find_all(exp.Column)
    return {_table(column) for column in columns if column.args.get("join_mark")}


def _table(column: exp.Column) -> str:
    return dotted(column.args["table"]) if column.table else ""


def _join(select: exp.Select, where: exp.Where) -> None:
    joins: list[exp.Join] = select.args.get("joins") or []
    relations = [select.args["from_"].this, *(join.this for join in joins)]
    if any(join.args.get(one) for join in joins for one in ("on", "using", "side", "kind", "method")):
        raise _refused()
    named = {dotted(exp.to_identifier(_alias(one))): one for one in relations}
    conditions, kept = dict[str, list[Expr]](), list[Expr]()
    for condition in _conditions(where.this):
        tables = _marked(condition)
        is_either = bool(tables) and condition.find(exp.Or) is not None
        if len(tables) > 1 or not tables <= named.keys() or is_either:
            raise _refused()
        (conditions.setdefault(tables.pop(), []) if tables else kept).append(condition)
    order = _order(list(named), conditions)
    if select.is_star and order != list(named):
        raise _refused()
    _set_joins(select, [(named[one], conditions.get(one)) for one in order])
    where.replace(exp.Where(this=exp.and_(*kept))) if kept else select.set("where", None)


def _alias(relation: Expr) -> exp.Identifier:
    if not isinstance(relation, exp.Table | exp.Subquery) or not relation.alias_or_name:
        raise _refused()
    alias = relation.args.get("alias")
    found = alias.this if alias is not None else relation.this
    if not isinstance(found, exp.Identifier):
        raise _refused()
    return found


def _order(names: Sequence[str], conditions: dict[str, list[Expr]]) -> list[str]:
    """The tables without a mark, and each of the others after those that its conditions name."""
    placed = [name for name in names if name not in conditions]
    left = [name for name in names if name in conditions]
    while left:
        known = {"", *placed}
        found = (one for one in left if _named(conditions[one]) <= known | {one})
        if not placed or (name := next(found, None)) is None:
            raise _refused()
        placed.append(name)
        left.remove(name)
    return placed


def _named(conditions: Sequence[Expr]) -> set[str]:
    return {_table(column) for one in conditions for column in one.find_all(exp.Column)}


def _set_joins(select: exp.Select, relations: Sequence[tuple[Expr, list[Expr] | None]]) -> None:
    (first, _), *others = relations
    select.set("from_", exp.From(this=first.copy()))
    joins = []
    for relation, conditions in others:
        if conditions is None:
            joins.append(exp.Join(this=relation.copy(), kind="CROSS"))
            continue
        on = exp.and_(*(one.copy() for one in conditions))
        for column in on.find_all(exp.Column):
            column.set("join_mark", None)
        joins.append(exp.Join(this=relation.copy(), side="LEFT", on=on))
    select.set("joins", joins)
