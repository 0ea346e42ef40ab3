"""MERGE … UPDATE ALL BY NAME and INSERT ALL BY NAME, with the columns that they stand for.

https://docs.snowflake.com/en/sql-reference/sql/merge
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.dialect import BY_NAME
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting
from sfml_local.core.temporaries import full_name

_SOURCE = "_SFML_SOURCE"


@looks_for(exp.Merge)
def merges_by_name(tree: Expr, rewriting: Rewriting) -> Expr:
    """The statement with the columns of its target, each from the column of this name of its source."""
    if not isinstance(tree, exp.Merge):
        return tree
    whens = [when for when in tree.args["whens"].expressions if _star(when) is not None]
    if not whens:
        return tree
    if any(not _star(when).meta.get(BY_NAME) for when in whens):  # type: ignore[union-attr]
        raise SqlError("SQL compilation error:\nsyntax error: unexpected '*'.", 1003, "42000")
    columns = _columns(tree, rewriting)
    source = _named_source(tree)
    for when in whens:
        when.set("then", _by_name(when.args["then"], columns, source))
    return tree


def _star(when: exp.When) -> Expr | None:
    """The star in place of the columns of an UPDATE or INSERT."""
    then = when.args["then"]
    star = then.args.get("expressions") if isinstance(then, exp.Update) else then.args.get("this")
    return star if isinstance(star, exp.Star) else None


def _columns(tree: exp.Merge, rewriting: Rewriting) -> list[str]:
    """The columns of the target; refuses a source with others, in whatever order."""
    account, session = rewriting.account, rewriting.session
    target = full_name(tree.this, session)
    own = [] if target is None else [str(row[0]) for row in account.engine.columns(session, target)]
    query = exp.select("*").from_(tree.args["using"].copy())
    given = account.run_tree(session, query, describe_only=True).names()
    for name in (*sorted(set(own) - set(given)), *sorted(set(given) - set(own))):
        raise SqlError(f"SQL compilation error:\ninvalid identifier '{name}'", 904, "42000")
    return own


def _named_source(tree: exp.Merge) -> exp.Identifier:
    using = tree.args["using"]
    if not using.alias_or_name:
        using.set("alias", exp.TableAlias(this=exp.to_identifier(_SOURCE, quoted=True)))
    alias = using.args.get("alias")
    name = alias.this if alias is not None and alias.this is not None else using.this
    assert isinstance(name, exp.Identifier)
    return name


def _by_name(then: Expr, columns: list[str], source: exp.Identifier) -> Expr:
    names = [exp.to_identifier(column, quoted=True) for column in columns]
    values = [exp.column(name.copy(), table=source.copy()) for name in names]
    if isinstance(then, exp.Update):
        pairs = [exp.EQ(this=exp.column(n), expression=v) for n, v in zip(names, values, strict=True)]
        return exp.Update(expressions=pairs)
    return exp.Insert(
        this=exp.Tuple(expressions=[exp.column(name) for name in names]),
        expression=exp.Tuple(expressions=values),
    )
