"""Aggregates: their results for no rows, and aggregates with another name in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import call, cast, json, macro, with_kinds
from sfml_local.core.expressions.lowered_numbers import hashed
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
    function: Expr = node.this
    if (
        total := next((one for one in function.find_all(exp.Anonymous) if _SUM in one.meta), None)
    ) is not None:
        total.replace(_over(node, total.copy()))
        return function
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
    if isinstance(node, exp.Window):
        if (found := _windowed(node)) is not None:
            return found
        if isinstance(node.this, exp.Count) and makes_columns(node):
            return cast(node.copy(), COUNTER)
    inner = node
    while isinstance(inner, exp.WithinGroup | exp.Window):
        inner = inner.this
    if not isinstance(inner, exp.GroupConcat | exp.ArrayAgg) or not _whole_call(node):
        return node
    if isinstance(inner, exp.GroupConcat):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    listed = node.copy().transform(_ordered_list, copy=False)
    return exp.Coalesce(this=listed, expressions=[json(exp.Literal.string("[]"))])


def _ordered_list(node: Expr) -> Expr:
    """ARRAY_AGG(…) WITHIN GROUP (…) as a list in its order; sqlglot leaves NULLs out of it."""
    if not isinstance(node, exp.WithinGroup) or not isinstance(node.this, exp.ArrayAgg):
        return node
    order = exp.Order(this=node.this.this, expressions=node.expression.expressions)
    return exp.ArrayAgg(this=order, nulls_excluded=True)


def _distinct_count(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return call("approx_count_distinct", arguments[0] if len(arguments) == 1 else complete(arguments))


def _union(arguments: Arguments, rewriting: Rewriting) -> Expr:
    listed = exp.Filter(
        this=call("list", arguments[0]),
        expression=exp.Where(
            this=exp.Not(this=exp.Is(this=exp.paren(arguments[0].copy()), expression=exp.null()))
        ),
    )
    return json(call("sf_array_union", call("to_json", listed), "JSON"))


_SUM = "hash_sum"
"""The key that marks the aggregate inside of HASH_AGG, which goes over the window."""


def _hash_agg(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """The sum of the rows' hashes, so that the order of rows does not matter, and their number does; 0 without rows."""
    is_distinct = isinstance(arguments[0], exp.Distinct)
    values = arguments[0].expressions if is_distinct else arguments
    row = hashed(values)
    total = call("sum", exp.Distinct(expressions=[row]) if is_distinct else row)
    total.meta[_SUM] = True
    return _signed(exp.Coalesce(this=cast(total, "HUGEINT"), expressions=[exp.Literal.number(0)]))


def _signed(number: Expr) -> Expr:
    """A whole number in 64 bits with a sign, those beyond which are dropped."""
    half = cast(call("pow", 2, 63), "HUGEINT")
    above = exp.paren(exp.Add(this=exp.paren(number), expression=half))
    below = exp.paren(exp.Mod(this=above, expression=cast(call("pow", 2, 64), "HUGEINT")))
    return cast(exp.Sub(this=below, expression=half.copy()), "DECIMAL(19, 0)")


COMPLETE = "sfml_complete"
"""A call of values that stands for their row, or NULL if one of them is NULL."""


def complete(values: Sequence[Expr]) -> Expr:
    """The values as a row; NULL if one of them is NULL."""
    there = [exp.Not(this=exp.Is(this=exp.paren(value.copy()), expression=exp.null())) for value in values]
    return exp.Case(ifs=[exp.If(this=exp.and_(*there), true=call("row", *values))])


def _counted(node: exp.Count, rewriting: Rewriting) -> Expr:
    """A count; a column that is made of it has 18 digits, as facts tell of answers (`services/variants`)."""
    counted = _complete_count(node)
    is_bare = not isinstance(above(node), (*_AROUND, exp.Pivot))
    return cast(counted.copy(), COUNTER) if is_bare and makes_columns(node) else counted


COUNTER = "DECIMAL(18, 0)"
"""The type of counts, as accounts declare it."""


def makes_columns(node: Expr) -> bool:
    """Whether the columns of a table or view are made of a statement's values."""
    return isinstance(node.root(), exp.Create)


def above(node: Expr) -> Expr | None:
    """What a value belongs to, but its alias."""
    return node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent


def _complete_count(node: exp.Count) -> Expr:
    """COUNT(t.*), COUNT(DISTINCT t.*) and COUNT(a, b) count the rows in which no value is NULL."""
    values = [node.this, *node.expressions]
    is_distinct = isinstance(node.this, exp.Distinct)
    if is_distinct:
        values = node.this.expressions
    is_starred = any(isinstance(one, exp.Column) and one.is_star for one in values)
    if not is_starred:
        return node if is_distinct or len(values) == 1 else exp.Count(this=complete(values), big_int=True)
    parts = (exp.Columns(this=one.copy(), unpack=True) if one.is_star else one for one in values)
    row = call(COMPLETE, *parts)
    return exp.Count(this=exp.Distinct(expressions=[row]) if is_distinct else row, big_int=True)


def _percentile(arguments: Arguments, rewriting: Rewriting) -> Expr:
    demand_share(arguments[1], "APPROX_PERCENTILE")
    return call("quantile_cont", cast(arguments[0], "DOUBLE"), arguments[1])


def _most_frequent(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """APPROX_TOP_K: pairs of a value and its number, the most frequent first; exact here."""
    value, *others = arguments
    counts = call("histogram", cast(call("sf_to_variant", *with_kinds([value])), "VARCHAR"))
    return json(macro("top", counts, others[0] if others else exp.Literal.number(1)))


BUILDERS: dict[str, Builder] = {
    "APPROX_TOP_K": _most_frequent,
    **dict.fromkeys(("HLL", "APPROX_COUNT_DISTINCT"), _distinct_count),
    "HASH_AGG": _hash_agg,
    "ARRAY_UNION_AGG": _union,
    "APPROX_PERCENTILE": _percentile,
}
NODES: Mapping[type[Expr], Callable[[Any, Rewriting], Expr]] = {
    **dict.fromkeys((exp.GroupConcat, exp.ArrayAgg, exp.WithinGroup, exp.Window), _listed),
    exp.Count: _counted,
}
