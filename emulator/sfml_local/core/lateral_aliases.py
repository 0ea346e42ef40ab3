"""Aliases of a SELECT list in its WHERE, HAVING and QUALIFY, which take the expression that they name.

DuckDB knows them, too, but not their types while it chooses among overloads of a function. A column of the relations
comes before an alias with its name, as on an account.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.rewriting import Rewriting, dotted

_CONDITIONS = ("where", "having", "qualify")


def lateral_aliases(tree: Expr, rewriting: Rewriting) -> Expr:
    for select in list(tree.find_all(exp.Select)):
        aliases = {dotted(one.args["alias"]): one for one in select.expressions if isinstance(one, exp.Alias)}
        named = [column for column in _columns(select) if dotted(column.this) in aliases] if aliases else []
        if not named:
            continue
        known = _columns_of_relations(select, rewriting)
        for column in named:
            if known is not None and dotted(column.this) not in known:
                column.replace(exp.paren(aliases[dotted(column.this)].this.copy()))
    return tree


def _columns(select: exp.Select) -> Iterator[exp.Column]:
    """Columns without a table in the conditions, but for those of subqueries there."""
    for clause in _CONDITIONS:
        condition = select.args.get(clause)
        for column in list(condition.find_all(exp.Column)) if condition is not None else ():
            if not column.table and column.parent_select is select:
                yield column


def _columns_of_relations(select: exp.Select, rewriting: Rewriting) -> frozenset[str] | None:
    """None where they cannot be told: in a part of a query that reads others of its columns."""
    if select.args.get("from_") is None:
        return frozenset()
    query = exp.Select(expressions=[exp.Star()])
    for clause in ("from_", "joins", "laterals"):
        if (found := select.args.get(clause)) is not None:
            query.set(clause, [one.copy() for one in found] if isinstance(found, list) else found.copy())
    if (names := _with_of(select)) is not None:
        query.set("with_", names)
    try:
        found = rewriting.account.run_tree(rewriting.session, query, describe_only=True)
    except SqlError:
        return None
    return frozenset(found.names())


def _with_of(select: exp.Select) -> exp.With | None:
    """The queries of the WITH clauses around a query that it can read, the outer ones first."""
    found: list[Expr] = []
    inner: Expr = select
    while (node := inner.parent) is not None:
        names = node.args.get("with_")
        if isinstance(node, exp.With) and isinstance(inner, exp.CTE) and not node.recursive:
            found = [*node.expressions[: inner.index], *found]
        elif isinstance(names, exp.With) and names is not inner:
            found = [*names.expressions, *found]
        inner = node
    own = select.args.get("with_")
    found += own.expressions if isinstance(own, exp.With) else []
    return exp.With(expressions=[one.copy() for one in found]) if found else None
