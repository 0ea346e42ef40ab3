"""`FROM t, TABLE(MODEL(m, v)!METHOD(…) OVER (PARTITION BY …))`: the rows of a model's table function.

The function runs before the rest of the statement; two relations with its rows replace it, side by side.
https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/partitioned-models
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import Expr, exp

from sfml_local.core.arrow import as_table
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.interpreter_errors import interpreter_error, raised
from sfml_local.processes.predictor import PARTITION, ROW
from sfml_local.services.models import predictors
from sfml_local.services.models.inference import MethodCall, is_structured, method_call

if TYPE_CHECKING:
    from sfml_local.core.rewriting import Rewriting


def table_calls(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with every table function of a model replaced by its rows."""
    for node in list(tree.find_all(exp.TableFromRows)):
        attribute = node.this
        if not isinstance(attribute, exp.ModelAttribute):
            continue
        window = attribute.expression if isinstance(attribute.expression, exp.Window) else None
        call = window.this if window is not None else attribute.expression
        is_other = (
            isinstance(call, exp.Anonymous)
            and f"!{str(call.this).upper()}" in rewriting.account.table_functions
        )
        if isinstance(call, exp.Anonymous) and not is_other:
            asked = method_call(rewriting.account, rewriting.session, attribute, call)
            _replace(node, asked, window, rewriting)
    return tree


def _replace(
    node: exp.TableFromRows, call: MethodCall, window: exp.Window | None, rewriting: Rewriting
) -> None:
    if not call.method.is_table_function:
        raise SqlError(
            f"SQL compilation error:\nFunction {call.method.name} of model {call.model.name.name} is no table"
            " function.",
            2141,
            "42601",
        )
    join, query = node.parent, node.parent.parent if node.parent else None
    left = query.args.get("from_") if isinstance(query, exp.Select) else None
    if not (isinstance(join, exp.Join) and isinstance(query, exp.Select) and isinstance(left, exp.From)):
        raise not_emulated(f"{node.sql(dialect='snowflake')} without a table before it")
    if query.args["joins"].index(join) > 0:
        raise not_emulated(f"{node.sql(dialect='snowflake')} beside several tables; join them in a subquery")
    keys = list(window.args.get("partition_by") or ()) if window is not None else []
    given, arguments, partitions = _input(query, left, call, keys, window, rewriting)
    if rewriting.describe_only:
        answer = pa.table({"result": pa.array([], pa.string()), ROW: pa.array([], pa.int64())})
    else:
        answer = _answer(rewriting, call, arguments, partitions)
    kept = {_column(key) for key in keys} if PARTITION in answer.column_names else None
    left.set("this", rewriting.relation(_before(given, answer, partitions, kept), _alias(left.this)))
    texts = rewriting.relation(answer.select(["result"]))
    join.replace(exp.Join(this=_columns(call, texts, node.args.get("alias")), method="POSITIONAL"))


def _input(
    query: exp.Select,
    left: exp.From,
    call: MethodCall,
    keys: Sequence[Expr],
    window: exp.Window | None,
    rewriting: Rewriting,
) -> tuple[pa.Table, pa.Table, list[int]]:
    """The rows of the table before the function, the arguments for them, and the number of rows of each partition."""
    asked = exp.select("*")
    for number, expression in enumerate((*call.arguments, *keys)):
        asked = asked.select(exp.alias_(expression.copy(), f"_sfml_{number}", quoted=True))
    asked.set("from_", left.copy())
    order = window.args.get("order") if window is not None else None
    ordering = [*(key.copy() for key in keys), *(one.copy() for one in (order.expressions if order else ()))]
    if any(not isinstance(one, exp.Literal) for one in ordering):
        asked = asked.order_by(*(one for one in ordering if not isinstance(one, exp.Literal)))
    with_ = _with(query)
    if with_ is not None:
        asked.set("with_", with_)
    if rewriting.describe_only:
        asked = asked.limit(0)
    rows = as_table(rewriting.account.run_tree(rewriting.session, asked))
    width = rows.num_columns - len(call.arguments) - len(keys)
    names = call.columns
    arguments = rows.select(range(width, width + len(names))).rename_columns(names)
    key_rows = list(
        zip(*(rows.column(width + len(names) + i).to_pylist() for i in range(len(keys))), strict=True)
    )
    return rows.select(range(width)), arguments, _lengths(key_rows, rows.num_rows)


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


def _lengths(keys: Sequence[tuple[Any, ...]], count: int) -> list[int]:
    """The lengths of runs of rows with the same key; one run of all rows without a key."""
    if not keys:
        return [count] if count else []
    lengths: list[int] = []
    last: tuple[Any, ...] | None = None
    for key in keys:
        if lengths and key == last:
            lengths[-1] += 1
        else:
            lengths.append(1)
        last = key
    return lengths


def _answer(rewriting: Rewriting, call: MethodCall, arguments: pa.Table, partitions: list[int]) -> pa.Table:
    account = rewriting.account
    with account.part(predictors.Predictors).of(call.version.folder) as predictor:
        try:
            return predictor.call(account, call.method.handler, arguments, partitions)
        except predictors.PredictionError as cause:
            error = interpreter_error(RuntimeError(raised(cause, call.method.handler)))
            assert error is not None
            raise error from cause


def _before(
    given: pa.Table, answer: pa.Table, partitions: Sequence[int], kept: set[str | None] | None
) -> pa.Table:
    """The columns of the table before the function, for each row of the answer.

    A row that ends a partition belongs to no row of the table, so its columns other than those of PARTITION BY are
    NULL, as the registry's client documents.
    """
    if kept is None:
        return given.take(answer.column(ROW))
    starts = [sum(partitions[:number]) for number in range(len(partitions))]
    rows = pa.array([starts[number] for number in answer.column(PARTITION).to_pylist()], pa.int64())
    columns = [
        given.column(index).take(rows) if field.name in kept else pa.nulls(len(rows), field.type)
        for index, field in enumerate(given.schema)
    ]
    return pa.Table.from_arrays(columns, names=given.column_names)


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


def _columns(call: MethodCall, texts: exp.Table, alias: Expr | None) -> exp.Subquery:
    """The function's columns, extracted from the JSON array of each row."""
    query = exp.select().from_(texts)
    for number, field in enumerate(call.method.outputs):
        value: Expr = exp.JSONExtract(
            this=exp.ParseJSON(this=exp.column("result", quoted=True)),
            expression=exp.JSONPath(expressions=[exp.JSONPathRoot(), exp.JSONPathSubscript(this=number)]),
        )
        if not is_structured(field):
            value = exp.cast(value, field.type, dialect="snowflake")
        query = query.select(exp.alias_(value, field.name, quoted=True))
    named = (
        alias.copy()
        if isinstance(alias, exp.TableAlias)
        else exp.TableAlias(this=exp.to_identifier("_right"))
    )
    return exp.Subquery(this=query, alias=named)
