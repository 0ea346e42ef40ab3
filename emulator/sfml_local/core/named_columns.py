"""The names of the columns that a table or view takes from a query: each needs one, and there must be as many.

Accounts compile the query first, so what is wrong with it is told before these.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting

_NAMED = (exp.Alias, exp.Aliases, exp.Column, exp.Star, exp.Parameter, exp.JSONExtract)


@looks_for(exp.Create)
def named_columns(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse CREATE TABLE or VIEW … AS a query with a column that has no name, or of another number of columns."""
    if not isinstance(tree, exp.Create) or not isinstance(tree.expression, exp.Query):
        return tree
    listed = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    columns = [one for one in listed if isinstance(one, exp.ColumnDef | exp.Identifier)]
    if not columns and _is_nameless(tree.expression):
        _compile(tree.expression, rewriting)
        raise SqlError("SQL compilation error:\nMissing column specification", 2022, "42601")
    if columns and (found := _number(tree.expression)) is not None and found != len(columns):
        _compile(tree.expression, rewriting)
        raise SqlError("SQL compilation error:\nInvalid column definition list", 2026, "42601")
    return tree


def _is_nameless(query: exp.Query) -> bool:
    """Whether a column of a SELECT has no name; the columns of UNION and the like are named by their text."""
    while isinstance(query, exp.Subquery):
        query = query.this
    return isinstance(query, exp.Select) and any(not _has_name(one) for one in query.expressions)


def _has_name(projection: Expr) -> bool:
    while isinstance(projection, exp.Paren):
        projection = projection.this
    is_field = isinstance(projection, exp.Dot) and isinstance(projection.expression, exp.Identifier)
    return is_field or projection.is_star or isinstance(projection, _NAMED)


def _number(query: exp.Query) -> int | None:
    """How many columns a query has; None where a star stands for some."""
    return None if query.is_star else len(query.selects)


def _compile(query: exp.Query, rewriting: Rewriting) -> None:
    rewriting.account.run_tree(rewriting.session, query.copy(), describe_only=True)
