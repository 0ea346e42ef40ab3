"""Aliases of a SELECT list in its conditions and in comparisons of the list, which take the expression that they name.

DuckDB knows them, too, but not their types while it chooses among overloads of a function. A column of the relations
comes before an alias with its name, as on an account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted

_CONDITIONS = ("where", "having", "qualify")


@looks_for(exp.Alias)
def lateral_aliases(tree: Expr, rewriting: Rewriting) -> Expr:
    for select in list(tree.find_all(exp.Select)):
        aliases = {
            dotted(one.args["alias"]): one.this for one in select.expressions if isinstance(one, exp.Alias)
        }
        named = [column for column in _columns(select) if dotted(column.this) in aliases] if aliases else []
        if not named:
            continue
        known = _columns_of_relations(select, rewriting)
        if known is None:
            continue
        hidden = {name: value.copy() for name, value in aliases.items() if name not in known}
        for column in named:
            if (name := dotted(column.this)) in hidden and name != _own_alias(column, select):
                column.replace(_expanded(name, hidden))
    return tree


def _expanded(name: str, aliases: Mapping[str, Expr]) -> exp.Paren:
    """The expression of an alias, in which other aliases are replaced, too; one that leads to itself stays."""
    others = {other: value for other, value in aliases.items() if other != name}
    found = exp.paren(aliases[name].copy())
    for column in list(found.find_all(exp.Column)):
        if not column.table and column.parent_select is None and dotted(column.this) in others:
            column.replace(_expanded(dotted(column.this), others))
    return found


def _own_alias(column: exp.Column, select: exp.Select) -> str | None:
    """The alias of the projection that a column is in."""
    node: Expr | None = column
    while node is not None and node.parent is not select:
        node = node.parent
    return dotted(node.args["alias"]) if isinstance(node, exp.Alias) else None


def _columns(select: exp.Select) -> Iterator[exp.Column]:
    """Columns without a table in the conditions, and in comparisons of the list and of ORDER BY."""
    for clause in _CONDITIONS:
        if (condition := select.args.get(clause)) is not None:
            yield from _columns_in(condition, select)
    order = select.args.get("order")
    for compared in (*select.expressions, *(order.expressions if order is not None else ())):
        for column in _columns_in(compared, select):
            if isinstance(column.find_ancestor(exp.Predicate, exp.Select), exp.Predicate):
                yield column


def _columns_in(node: Expr, select: exp.Select) -> Iterator[exp.Column]:
    """Those of this query itself, not of subqueries in it."""
    for column in list(node.find_all(exp.Column)):
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
