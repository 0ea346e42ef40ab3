"""A table function beside a table in FROM: the rows of that table, and the function's arguments for each of them.

The function runs before the rest of the statement; two relations, the table's rows and the function's, replace both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import Expr, exp

from sfml_local.core.arrow import as_table
from sfml_local.core.errors import not_emulated
from sfml_local.core.result import Result

if TYPE_CHECKING:
    from sfml_local.core.rewriting import Rewriting


@dataclass(frozen=True, slots=True)
class LateralCall:
    """`FROM left, TABLE(f(…) OVER (PARTITION BY …))`, with the nodes of the statement."""

    query: exp.Select
    left: exp.From
    join: exp.Join
    keys: tuple[Expr, ...]
    order: tuple[Expr, ...]

    def rows_beside(
        self, given: LateralInput, rows: Sequence[int | None], partitions: Sequence[int]
    ) -> pa.Table:
        """The table's row beside each row of the function; none, but the keys, for rows that end a partition.

        Those belong to no row of the table, as the registry's client documents.
        """
        starts = given.starts()
        own = pa.array(rows, pa.int64())
        first = pa.array(
            [starts[part] if row is None else row for row, part in zip(rows, partitions, strict=True)],
            pa.int64(),
        )
        kept = {_column(key) for key in self.keys}
        columns = [
            given.rows.column(index).take(first if field.name in kept else own)
            for index, field in enumerate(given.rows.schema)
        ]
        return pa.Table.from_arrays(columns, names=given.rows.column_names)


@dataclass(frozen=True, slots=True)
class LateralInput:
    """The table's rows, the arguments for each, and the number of rows of each partition, in their order."""

    rows: pa.Table
    arguments: pa.Table
    partitions: tuple[int, ...]

    def starts(self) -> list[int]:
        """The number of each partition's first row."""
        return [0, *accumulate(self.partitions)]


def lateral_call(node: exp.TableFromRows, window: exp.Window | None) -> LateralCall:
    """The parts of a call beside one table; other calls are refused."""
    join, query = node.parent, node.parent.parent if node.parent else None
    left = query.args.get("from_") if isinstance(query, exp.Select) else None
    if not (isinstance(join, exp.Join) and isinstance(query, exp.Select) and isinstance(left, exp.From)):
        raise not_emulated(f"{node.sql(dialect='snowflake')} without a table before it")
    if query.args["joins"].index(join) > 0:
        raise not_emulated(f"{node.sql(dialect='snowflake')} beside several tables; join them in a subquery")
    if join.side or join.args.get("on") is not None or join.args.get("using"):
        raise not_emulated(f"{join.sql(dialect='snowflake').strip()}; join its rows in an outer query")
    order = window.args.get("order") if window is not None else None
    return LateralCall(
        query,
        left,
        join,
        tuple(window.args.get("partition_by") or ()) if window is not None else (),
        tuple(order.expressions) if order is not None else (),
    )


def input_of(
    call: LateralCall, arguments: Sequence[Expr], names: Sequence[str], rewriting: Rewriting
) -> LateralInput:
    """The table's rows in the order of the partitions, with the arguments under these names."""
    asked = exp.select("*")
    for number, expression in enumerate((*arguments, *call.keys)):
        asked = asked.select(exp.alias_(expression.copy(), f"_sfml_{number}", quoted=True))
    asked.set("from_", call.left.copy())
    ordering = [one.copy() for one in (*call.keys, *call.order) if not isinstance(one, exp.Literal)]
    if ordering:
        asked = asked.order_by(*ordering)
    with_ = _with(call.query)
    if with_ is not None:
        asked.set("with_", with_)
    if rewriting.describe_only:
        asked = asked.limit(0)
    rows = as_table(rewriting.account.run_tree(rewriting.session, asked, staged=_staged(asked, rewriting)))
    width = rows.num_columns - len(arguments) - len(call.keys)
    given = rows.select(range(width, width + len(names))).rename_columns(list(names))
    key_rows = list(
        zip(*(rows.column(width + len(names) + i).to_pylist() for i in range(len(call.keys))), strict=True)
    )
    return LateralInput(rows.select(range(width)), given, _lengths(key_rows, rows.num_rows))


def _staged(asked: exp.Select, rewriting: Rewriting) -> dict[str, pa.Table]:
    """The relations of this statement that the query reads, which are known only while the statement executes."""
    staged: dict[str, pa.Table] = {}
    for table in asked.find_all(exp.Table):
        relation = rewriting.relations.get(table.name)
        if relation is not None:
            staged[table.name] = as_table(relation) if isinstance(relation, Result) else relation
            table.set("db", None)
            table.set("catalog", None)
    return staged


def _with(query: exp.Select) -> exp.With | None:
    """The common table expressions that the query can read: its own and those of outer queries."""
    found: list[Expr] = []
    inner: Expr = query
    outer: Expr | None = query
    while outer is not None:
        with_ = outer.args.get("with_")
        if isinstance(with_, exp.With):
            before = []
            for one in with_.expressions:
                if one is inner:
                    break
                before.append(one.copy())
            found = before + found
        if isinstance(outer, exp.CTE):
            inner = outer
        outer = outer.parent
    return exp.With(expressions=found) if found else None


def _lengths(keys: Sequence[tuple[Any, ...]], count: int) -> tuple[int, ...]:
    """The lengths of runs of rows with the same key; one run of all rows without a key."""
    if not keys:
        return (count,) if count else ()
    lengths: list[int] = []
    last: tuple[Any, ...] | None = None
    for key in keys:
        if lengths and key == last:
            lengths[-1] += 1
        else:
            lengths.append(1)
        last = key
    return tuple(lengths)


def replace_both(
    call: LateralCall, before: pa.Table, function_rows: exp.Subquery, rewriting: Rewriting
) -> None:
    """The table's rows and the function's, side by side, in place of the table and the call."""
    call.left.set("this", rewriting.relation(before, _alias(call.left.this)))
    call.join.replace(exp.Join(this=function_rows, method="POSITIONAL"))


def _column(key: Expr) -> str | None:
    """The name of the partition column; None for other expressions."""
    if not isinstance(key, exp.Column):
        return None
    return key.name if key.this.quoted else key.name.upper()


def _alias(table: Expr) -> exp.TableAlias:
    """The alias or name of the table before the function."""
    alias = table.args.get("alias")
    if isinstance(alias, exp.TableAlias):
        return alias.copy()
    return exp.TableAlias(
        this=table.this.copy() if isinstance(table, exp.Table) else exp.to_identifier("_left")
    )
