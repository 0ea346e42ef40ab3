"""Columns by their position: `$1` of a table, of a query, or of VALUES."""

from __future__ import annotations

import re

from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.result import Result
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import full_name


@looks_for(exp.Values, exp.Parameter, exp.Column)
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
    for column in list(tree.find_all(exp.Column)):
        if (written := _QUOTED.fullmatch(column.name)) is not None and column.this.quoted:
            _set_quoted_position(column, int(written[1]), rewriting)
    return tree


_QUOTED = re.compile(r"\$(\d+)")


def _set_position(node: exp.Parameter, number: int, rewriting: Rewriting) -> None:
    """`$n` is the n-th column of the one table or query in FROM, `t.$n` that of t; VALUES have such names."""
    column = node.parent if isinstance(node.parent, exp.Column) else None
    relation = _relation_of(node, column)
    if relation is None or _is_values(relation):
        node.replace(_plain_column(column, exp.to_identifier(f"COLUMN{number}", quoted=True)))
    elif (name := _name_at(relation, number, rewriting)) is not None:
        node.replace(_plain_column(column, name))
    elif column is None or not column.table:
        node.replace(exp.var(f"#{number}"))
    else:
        raise not_emulated(f"{relation.alias_or_name}.${number} of this query: name the column")


def _set_quoted_position(column: exp.Column, number: int, rewriting: Rewriting) -> None:
    """Snowpark quotes `$n`; an account takes it for the position unless a column has this name."""
    relation = _relation_of(column, column)
    names = None if relation is None else names_of(relation, rewriting)
    if names is not None and column.name not in names and 0 < number <= len(names):
        named = column.copy()
        named.set("this", exp.to_identifier(names[number - 1], quoted=True))
        is_projection = column.arg_key == "expressions" and isinstance(column.parent, exp.Select)
        column.replace(exp.alias_(named, column.name, quoted=True) if is_projection else named)


def _relation_of(node: Expr, column: exp.Column | None) -> Expr | None:
    """The one relation of the SELECT around a node, or the one that its column names."""
    relations = _relations_of(node.find_ancestor(exp.Select))
    if column is not None and column.table:
        relations = [one for one in relations if one.alias_or_name.upper() == column.table.upper()]
    return relations[0] if len(relations) == 1 else None


def _is_values(relation: Expr) -> bool:
    return isinstance(relation, exp.Values) or isinstance(relation.this, exp.Values)


def _plain_column(column: exp.Column | None, name: exp.Identifier) -> Expr:
    return exp.column(name) if column is None else name


def _relations_of(select: Expr | None) -> list[Expr]:
    """The tables and queries that a SELECT reads."""
    source = None if select is None else select.args.get("from_")
    if select is None or not isinstance(source, exp.From):
        return []
    return [source.this, *(join.this for join in select.args.get("joins") or ())]


def _name_at(relation: Expr, number: int, rewriting: Rewriting) -> exp.Identifier | None:
    """The name of a column of a table or query by its position, where it is known and of one column."""
    names = names_of(relation, rewriting)
    if names is None or not 0 < number <= len(names) or names.count(names[number - 1]) > 1:
        return None
    return exp.to_identifier(names[number - 1], quoted=True)


def names_of(relation: Expr, rewriting: Rewriting) -> list[str] | None:
    """The names of a relation's columns in order; None where they are not known here."""
    alias = relation.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.columns:
        return [dotted(one) for one in alias.columns]
    if relation.args.get("pivots"):
        return None
    if isinstance(relation, exp.Table):
        return _names_of_table(relation, rewriting)
    return _names_of_query(relation.this, rewriting) if isinstance(relation, exp.Subquery) else None


def _names_of_table(table: exp.Table, rewriting: Rewriting) -> list[str] | None:
    if (rows := rewriting.relations.get(table.name)) is not None:
        return [one.name for one in rows.columns] if isinstance(rows, Result) else list(rows.column_names)
    ctes = table.root().find_all(exp.CTE) if table.db == "" else ()
    if (cte := next((one for one in ctes if one.alias.upper() == table.name.upper()), None)) is not None:
        columns = cte.args["alias"].columns
        return [dotted(one) for one in columns] or (
            None if table.find_ancestor(exp.CTE) is cte else _names_of_query(cte.this, rewriting)
        )
    name = full_name(table, rewriting.session)
    found = [] if name is None else rewriting.account.engine.columns(rewriting.session, name)
    return [row[0] for row in found] or None


def _names_of_query(query: Expr | None, rewriting: Rewriting) -> list[str] | None:
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select):
        return None
    if not query.is_star:
        return [_name_of(one) for one in query.expressions]
    of_relations = [names_of(one, rewriting) for one in _relations_of(query)]
    is_all = len(query.expressions) == 1 and type(query.expressions[0]) is exp.Star
    if not is_all or len(of_relations) != 1 or query.args.get("laterals"):
        return None
    return of_relations[0]


def _name_of(projection: Expr) -> str:
    named = projection.args.get("alias") if isinstance(projection, exp.Alias) else projection.this
    return dotted(named) if isinstance(named, exp.Identifier) else projection.output_name
