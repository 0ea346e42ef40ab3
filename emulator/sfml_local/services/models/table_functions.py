"""`FROM t, TABLE(MODEL(m, v)!METHOD(…) OVER (PARTITION BY …))`: the rows of a model's table function.

The function runs before the rest of the statement; two relations with its rows replace it, side by side.
https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/partitioned-models
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.interpreter_errors import interpreter_error, raised
from sfml_local.core.lateral_calls import LateralCall, LateralInput, input_of, lateral_call, replace_both
from sfml_local.core.needed_passes import looks_for
from sfml_local.processes.predictor import PARTITION, ROW
from sfml_local.services.models import predictors
from sfml_local.services.models.inference import MethodCall, is_structured, method_call

if TYPE_CHECKING:
    from sfml_local.core.rewriting import Rewriting


@looks_for(exp.ModelAttribute)
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
    lateral = lateral_call(node, window)
    given = input_of(lateral, call.arguments, call.columns, rewriting)
    if rewriting.describe_only:
        answer = pa.table({"result": pa.array([], pa.string()), ROW: pa.array([], pa.int64())})
    else:
        answer = _answer(rewriting, call, given)
    texts = rewriting.relation(answer.select(["result"]))
    replace_both(
        lateral, _before(lateral, given, answer), _columns(call, texts, node.args.get("alias")), rewriting
    )


def _answer(rewriting: Rewriting, call: MethodCall, given: LateralInput) -> pa.Table:
    account = rewriting.account
    with account.part(predictors.Predictors).of(call.version.folder) as predictor:
        try:
            return predictor.call(account, call.method.handler, given.arguments, given.partitions)
        except predictors.PredictionError as cause:
            error = interpreter_error(RuntimeError(raised(cause, call.method.handler)))
            assert error is not None
            raise error from cause


def _before(lateral: LateralCall, given: LateralInput, answer: pa.Table) -> pa.Table:
    """The columns of the table before the function, for each row of the answer."""
    if PARTITION not in answer.column_names:
        return given.rows.take(answer.column(ROW))
    return lateral.rows_beside(given, [None] * answer.num_rows, answer.column(PARTITION).to_pylist())


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
