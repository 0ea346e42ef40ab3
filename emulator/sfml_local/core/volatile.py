"""Random values where DuckDB takes none: in the keys of windows, and under an alias that the same SELECT reads.

Such an expression is computed with the rows of FROM, one value for each, and read as a column.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import Expr, exp

from sfml_local.core.expressions.calls import macro
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting

_PREFIX = "_volatile_"
_NODES = (exp.Rand, exp.Uuid)


@looks_for(*_NODES)
def volatile_values(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with a column for each random value that DuckDB would refuse where it stands."""
    if next(tree.find_all(*_NODES), None) is None:
        return tree
    for select in list(tree.find_all(exp.Select)):
        keys = list(_window_keys(select))
        aliased = list(_aliases_read(select))
        if keys or aliased:
            _hoist(select, keys, aliased)
    return tree


def _is_volatile(node: Expr) -> bool:
    """Whether the expression is random by itself; one that reads columns stays where it is."""
    return (
        next(node.find_all(*_NODES), None) is not None
        and next(node.find_all(exp.Column, exp.Window, exp.AggFunc, exp.Subquery), None) is None
    )


def _own(select: exp.Select, kind: type[Expr]) -> Iterator[Expr]:
    """The nodes of a kind that belong to this SELECT and to none inside it."""
    for node in select.find_all(kind):
        if node.find_ancestor(exp.Select) is select:
            yield node


def _window_keys(select: exp.Select) -> Iterator[Expr]:
    for window in _own(select, exp.Window):
        order = window.args.get("order")
        ordered = [one.this for one in order.expressions] if order is not None else []
        yield from (key for key in (*ordered, *window.args.get("partition_by", ())) if _is_volatile(key))


def _aliases_read(select: exp.Select) -> Iterator[exp.Alias]:
    read = {column.name.upper() for column in _own(select, exp.Column) if not column.args.get("table")}
    for projection in select.expressions:
        is_read = isinstance(projection, exp.Alias) and projection.alias.upper() in read
        if is_read and _is_volatile(projection.this):
            yield projection


def _hoist(select: exp.Select, keys: list[Expr], aliased: list[exp.Alias]) -> None:
    values: list[Expr] = []
    for node in (*keys, *(alias.this for alias in aliased)):
        name = f"{_PREFIX}{len(values)}"
        node.replace(exp.column(exp.to_identifier(name, quoted=True)))
        values.append(exp.alias_(node, name, quoted=True))
    source = select.args.get("from_")
    if source is None:
        select.set("from_", exp.From(this=_named(exp.select(*values), "_volatile")))
        return
    _exclude(select, [value.alias for value in values])
    table = source.this
    alias = table.args.get("alias")
    inner = table.copy()
    joins = inner.args.pop("joins", None)
    outer = exp.Subquery(
        this=exp.select("*", *values).from_(inner),
        alias=alias.copy() if alias is not None else _table_alias(table),
    )
    if joins:
        outer.set("joins", joins)
    table.replace(outer)


def _table_alias(table: Expr) -> exp.TableAlias:
    """The name under which the rows are read: a table's own."""
    is_named = isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier)
    name = table.this.copy() if is_named else exp.to_identifier("_volatile", quoted=True)
    return exp.TableAlias(this=name)


def _named(query: exp.Select, name: str) -> exp.Subquery:
    alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    return exp.Subquery(this=query, alias=alias)


def _exclude(select: exp.Select, names: list[str]) -> None:
    """A star of the SELECT leaves the new columns out."""
    for star in _own(select, exp.Star):
        if not isinstance(star.parent, exp.Func):
            left_out = [exp.to_identifier(name, quoted=True) for name in names]
            star.set("except_", [*(star.args.get("except_") or []), *left_out])


ROWS_A_SECOND = 1_000_000


@looks_for(exp.Generator)
def generated_rows(tree: Expr, rewriting: Rewriting) -> Expr:
    """GENERATOR with a TIMELIMIT alone, which has as many rows as fit into the time: here a million a second.

    https://docs.snowflake.com/en/sql-reference/functions/generator
    """
    for node in tree.find_all(exp.Generator):
        seconds = node.args.get("timelimit")
        if node.args.get("rowcount") is None and isinstance(seconds, exp.Literal) and seconds.is_int:
            node.set("rowcount", exp.Literal.number(int(seconds.name) * ROWS_A_SECOND))
    return tree


@looks_for(exp.Rand)
def random_numbers(tree: Expr, rewriting: Rewriting) -> Expr:
    """Each RANDOM() as a whole number of 64 bits: fakesnow makes one of the first of a SELECT, of inner ones twice."""
    for node in list(tree.find_all(exp.Rand)):
        parent = node.parent
        # UNIFORM takes its share of the interval itself.
        is_uniform = isinstance(parent, exp.Anonymous) and str(parent.this).upper() == "UNIFORM"
        if node.this is None and not is_uniform:
            node.replace(macro("random"))
    return tree
