"""DISTINCT where an account refuses what goes with it, and DuckDB answers something.

https://docs.snowflake.com/en/sql-reference/sql/select
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.syntax_errors import position
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.refused_queries import named
from sfml_local.core.rewriting import Rewriting, dotted


@looks_for(exp.Distinct)
def misplaced_distinct(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuses SELECT DISTINCT in the order of what it does not select, and aggregates of DISTINCT values in frames."""
    for select in tree.find_all(exp.Select):
        if select.args.get("distinct") is not None and (order := select.args.get("order")) is not None:
            _demand_selected(select, order)
    for window in tree.find_all(exp.Window):
        if _is_distinct(window.this) and _is_framed(window):
            raise _framed(rewriting.written or "")
    return tree


def _demand_selected(select: exp.Select, order: exp.Order) -> None:
    if select.is_star:
        return
    selected = {_folded(one.unalias()) for one in select.expressions}
    names = {dotted(one.args["alias"]) for one in select.expressions if isinstance(one, exp.Alias)}
    columns = [one.unalias() for one in select.expressions]
    names |= {dotted(one.this) for one in columns if isinstance(one, exp.Column)}
    for ordered in order.expressions:
        if _folded(ordered.this) in selected:
            continue
        for column in ordered.find_all(exp.Column):
            is_computed = column.find_ancestor(exp.AggFunc, exp.Query) is not select
            if not is_computed and dotted(column.this) not in names:
                words = f"[{named(column, select)}] is not a valid order by expression"
                raise SqlError(f"SQL compilation error:\n{words}", 979, "42601")


def _folded(node: Expr) -> str:
    return node.sql(dialect="snowflake").upper()


def _is_distinct(function: Expr) -> bool:
    """Whether it is an aggregate of DISTINCT values; of their number an account keeps one for each row."""
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    return isinstance(function.this, exp.Distinct) and not isinstance(function, exp.Count)


_FRAMED_BY_SQLGLOT = (exp.FirstValue, exp.LastValue, exp.NthValue)


def _is_framed(window: exp.Window) -> bool:
    spec = window.args.get("spec")
    if spec is None or window.find(*_FRAMED_BY_SQLGLOT) is not None:
        return window.args.get("order") is not None
    ends = {str(spec.args.get(one)).upper() for one in ("start", "end")}
    return str(spec.args.get("kind")).upper() != "ROWS" or ends != {"UNBOUNDED"}


def _framed(statement: str) -> SqlError:
    found = re.search(r"\bdistinct\b[^()]*\)\s*(over)\b", statement, re.IGNORECASE)
    place = position(found.start(1) if found else 0, statement)
    words = "distinct cannot be used with a window frame or an order."
    return SqlError(f"SQL compilation error: error {place}\n{words}", 2303, "42601")
