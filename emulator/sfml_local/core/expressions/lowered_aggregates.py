"""Aggregates: their results for no rows, and aggregates with another name in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.building import Arguments, Builder, counted
from sfml_local.core.expressions.calls import call, cast, json
from sfml_local.core.rewriting import Rewriting

_AROUND = (
    exp.WithinGroup,
    exp.Window,
    exp.Filter,
    exp.IgnoreNulls,
    exp.RespectNulls,
    exp.Order,
    exp.Distinct,
)


def demand_share(node: Expr, function: str) -> None:
    """Refuses a written percentile outside of 0 to 1."""
    try:
        share = float(node.sql())
    except ValueError:
        return
    if not 0 <= share <= 1:
        words = f"Invalid value [{share}] for function '{function}'"
        raise SqlError(f"SQL compilation error:\n{words}", 1015, "22023")


def _whole_call(node: Expr) -> bool:
    """Whether nothing around a node belongs to the same call, such as WITHIN GROUP or OVER."""
    return not isinstance(node.parent, _AROUND)


_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)


def _refuse_rank_in_frame(node: exp.Window) -> None:
    """An account ranks a row among those of its frame, DuckDB among all of its partition."""
    spec = node.args.get("spec")
    is_sliding = (
        isinstance(spec, exp.WindowSpec)
        and str(spec.args.get("kind")).upper() == "ROWS"
        and str(spec.args.get("start")).upper() != "UNBOUNDED"
    )
    if is_sliding and isinstance(node.this, _RANKS):
        raise not_emulated(
            f"{node.this.sql_name()} over a frame of ROWS that does not start at the first row"
        )


def _windowed(node: exp.Window) -> Expr | None:
    """Window functions that DuckDB lacks."""
    _refuse_rank_in_frame(node)
    function = node.this
    if not isinstance(function, exp.Anonymous) or not function.expressions:
        return None
    name, value = str(function.this).upper(), function.expressions[0]
    if name == "RATIO_TO_REPORT":
        return exp.Div(this=exp.paren(value.copy()), expression=_over(node, exp.Sum(this=value.copy())))
    if name == "CONDITIONAL_TRUE_EVENT":
        counted_ = exp.Case(
            ifs=[exp.If(this=value.copy(), true=exp.Literal.number(1))], default=exp.Literal.number(0)
        )
        return cast(_over(node, exp.Sum(this=counted_), so_far=True), "BIGINT")
    if name == "CONDITIONAL_CHANGE_EVENT":
        return call("sf_changes", _over(node, call("list", value), so_far=True))
    return None


def _over(node: exp.Window, function: Expr, *, so_far: bool = False) -> exp.Window:
    """A function over the window of another; `so_far` counts the rows up to the current one."""
    window = node.copy()
    window.set("this", function)
    if so_far:
        rows = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
        window.set("spec", rows)
    return window


def _listed(node: Expr, rewriting: Rewriting) -> Expr:
    """LISTAGG without values returns an empty text, ARRAY_AGG without values an empty array."""
    if isinstance(node, exp.Window) and (found := _windowed(node)) is not None:
        return found
    inner = node
    while isinstance(inner, exp.WithinGroup | exp.Window):
        inner = inner.this
    if not isinstance(inner, exp.GroupConcat | exp.ArrayAgg) or not _whole_call(node):
        return node
    if isinstance(inner, exp.GroupConcat):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    return exp.Coalesce(this=node.copy(), expressions=[json(exp.Literal.string("[]"))])


def _distinct_count(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return call("approx_count_distinct", *arguments)


def _union(arguments: Arguments, rewriting: Rewriting) -> Expr:
    listed = exp.Filter(
        this=call("list", arguments[0]),
        expression=exp.Where(
            this=exp.Not(this=exp.Is(this=exp.paren(arguments[0].copy()), expression=exp.null()))
        ),
    )
    return json(call("sf_array_union", call("to_json", listed), "JSON"))


def _percentile(arguments: Arguments, rewriting: Rewriting) -> Expr:
    demand_share(arguments[1], "APPROX_PERCENTILE")
    return call("quantile_cont", cast(arguments[0], "DOUBLE"), arguments[1])


BUILDERS: dict[str, Builder] = {
    **dict.fromkeys(("HLL",), counted("HLL", 1, None, _distinct_count)),
    "ARRAY_UNION_AGG": counted("ARRAY_UNION_AGG", 1, 1, _union),
    "APPROX_PERCENTILE": counted("APPROX_PERCENTILE", 2, 2, _percentile),
}
NODES: Mapping[type[Expr], Callable[[Any, Rewriting], Expr]] = dict.fromkeys(
    (exp.GroupConcat, exp.ArrayAgg, exp.WithinGroup, exp.Window), _listed
)
