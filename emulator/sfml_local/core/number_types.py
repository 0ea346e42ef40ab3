"""NUMBERs stay NUMBERs through SUM, AVG, MEDIAN and `/`, and a DATE stays a DATE through DATE_TRUNC.

DuckDB returns doubles and timestamps, and fakesnow sums doubles so that texts can be summed. Only DuckDB knows the
types of columns, so a result is cast to the type of an example: an expression that DuckDB binds and never
evaluates: `cast_to_type(a / b, example)`. An example is a double where an operand is one.

Quotients of NUMBERs, and products that contain one, are computed by functions of `exact_numbers`, in the types of
`number_rules`; AVG is the quotient of a sum and a count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice

import duckdb
import snowflake.connector.errors
from sqlglot import Expr, exp

from sfml_local.core import float_text
from sfml_local.core.expressions.calls import EXAMPLE, bound, call, chosen, kind, known_type
from sfml_local.core.expressions.coercions import coerced
from sfml_local.core.expressions.lowered_aggregates import above, makes_columns
from sfml_local.core.expressions.lowered_numbers import divided, unless_float
from sfml_local.core.expressions.number_rules import result_type
from sfml_local.core.fast_trees import nodes_in
from sfml_local.core.mixed_numbers import widened

LARGEST = 400
"""In nodes: an example repeats its expression, so larger expressions are left to DuckDB."""
LARGEST_COMPUTED = 10 * LARGEST
"""The same for a quotient or a product, which binds its operands once."""

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
    """A copy in which sums are those of numbers; the statement itself if there is nothing to change in it."""
    if transformed.find(*_SUMS, *_TYPERS) is None:
        return transformed
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
    for node in reversed(nodes_in(tree)):  # inner nodes first
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
    largest = LARGEST_COMPUTED if isinstance(node, exp.Div | exp.Mul) else LARGEST
    return next(islice(node.walk(), largest, None), None) is not None


# -- examples


def _cast_to_type(value: Expr, example: Expr) -> Expr:
    return _with_example(call("cast_to_type", value, example), example.copy())


def _with_example(value: Expr, example: Expr) -> Expr:
    value.meta[EXAMPLE] = example
    return value


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


def _with_three_more_places(value: Expr) -> Expr:
    one = exp.cast(exp.Literal.number(1), "DECIMAL(4, 3)")
    return _times(value.copy(), one)


def _times(left: Expr, right: Expr) -> Expr:
    return exp.Mul(this=exp.paren(left), expression=exp.paren(right))


# -- what has a type of its own


def _quotient(node: Expr) -> Expr:
    if known_type(node) == "DOUBLE":
        return node
    left, right = node.this, node.expression
    type = _type_of("quotient", _example(left), _example(right))
    return _with_example(bound(_exact_quotient, left, right), type)


def _exact_quotient(left: Expr, right: Expr) -> Expr:
    near = exp.Div(this=exp.paren(left.copy()), expression=exp.paren(right.copy()))
    value = _exact_or_near("quotient", left, right, near)
    return value if _is_constant(right) else divided(left, right, value)


def _is_constant(node: Expr) -> bool:
    """Whether it is a number that is written down, and not zero."""
    return isinstance(node, exp.Literal) and not node.is_string and bool(node.name.strip("0."))


def _exact_or_near(operation: str, left: Expr, right: Expr, near: Expr) -> Expr:
    """What is exact for NUMBERs, and computed by DuckDB for floats."""
    type = _type_of(operation, left, right)
    exact = _cast_to_type(call(f"sf_{operation}", left, right), type)
    return unless_float(_kinds([left, right]), exact, _cast_to_type(near, type))


def _kinds(operands: Sequence[Expr]) -> list[Expr]:
    """The names of the types that are not written down; DuckDB knows them when it binds the statement."""
    return [kind(operand) for operand in operands if not _literal_number(operand)]


def _type_of(operation: str, *operands: Expr) -> Expr:
    """An example of an operation's result, by the types of its operands."""
    kinds = [_kind(operand) for operand in operands]
    if all(isinstance(one, exp.Literal) for one in kinds):
        type = json.loads(result_type(operation, *(one.name for one in kinds)))
        return exp.Cast(this=exp.null(), to=exp.DataType.from_str(type, dialect="duckdb"))
    return call("from_json", "null", call("sf_result_type", operation, *kinds))


def _kind(operand: Expr) -> Expr:
    """DuckDB's name of a type; a number that is written down has no more digits than are written."""
    literal = _literal_number(operand)
    return exp.Literal.string(literal) if literal else kind(operand)


def _literal_number(operand: Expr) -> str:
    while isinstance(operand, exp.Paren | exp.Neg):
        operand = operand.this
    if not isinstance(operand, exp.Literal) or operand.is_string:
        return ""
    whole, _, places = operand.name.partition(".")
    return f"DECIMAL({len(whole + places)},{len(places)})" if (whole + places).isdigit() else ""


def _refused(condition: Expr, message: Expr, value: Expr) -> Expr:
    error = exp.Anonymous(this="error", expressions=[message])
    return exp.Case(ifs=[exp.If(this=condition, true=error)], default=value)


def _product(node: Expr) -> Expr:
    """A product with a quotient in it; of others DuckDB adds the places, as an account does up to twelve."""
    left, right = node.this, node.expression
    if not (_has_example(left) or _has_example(right)):
        return node
    type = _type_of("product", _example(left), _example(right))
    return _with_example(bound(_exact_product, left, right), type)


def _exact_product(left: Expr, right: Expr) -> Expr:
    near = _times(exp.cast(left.copy(), "DOUBLE"), exp.cast(right.copy(), "DOUBLE"))
    return _exact_or_near("product", left, right, near)


def _mean(node: Expr) -> Expr:
    """A mean is the quotient of a sum and a count, but in a PIVOT, of which DuckDB demands one aggregate."""
    if isinstance(above(node), (*_AROUND, exp.Pivot)):
        return node
    return _mean_of(node, exp.Max(this=_example(_argument(node))), "mean")


def _mean_of(node: Expr, value: Expr, operation: str) -> Expr:
    """A mean, as it is written with its window or filter, of values with the type of an example."""
    sum, count = (_with_function(node, function) for function in (exp.Sum, exp.Count))
    function = "sf_mean_in_frame" if operation == "mean_in_frame" else "sf_quotient"
    type = _type_of(operation, value, exp.Literal.number(1))
    exact = _cast_to_type(call(function, sum, count), type)
    return _with_example(unless_float(_kinds([value]), exact, _cast_to_type(node.copy(), type)), type)


def _with_function(node: Expr, function: type[Expr]) -> Expr:
    """A mean with another aggregate in its place."""
    new = node.copy()
    mean = new if isinstance(new, exp.Avg) else new.find(exp.Avg)
    assert mean is not None
    other = function(this=mean.this.copy())
    if mean is new:
        return other
    mean.replace(other)
    return new


def _filtered(node: Expr) -> Expr:
    if not isinstance(node.this, exp.Avg) or isinstance(node.parent, exp.Window):
        return node
    return _mean_of(node, exp.Max(this=_example(_argument(node.this))), "mean")


def _sum(node: Expr) -> Expr:
    """A sum has twelve more digits than its values, which a column that is made of it keeps; answers tell 38."""
    return _typed_as("sum", node) if makes_columns(node) else node


def _kurtosis(node: Expr) -> Expr:
    return _typed_as("kurtosis", node)


def _typed_as(operation: str, node: Expr) -> Expr:
    """An aggregate of a NUMBER in its own type, but in a PIVOT, of which DuckDB demands one aggregate."""
    if isinstance(above(node), (*_AROUND, exp.Pivot)):
        return node
    argument = _argument(node)
    value = argument if _literal_number(argument) else exp.Max(this=_example(argument))
    return _of_operation(operation, node, value)


def _of_operation(operation: str, node: Expr, value: Expr) -> Expr:
    """An aggregate, as it is written with its window, in the type of an operation on values like an example."""
    type = _type_of(operation, value, exp.Literal.number(1))
    return _with_example(_cast_to_type(node.copy(), type), type)


def _variance(node: Expr) -> Expr:
    if isinstance(node.parent, _AROUND):
        return node
    return _cast_to_type(node.copy(), _of_variance(exp.Max(this=_example(_argument(node)))))


def _of_variance(example: Expr) -> Expr:
    return _type_of("variance", example, exp.Literal.number(1))


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
    return call("sqrt", exp.cast(value, "DOUBLE"))


def _window(node: Expr) -> Expr:
    if isinstance(node.this, _DEVIATIONS):
        varying = node.copy()
        varying.set("this", _varying(node.this))
        return _root_of(_window(varying))
    function = node.this.this if isinstance(node.this, exp.Filter) else node.this
    if isinstance(function, exp.Avg):
        operation = "mean_in_frame" if _is_in_frame(node) else "mean"
        return _mean_of(node, _example(_argument(function)), operation)
    if isinstance(function, exp.Kurtosis):
        return _of_operation("kurtosis", node, _example(_argument(function)))
    if isinstance(function, exp.Sum):
        is_kept = makes_columns(node)
        return _of_operation("sum", node, _example(_argument(function))) if is_kept else node
    if not isinstance(node.this, exp.Variance | exp.VariancePop):
        return node
    example = node.copy()
    example.set("this", exp.Max(this=_example(node.this.this)))
    return _cast_to_type(node.copy(), _of_variance(example))


def _is_in_frame(node: Expr) -> bool:
    """Whether a window has no order, or a frame of ROWS whose two ends move with the row."""
    spec = node.args.get("spec")
    if not isinstance(spec, exp.WindowSpec):
        return node.args.get("order") is None and not node.args.get("alias")
    ends = [str(spec.args.get(end)).upper() for end in ("start", "end")]
    return str(spec.args.get("kind")).upper() == "ROWS" and "UNBOUNDED" not in ends and "NONE" not in ends


def _median(node: Expr) -> Expr:
    """Three more places than the values: https://docs.snowflake.com/en/sql-reference/functions/median"""
    type = _type_of("median", exp.Max(this=_example(node.this)), exp.Literal.number(1))
    node.set("this", _with_three_more_places(node.this))
    return node if isinstance(node.parent, _AROUND) else _cast_to_type(node.copy(), type)


def _percentile(node: Expr) -> Expr:
    if isinstance(node.this, exp.PercentileCont):
        for ordered in node.expression.find_all(exp.Ordered):
            ordered.set("this", _with_three_more_places(ordered.this))
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


def _outside(node: Expr) -> Expr:
    """Refuse an argument outside of a function's domain, and a result beyond FLOAT, like a division by zero."""
    name, condition = _DOMAINS[type(node)]
    text = exp.cast(node.this.copy(), "VARCHAR")
    words = [exp.Literal.string(f"Invalid floating point operation: {name}("), text, exp.Literal.string(")")]
    argument = exp.cast(exp.paren(node.this.copy()), "DOUBLE")
    return _refused(condition(argument), exp.Anonymous(this="concat", expressions=words), node.copy())


def _beyond(compared: type[exp.Binary], limit: str) -> Callable[[Expr], Expr]:
    return lambda argument: compared(this=argument, expression=exp.Literal.number(limit))


def _away(compared: type[exp.Binary]) -> Callable[[Expr], Expr]:
    """Farther from 0 than 1."""
    return lambda argument: compared(this=exp.Abs(this=argument), expression=exp.Literal.number(1))


_DOMAINS: Mapping[type[Expr], tuple[str, Callable[[Expr], Expr]]] = {
    exp.Sqrt: ("sqrt", _beyond(exp.LT, "0")),
    exp.Ln: ("ln", _beyond(exp.LTE, "0")),
    exp.Exp: ("exp", _beyond(exp.GT, "709.782712893384")),
    exp.Acos: ("acos", _away(exp.GT)),
    exp.Asin: ("asin", _away(exp.GT)),
    exp.Acosh: ("acosh", _beyond(exp.LT, "1")),
    exp.Atanh: ("atanh", _away(exp.GTE)),
}


def _infinite(node: Expr) -> Expr:
    """Refuse a result that is no number, or beyond FLOAT, of arguments that are within it."""
    arguments = [one for one in (node.this, node.args.get("expression")) if one is not None]
    words: list[Expr] = [exp.Literal.string(f"Invalid floating point operation: {_POWERS[type(node)]}(")]
    for argument in arguments:
        words += [exp.cast(argument.copy(), "VARCHAR"), exp.Literal.string(",")]
    words[-1] = exp.Literal.string(")")
    finite = [
        exp.Anonymous(this="isfinite", expressions=[exp.cast(one.copy(), "DOUBLE")]) for one in arguments
    ]
    result = exp.Not(this=exp.Anonymous(this="isfinite", expressions=[exp.cast(node.copy(), "DOUBLE")]))
    return _refused(exp.and_(*finite, result), exp.Anonymous(this="concat", expressions=words), node.copy())


_POWERS: Mapping[type[Expr], str] = {exp.Pow: "pow", exp.Log: "log", exp.Cosh: "cosh", exp.Sinh: "sinh"}

_TYPERS: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    exp.Div: _quotient,
    exp.Mul: _product,
    exp.Avg: _mean,
    exp.Sum: _sum,
    exp.Kurtosis: _kurtosis,
    **dict.fromkeys(_VARIANCES, _variance),
    **dict.fromkeys(_DEVIATIONS, _deviation),
    exp.Window: _window,
    exp.Filter: _filtered,
    exp.Median: _median,
    exp.WithinGroup: _percentile,
    exp.Case: _choice,
    exp.If: _choice,
    **dict.fromkeys(_DOMAINS, _outside),
    **dict.fromkeys(_POWERS, _infinite),
    **dict.fromkeys(_CHOICES, _choice),
    **dict.fromkeys(_TRUNCATIONS, _truncated),
    **float_text.TYPERS,
}
