"""`SELECT d FROM a JOIN b USING (k)`: a column that both tables have is that of the first, where all joins have USING.

With ON the same name is ambiguous. Recorded on accounts: tests/local/facts/live.yaml.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml_local.core.needed_passes import looks_for
from sfml_local.core.positional_columns import names_of
from sfml_local.core.rewriting import Rewriting, dotted


@looks_for(exp.Join)
def left_columns(tree: Expr, rewriting: Rewriting) -> Expr:
    """Qualify such columns with their first relation, because DuckDB refuses them."""
    for select in list(tree.find_all(exp.Select)):
        joins, source = select.args.get("joins") or (), select.args.get("from_")
        if joins and isinstance(source, exp.From) and all(map(_has_using, joins)):
            keys = {dotted(key) for join in joins for key in join.args["using"]}
            owners = _owners([source.this, *(join.this for join in joins)], rewriting)
            _qualify(select, {name: owner for name, owner in owners.items() if name not in keys})
    return tree


def _has_using(join: exp.Join) -> bool:
    return bool(join.args.get("using")) and join.args.get("match_condition") is None


def _owners(relations: list[Expr], rewriting: Rewriting) -> dict[str, str]:
    """Each name that several relations have, with the first of them; none if the names of one are not known."""
    found: dict[str, list[str]] = {}
    for relation in relations:
        names = names_of(relation, rewriting)
        if names is None:
            return {}
        for name in names:
            found.setdefault(name, []).append(_called(relation))
    return {name: owners[0] for name, owners in found.items() if len(owners) > 1}


def _called(relation: Expr) -> str:
    alias = relation.args.get("alias")
    named = alias.this if isinstance(alias, exp.TableAlias) else relation.this
    return dotted(named) if isinstance(named, exp.Identifier) else ""


def _qualify(select: exp.Select, owners: dict[str, str]) -> None:
    answered = {dotted(one.args["alias"]) for one in select.expressions if isinstance(one, exp.Alias)}
    for column in select.find_all(exp.Column) if owners else ():
        owner = owners.get(dotted(column.this)) if isinstance(column.this, exp.Identifier) else None
        is_own = not column.table and column.find_ancestor(exp.Select) is select
        is_alias = (
            dotted(column.this) in answered and column.find_ancestor(exp.Order, exp.Select) is not select
        )
        if owner and is_own and not is_alias:
            column.set("table", exp.to_identifier(owner, quoted=True))
