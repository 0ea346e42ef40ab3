"""Columns by their position: `$1` of a table, of a query, or of VALUES."""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import full_name


def positional_columns(tree: Expr, rewriting: Rewriting) -> Expr:
    """`SELECT $1 FROM VALUES (…)`: columns by position."""
    for values in tree.find_all(exp.Values):
        first = values.expressions[0] if values.expressions else None
        alias = values.args.get("alias")
        if not isinstance(first, exp.Tuple) or values.find_ancestor(exp.Select) is None:
            continue
        if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
            continue
        columns = [exp.to_identifier(f"COLUMN{i + 1}", quoted=True) for i in range(len(first.expressions))]
        name = alias.this if isinstance(alias, exp.TableAlias) else exp.to_identifier("_")
        values.set("alias", exp.TableAlias(this=name, columns=columns))
    for node in list(tree.find_all(exp.Parameter)):
        if isinstance(node.this, exp.Literal) and node.this.is_int:
            _set_position(node, int(node.this.name), rewriting)
    return tree


def _set_position(node: exp.Parameter, number: int, rewriting: Rewriting) -> None:
    """`$n` is the n-th column of the one table or query in FROM, `t.$n` that of t; VALUES have such names."""
    column = node.parent if isinstance(node.parent, exp.Column) else None
    relations = _relations_of(node.find_ancestor(exp.Select))
    if column is not None and column.table:
        relations = [one for one in relations if one.alias_or_name.upper() == column.table.upper()]
    relation = relations[0] if len(relations) == 1 else None
    if relation is None or isinstance(relation, exp.Values) or isinstance(relation.this, exp.Values):
        node.replace(_plain_column(column, exp.to_identifier(f"COLUMN{number}", quoted=True)))
    elif column is None or not column.table:
        node.replace(exp.var(f"#{number}"))
    else:
        node.replace(_plain_column(column, _name_at(relation, number, rewriting)))


def _plain_column(column: exp.Column | None, name: exp.Identifier) -> Expr:
    return exp.column(name) if column is None else name


def _relations_of(select: Expr | None) -> list[Expr]:
    """The tables and queries that a SELECT reads."""
    source = None if select is None else select.args.get("from_")
    if select is None or not isinstance(source, exp.From):
        return []
    return [source.this, *(join.this for join in select.args.get("joins") or ())]


def _name_at(relation: Expr, number: int, rewriting: Rewriting) -> exp.Identifier:
    """The name of a column of a table or query by its position."""
    names: list[str] = []
    if isinstance(relation, exp.Subquery) and not relation.is_star:
        names = [dotted(exp.to_identifier(name)) for name in relation.named_selects]
    elif isinstance(relation, exp.Table) and (name := full_name(relation, rewriting.session)) is not None:
        names = [row[0] for row in rewriting.account.engine.columns(rewriting.session, name)]
    if number > len(names):
        raise not_emulated(f"{relation.alias_or_name}.${number} of this query: name the column")
    return exp.to_identifier(names[number - 1], quoted=True)
