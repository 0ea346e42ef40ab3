"""Queries whose columns may be numbers of different types: the sides of a UNION, and of IN, ANY and ALL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.calls import raw_type
from sfml_local.core.expressions.common_type import places_of
from sfml_local.core.expressions.number_rules import INEXACT
from sfml_local.core.mixed_choices import INTEGERS, in_common_type, may_mix
from sfml_local.core.rounding_plans import is_refused, plan_of


def query_of(node: Expr) -> Expr | None:
    """The SELECT of IN, ANY or ALL."""
    query = node.args.get("query") if isinstance(node, exp.In) else node.this
    return query.unnest() if isinstance(query, exp.Subquery) else query


def value_of(node: Expr) -> Expr | None:
    """What is compared with the SELECT of IN, ANY or ALL."""
    comparison = node if isinstance(node, exp.In) else node.parent
    return None if comparison is None else comparison.this


def widen_query(node: Expr) -> None:
    """`value IN (SELECT …)`, and what is compared with ANY or ALL: both sides in their common type."""
    query, value, column = query_of(node), value_of(node), exp.column("c1", quoted=True)
    if query is None or value is None or isinstance(value, exp.Tuple):
        return
    source = exp.Subquery(this=query.copy(), alias=_alias([column]))
    right = exp.Subquery(this=exp.select(column.copy()).from_(source.copy()))
    cast = in_common_type(column.copy(), [value.copy(), column])
    node.set(
        "query" if isinstance(node, exp.In) else "this", exp.Subquery(this=exp.select(cast).from_(source))
    )
    value.replace(in_common_type(value.copy(), [value.copy(), right]))


def _names(columns: Sequence[Any]) -> list[str]:
    return [f"c{number}" for number, _ in enumerate(columns, 1)]


def _alias(columns: Sequence[Expr]) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier("_part"), columns=[column.this.copy() for column in columns])


def union_may_mix(union: exp.SetOperation) -> bool:
    """Whether this is a whole chain of set operations whose columns may be numbers of different types."""
    if isinstance(union.parent, exp.SetOperation):
        return False
    parts = [*_parts(union)]
    columns = [part.expressions for part in parts if isinstance(part, exp.Select)]
    counts = {len(column) for column in columns}
    if is_recursive_union(union) or len(columns) < len(parts) or len(counts) > 1:
        return True
    if any(one.is_star for row in columns for one in row):
        return True
    return any(may_mix([one.unalias() for one in column]) for column in zip(*columns, strict=True))


def _parts(union: exp.SetOperation) -> Iterator[Expr]:
    """The queries of a chain of set operations."""
    for side in (union.this, union.expression):
        if isinstance(side, exp.SetOperation):
            yield from _parts(side)
        else:
            yield side


def widen_union(union: exp.SetOperation, duck: duckdb.DuckDBPyConnection) -> bool:
    """Cast columns of the queries to the common type; returns whether one needed it."""
    parts = [*_parts(union)]
    is_named = any(one.args.get("by_name") for one in union.find_all(exp.SetOperation))
    described = [_described(part, duck) for part in parts]
    if not all(described):
        if is_named or not _cast_by_duckdb(parts):
            raise not_emulated("a UNION of numbers with other places in a query that reads columns around it")
        return False
    types: dict[str | int, list[str]] = {}
    for columns in described:
        for place, (name, type) in enumerate(columns):
            types.setdefault(name if is_named else place, []).append(type)
    is_recursive = is_recursive_union(union)
    wide = {key: _wide(column, is_recursive) for key, column in types.items()}
    for part, columns in zip(parts, described, strict=True):
        names = [name for name, _ in columns]
        casts = [wide.get(name if is_named else place) for place, name in enumerate(names)]
        if any(casts) and not (is_recursive and part is not parts[0]):
            part.replace(_cast_columns(part, names, casts))
    return any(wide.values())


def is_recursive_union(union: exp.SetOperation) -> bool:
    """Whether a union reads the table that it defines: DuckDB gives it the types of its first query."""
    cte = union.parent
    return isinstance(cte, exp.CTE) and any(one.name == cte.alias for one in union.find_all(exp.Table))


def _cast_by_duckdb(parts: Sequence[Expr]) -> bool:
    """Let DuckDB work out the types of queries that cannot be described alone; False if their columns are not named."""
    queries = [part.unnest() for part in parts]
    selects = [query for query in queries if isinstance(query, exp.Select) and not query.is_star]
    counts = {len(select.expressions) for select in selects}
    if len(selects) < len(parts) or len(counts) != 1:
        return False
    names = selects[0].named_selects
    columns = [exp.column(name, quoted=True) for name in _names(names)]
    sources = [_source(part, _alias(columns)) for part in parts]
    casts = []
    for column, name in zip(columns, names, strict=True):
        leaves = [exp.Subquery(this=exp.select(column.copy()).from_(source.copy())) for source in sources]
        casts.append(exp.alias_(in_common_type(column.copy(), leaves), name, quoted=True))
    for part, source in zip(parts, sources, strict=True):
        part.replace(exp.select(*casts).from_(source))
    return True


def _wide(types: Sequence[str], is_recursive: bool) -> str | None:
    """The common type of a column that DuckDB would round."""
    numbers = [type for type in types if type != '"NULL"']
    places = [found for type in numbers if (found := places_of(type)) is not None]
    if not places or any(places_of(type) is None and type not in INTEGERS for type in numbers):
        return None
    digits = max(_digits(type) for type in numbers)
    if is_recursive:
        is_rounded = max(places) > (places_of(types[0]) or 0)
    else:
        is_rounded = len({*places}) > 1 and digits + max(places) > 38
    wide = f"DECIMAL({min(38, digits + max(places))},{max(places)})"
    return wide if is_rounded and any(type != wide for type in types) else None


def _digits(type: str) -> int:
    """The digits before the point."""
    if (places := places_of(type)) is None:
        return {"BIGINT": 19, "HUGEINT": 38}.get(type, 10)
    return int(type.removeprefix("DECIMAL(").partition(",")[0]) - places


def _cast_columns(part: Expr, names: Sequence[str], types: Sequence[str | None]) -> exp.Select:
    columns = [exp.column(name, quoted=True) for name in _names(names)]
    values = [
        column if type is None else exp.Cast(this=column, to=raw_type(type))
        for column, type in zip(columns, types, strict=True)
    ]
    shown = [exp.alias_(value, name, quoted=True) for value, name in zip(values, names, strict=True)]
    return exp.select(*shown).from_(_source(part, _alias(columns)))


def _source(part: Expr, alias: exp.TableAlias) -> exp.Subquery:
    """One of the queries of a set operation as a table."""
    if isinstance(part, exp.Subquery):
        source = part.copy()
        source.set("alias", alias)
        return source
    return exp.Subquery(this=part.copy(), alias=alias)


def unpivot_rounds(unpivot: exp.Pivot, duck: duckdb.DuckDBPyConnection) -> bool:
    """Whether the columns that become rows are numbers of which DuckDB would round some."""
    source = unpivot.parent
    if source is None:
        return False
    columns = [one.unalias().copy() for field in unpivot.fields for one in field.expressions]
    read = source.copy()
    read.set("pivots", None)
    described = columns_of(exp.select(*columns).from_(read), source, duck)
    _demand_one_kind(described)
    return bool(described) and _wide([type for _, type in described], is_recursive=False) is not None


def _demand_one_kind(columns: Sequence[tuple[str, str]]) -> None:
    """Refuse to make texts, numbers and dates rows of one column, which DuckDB would write as texts."""
    kinds = {name: _kind(type) for name, type in columns if type != '"NULL"'}
    first = next(iter(kinds.values()), None)
    for name, kind in kinds.items():
        if kind != first:
            words = (
                f"The type of column '{name}' conflicts with the type of other columns in the UNPIVOT list."
            )
            raise SqlError(f"SQL compilation error:\n{words}", 1044, "42P13")


def _kind(type: str) -> str:
    is_number = type in INTEGERS or type in INEXACT or places_of(type) is not None
    return "NUMBER" if is_number else type


def _described(part: Expr, duck: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The names and types of a query's columns, with the WITH clauses around it; empty where it reads other columns."""
    return columns_of(exp.select("*").from_(_source(part, _alias([]))), part.parent, duck)


def columns_of(
    query: exp.Select, around: Expr | None, duck: duckdb.DuckDBPyConnection
) -> list[tuple[str, str]]:
    """The names and types of a query's columns, with the WITH clauses around another; empty where DuckDB refuses it."""
    for clause in _clauses(around):
        query.set("with_", clause)
        query = exp.select("*").from_(exp.Subquery(this=query))
    # A refused DESCRIBE would end the transaction.
    if is_refused(plan_of(query, duck)):
        return []
    rows = duck.execute(f"DESCRIBE {query.sql(dialect='duckdb')}").fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def _clauses(part: Expr | None) -> Iterator[exp.With]:
    """The WITH clauses whose names a query sees, the nearest first."""
    node = part
    while node is not None:
        parent = node.parent
        if isinstance(node, exp.CTE) and isinstance(parent, exp.With):
            seen = parent.expressions[: parent.expressions.index(node) + bool(parent.recursive)]
            if seen:
                yield _with(parent, seen)
            node = parent.parent
            continue
        clause = node.args.get("with_")
        if isinstance(clause, exp.With):
            yield _with(clause, clause.expressions)
        node = parent


def _with(clause: exp.With, seen: Sequence[Expr]) -> exp.With:
    return exp.With(recursive=clause.recursive, expressions=[one.copy() for one in seen])
