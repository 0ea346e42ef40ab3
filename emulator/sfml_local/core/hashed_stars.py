"""The stars of HASH(*), HASH_AGG(*) and COUNT(t.*) as columns.

DuckDB unpacks a star into the arguments of a function, and applies no function to each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.expressions.lowered_aggregates import COMPLETE, complete
from sfml_local.core.expressions.lowered_numbers import hashable
from sfml_local.core.mixed_queries import columns_of


def spread_stars(tree: Expr, duck: duckdb.DuckDBPyConnection) -> Expr:
    """The statement with columns in place of unpacked stars; itself if it has none."""
    if not any(one.args.get("unpack") for one in tree.find_all(exp.Columns)):
        return tree
    new = tree.copy()
    for call in list(new.find_all(exp.Anonymous)):
        if call.name == "hash":
            call.set("expressions", _spread(call, hashable, duck))
        elif call.name == COMPLETE:
            call.replace(complete(_spread(call, lambda column: column, duck)))
    return new


def _spread(call: exp.Anonymous, make: Callable[[Expr], Expr], duck: duckdb.DuckDBPyConnection) -> list[Expr]:
    values = []
    for argument in call.expressions:
        if isinstance(argument, exp.Columns) and argument.args.get("unpack"):
            values += [make(column) for column in _columns(argument, duck)]
        else:
            values.append(argument)
    return values


def _columns(argument: exp.Columns, duck: duckdb.DuckDBPyConnection) -> Iterator[Expr]:
    select = argument.find_ancestor(exp.Select)
    if select is None or not _sources(select):
        raise not_emulated("a star as an argument outside of a SELECT from tables", "name its columns")
    for table, star in _stars(argument.this, select):
        columns = columns_of(_read(star, select), select, duck)
        if not columns:
            raise not_emulated(f"{star.sql(dialect='snowflake')} as an argument here", "name its columns")
        for name, _ in columns:
            yield exp.column(name, table=table, quoted=True)


def _stars(star: Expr, select: exp.Select) -> Iterator[tuple[exp.Identifier | None, Expr]]:
    """The star of each table that a star is over, with the name of that table where several are read."""
    if isinstance(star, exp.Column):
        yield star.args.get("table"), star
        return
    sources = _sources(select)
    if len(sources) == 1:
        yield None, star
        return
    for source in sources:
        name = exp.to_identifier(source.alias_or_name, quoted=True)
        yield name, exp.Column(this=star.copy(), table=name.copy())


def _sources(select: exp.Select) -> list[Expr]:
    source = select.args.get("from_")
    joined = [join.this for join in select.args.get("joins") or ()]
    return [*([source.this] if source is not None else []), *joined, *(select.args.get("laterals") or ())]


def _read(star: Expr, select: exp.Select) -> exp.Select:
    """A query of the star alone over the same tables, whose conditions may have stars of their own."""
    first, *others = _sources(select)
    query = exp.select(star.copy()).from_(first.copy())
    query.set("joins", [exp.Join(this=other.copy()) for other in others])
    return query
