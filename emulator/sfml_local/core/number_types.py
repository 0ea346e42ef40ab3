"""NUMBERs stay NUMBERs through SUM, AVG, MEDIAN and `/`, and a DATE stays a DATE through DATE_TRUNC.

DuckDB returns doubles and timestamps, and fakesnow sums doubles so that texts can be summed. Only DuckDB knows the
types of columns, so a result is cast to the type of an example: an expression that DuckDB binds and never
evaluates: `cast_to_type(a / b, example)`. An example is a double where an operand is one.

A quotient has six more places than its dividend, up to twelve; AVG is the quotient of a sum and a count.
https://docs.snowflake.com/en/sql-reference/operators-arithmetic
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from itertools import islice

import duckdb
import snowflake.connector.errors
from sqlglot import Expr, exp

from sfml_local.core import float_text
from sfml_local.core.expressions.calls import EXAMPLE, chosen
from sfml_local.core.expressions.coercions import coerced
from sfml_local.core.expressions.lowered_numbers import divided
from sfml_local.core.expressions.macros import PLACE
from sfml_local.core.mixed_numbers import widened

PLACES = 12
"""The most decimal places of a result, unless an operand has more."""

LARGEST = 400
"""In nodes: an example repeats its expression, so larger expressions are left to DuckDB."""

_SUMS = (exp.Sum, exp.Avg, exp.Median)
_VARIANCES = (exp.Variance, exp.VariancePop)
_DEVIATIONS = (exp.Stddev, exp.StddevSamp, exp.StddevPop)
_AROUND = (exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
_CHOICES = (exp.Coalesce, exp.Greatest, exp.Least)
_TRUNCATIONS = (exp.TimestampTrunc, exp.DateTrunc)


def run_typed(run: Callable[[Expr], None], transformed: Expr, duck: duckdb.DuckDBPyConnection) -> None:
    """Run a transformed statement with Snowflake's types, and as fakesnow wrote it where DuckDB refuses that.

    DuckDB refuses the sum of a text and the like when it binds the statement, before anything is done. A statement
    that is wrong for another reason is refused again, so DuckDB's messages need not be read.
    """
    others = attempts(transformed)
    tree = next(others)
    while True:
        try:
            return run(widened(tree, duck))
        except (duckdb.BinderException, snowflake.connector.errors.ProgrammingError) as cause:
            if not isinstance(cause.__cause__ or cause, duckdb.BinderException):
                raise
            if (other := next(others, None)) is None:
                raise
            tree = other


def attempts(transformed: Expr) -> Iterator[Expr]:
    """The versions to try: with exact sums and types, with texts as numbers in computations, and unchanged."""
    first = _with_exact_sums(transformed)
    yield first
    previous = first.sql(dialect="duckdb")
    for make in (_with_numbers_of_texts, _with_both, _with_types, _with_texts_read):
        tree = make(transformed)
        text = tree.sql(dialect="duckdb")
        if text != previous:
            yield tree
        previous = text


def _with_exact_sums(transformed: Expr) -> Expr:
    numbers = transformed.copy()
    for node in list(numbers.find_all(*_SUMS, *_VARIANCES, *_DEVIATIONS)):
        if _is_fakesnows(node.this):
            node.set("this", node.this.this)
    return _typed(numbers)


def _is_fakesnows(value: Expr) -> bool:
    """Whether it is fakesnow's cast of a text to a double, which answers NULL where there is no number."""
    return isinstance(value, exp.TryCast) and value.to.is_type(exp.DataType.Type.DOUBLE)


def _with_texts_read(tree: Expr) -> Expr:
    """A copy in which aggregates of texts refuse one that is no number."""
    numbers = tree.copy()
    for node in list(numbers.find_all(*_SUMS, *_VARIANCES, *_DEVIATIONS)):
        if _is_fakesnows(node.this):
            node.set("this", chosen("double", node.this.this, exp.null()))
    return numbers


def _with_numbers_of_texts(transformed: Expr) -> Expr:
    return _with_exact_sums(coerced(transformed.copy()))


def _with_both(transformed: Expr) -> Expr:
    return _typed(coerced(_with_texts_read(transformed)))


def _with_types(transformed: Expr) -> Expr:
    return _typed(_with_texts_read(transformed))


def _typed(tree: Expr) -> Expr:
    for node in reversed(list(tree.walk())):  # inner nodes first
        typer = _TYPERS.get(type(node))
        if typer is None or _is_large(node) or node.find(exp.Placeholder) is not None:
            continue
        new = typer(node)
        if new is node:
            continue
        tree = new if node is tree else tree
        node.replace(new)
    return tree


def _is_large(node: Expr) -> bool:
    return next(islice(node.walk(), LARGEST, None), None) is not None


# -- examples


def _cast_to_type(value: Expr, example: Expr) -> Expr:
    call = exp.Anonymous(this="cast_to_type", expressions=[value, example])
    call.meta[EXAMPLE] = example.copy()
    return call


def _example(node: Expr) -> Expr:
    """An expression of the same type, with parts replaced by their examples."""
    example: Expr = node.copy().transform(lambda part: part.meta.get(EXAMPLE, part), copy=False)
    return example


def _has_example(node: Expr | None) -> bool:
    while isinstance(node, exp.Paren | exp.Neg):
        node = node.this
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return _has_example(node.this) or _has_example(node.expression)
    return node is not None and EXAMPLE in node.meta


def _one(places: int, digits: int = 38) -> Expr:
    """The number one as a decimal with this many places, which a product takes over."""
    return exp.cast(exp.Literal.number(1), f"DECIMAL({digits}, {places})")


def _at_most_twelve(example: Expr) -> Expr:
    return exp.Anonymous(this="round", expressions=[example, exp.Literal.number(PLACES)])


def _times(left: Expr, right: Expr) -> Expr:
    return exp.Mul(this=exp.paren(left), expression=exp.paren(right))


# -- what has a type of its own


def _quotient(node: Expr) -> Expr:
    left, right = node.this, node.expression
    whole = exp.Anonymous(this="round", expressions=[_example(right), exp.Literal.number(0)])
    example = _at_most_twelve(_times(_times(_example(left), _one(6)), whole))
    return _cast_to_type(divided(left, right, node.copy()), example)


def _refused(condition: Expr, message: Expr, value: Expr) -> Expr:
    error = exp.Anonymous(this="error", expressions=[message])
    return exp.Case(ifs=[exp.If(this=condition, true=error)], default=value)


def _product(node: Expr) -> Expr:
    """A product in doubles, exact to fifteen digits, because DuckDB adds the places of both until they overflow."""
    left, right = node.this, node.expression
    if not (_has_example(left) or _has_example(right)):
        return node
    value = _times(exp.cast(left.copy(), "DOUBLE"), exp.cast(right.copy(), "DOUBLE"))
    return _cast_to_type(value, _at_most_twelve(_times(_example(left), _example(right))))


def _mean(node: Expr) -> Expr:
    if isinstance(node.parent, _AROUND):
        return node
    example = _at_most_twelve(_times(exp.Max(this=_example(_argument(node))), _one(6)))
    return _cast_to_type(node.copy(), example)


def _variance(node: Expr) -> Expr:
    if isinstance(node.parent, _AROUND):
        return node
    return _cast_to_type(node.copy(), _of_variance(exp.Max(this=_example(_argument(node)))))


def _of_variance(example: Expr) -> Expr:
    """A variance is a quotient of sums of squares; more than six places of a value would change nothing."""
    value = exp.Anonymous(this="round", expressions=[example, exp.Literal.number(6)])
    return _at_most_twelve(_times(_times(value, value.copy()), _one(6)))


def _argument(node: Expr) -> Expr:
    argument: Expr = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    return argument


def _deviation(node: Expr) -> Expr:
    """The root of the variance, as an account has rounded it."""
    return node if isinstance(node.parent, _AROUND) else _root_of(_variance(_varying(node)))


def _varying(node: Expr) -> Expr:
    kind = exp.VariancePop if isinstance(node, exp.StddevPop) else exp.Variance
    return kind(this=node.this.copy())


def _root_of(value: Expr) -> Expr:
    return exp.Anonymous(this="sqrt", expressions=[exp.cast(value, "DOUBLE")])


def _window(node: Expr) -> Expr:
    if isinstance(node.this, _DEVIATIONS):
        varying = node.copy()
        varying.set("this", _varying(node.this))
        return _root_of(_window(varying))
    if not isinstance(node.this, exp.Avg | exp.Variance | exp.VariancePop):
        return node
    example = node.copy()
    example.set("this", exp.Max(this=_example(node.this.this)))
    if not isinstance(node.this, exp.Avg):
        return _cast_to_type(node.copy(), _of_variance(example))
    if _is_sliding(node.args.get("spec")):
        return _mean_in_frame(node, example)
    return _cast_to_type(node.copy(), _at_most_twelve(_times(example, _one(6))))


def _is_sliding(spec: Expr | None) -> bool:
    """Whether a frame of ROWS has two ends that move with the row."""
    if not isinstance(spec, exp.WindowSpec) or str(spec.args.get("kind")).upper() != "ROWS":
        return False
    ends = [spec.args.get(end) for end in ("start", "end")]
    return None not in ends and "UNBOUNDED" not in [str(end).upper() for end in ends]


def _mean_in_frame(node: Expr, example: Expr) -> Expr:
    """A mean over a sliding frame has three more places than the values, and is cut off after them."""
    kind = exp.Anonymous(this="typeof", expressions=[_times(_example(node.this.this), _one(3, digits=4))])
    cut = exp.Anonymous(this=f"{PLACE}.sf_cut", expressions=[exp.cast(node.copy(), "DOUBLE"), kind])
    return _cast_to_type(cut, _at_most_twelve(_times(example, _one(3, digits=4))))


def _median(node: Expr) -> Expr:
    """Three more places than the values: https://docs.snowflake.com/en/sql-reference/functions/median"""
    node.set("this", _times(node.this.copy(), _one(3, digits=4)))
    return node


def _percentile(node: Expr) -> Expr:
    if isinstance(node.this, exp.PercentileCont):
        for ordered in node.expression.find_all(exp.Ordered):
            ordered.set("this", _times(ordered.this.copy(), _one(3, digits=4)))
    return node


def _truncated(node: Expr) -> Expr:
    if isinstance(node.this, exp.Literal):
        return node
    return _cast_to_type(node.copy(), _example(node.this))


def _choice(node: Expr) -> Expr:
    """Give all branches one type, otherwise DuckDB drops decimal places of some."""
    branches = [branch for branch in _branches(node) if branch is not None]
    numbers = [branch for branch in branches if not isinstance(branch, exp.Null)]
    if not any(_has_example(branch) for branch in numbers):
        return node
    if any(isinstance(branch, exp.Literal) and branch.is_string for branch in numbers):
        return node
    examples: list[Expr] = [exp.paren(_example(branch)) for branch in numbers]
    example = reduce(lambda left, right: exp.Add(this=left, expression=right), examples)
    for branch in numbers:
        branch.replace(_cast_to_type(branch.copy(), example.copy()))
    node.meta[EXAMPLE] = example
    return node


def _branches(node: Expr) -> list[Expr | None]:
    if isinstance(node, exp.Case):
        return [*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default")]
    if isinstance(node, exp.If):
        inside_case = isinstance(node.parent, exp.Case) and node.arg_key == "ifs"
        return [] if inside_case else [node.args.get("true"), node.args.get("false")]
    return [node.this, *node.expressions]


def _root(node: Expr) -> Expr:
    """Refuse SQRT and LN outside of their domain, like a division by zero."""
    is_root = isinstance(node, exp.Sqrt)
    zero = exp.Literal.number(0)
    condition = (exp.LT if is_root else exp.LTE)(this=exp.paren(node.this.copy()), expression=zero)
    text = exp.cast(node.this.copy(), "VARCHAR")
    name = "sqrt" if is_root else "ln"
    words = [exp.Literal.string(f"Invalid floating point operation: {name}("), text, exp.Literal.string(")")]
    return _refused(condition, exp.Anonymous(this="concat", expressions=words), node.copy())


_TYPERS: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    exp.Div: _quotient,
    exp.Mul: _product,
    exp.Avg: _mean,
    **dict.fromkeys(_VARIANCES, _variance),
    **dict.fromkeys(_DEVIATIONS, _deviation),
    exp.Window: _window,
    exp.Median: _median,
    exp.WithinGroup: _percentile,
    exp.Case: _choice,
    exp.If: _choice,
    exp.Sqrt: _root,
    exp.Ln: _root,
    **dict.fromkeys(_CHOICES, _choice),
    **dict.fromkeys(_TRUNCATIONS, _truncated),
    **float_text.TYPERS,
}
