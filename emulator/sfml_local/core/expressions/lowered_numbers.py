"""Functions and literals of numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import partial, reduce

from sqlglot import Expr, exp
from sqlglot.parsers.snowflake import SnowflakeParser

from sfml_local.core.expressions import lowered_dates
from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import TYPE, bound, call, cast, macro, stand_in, typed, whole
from sfml_local.core.expressions.comparisons import lowered_alternatives, lowered_comparison
from sfml_local.core.expressions.number_rules import INEXACT
from sfml_local.core.expressions.refusals import marked
from sfml_local.core.rewriting import Rewriting

DIGITS_OF_64_BITS = 18
DIVISION_BY_ZERO = marked(100051, "22012", "Division by zero")


def lowered_literal(node: exp.Literal, rewriting: Rewriting) -> Expr:
    """An integer beyond 64 bits as a NUMBER, whose sums do not overflow."""
    if (
        node.is_string
        or not node.name.isdigit()
        or len(node.name) <= DIGITS_OF_64_BITS
        or len(node.name) > 38
    ):
        return node
    return cast(node.copy(), "DECIMAL(38, 0)")


def divided(left: Expr, right: Expr, value: Expr) -> Expr:
    """A value that is refused if `left` is divided by zero; NULL divided by zero is NULL."""
    is_zero = exp.EQ(this=exp.paren(right.copy()), expression=exp.Literal.number(0))
    is_there = exp.Not(this=exp.Is(this=exp.paren(left.copy()), expression=exp.null()))
    error = call("error", DIVISION_BY_ZERO)
    return exp.Case(ifs=[exp.If(this=exp.And(this=is_zero, expression=is_there), true=error)], default=value)


def lowered_remainder(node: exp.Mod, rewriting: Rewriting) -> Expr:
    """`a % b`: refused where b is 0."""
    divisor = node.expression.unnest()
    if isinstance(divisor, exp.Literal) and divisor.name.strip("0."):
        return node
    return bound(_remainder, node.this, node.expression)


def _remainder(left: Expr, right: Expr) -> Expr:
    return divided(left, right, exp.Mod(this=left.copy(), expression=right.copy()))


def _mod(arguments: Arguments, rewriting: Rewriting) -> Expr:
    left, right = (exp.paren(one.copy()) for one in arguments)
    remainder = exp.Mod(this=left, expression=right)
    return exp.paren(lowered_remainder(remainder, rewriting))


def _conditional(name: str) -> Builder:
    """What sqlglot writes as IFF, with each argument several times."""
    usual = SnowflakeParser.FUNCTIONS[name]

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        def chosen(*values: Expr) -> Expr:
            node: Expr = usual(list(values))
            for comparison in list(node.find_all(exp.EQ)):
                comparison.replace(lowered_comparison(comparison, rewriting))
            return lowered_alternatives(node, rewriting)

        return bound(chosen, *arguments)

    return build


def _stepped(function: str) -> Builder:
    """CEIL and FLOOR, with a number of decimal places."""

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        value, *places = arguments
        if any(isinstance(one, exp.Null) for one in arguments):
            return exp.null()
        if not places:
            return call(function, value)
        return bound(partial(_scaled, function, varies(places[0])), value, places[0])

    return build


def _scaled(function: str, is_per_row: bool, value: Expr, places: Expr) -> Expr:
    type = value if is_per_row else call("round", value, places)
    if isinstance(places, exp.Literal) and places.is_int:
        return call("cast_to_type", _next_step(function, value, int(places.name)), type)
    scale = call("pow", 10, whole(places))
    scaled = exp.Mul(this=cast(value.copy(), "DOUBLE"), expression=scale)
    near = typed(exp.Div(this=call(function, scaled), expression=scale.copy()), "DOUBLE")
    exact = call("sf_stepped", cast(value.copy(), "VARCHAR"), whole(places), function)
    return _exact_unless_float(value, exact, near, type)


def _next_step(function: str, value: Expr, places: int) -> Expr:
    """The rounded number, or the next one after it where it is on the wrong side of the value."""
    near = call("round", value, places)
    compared, operation = (exp.LT, exp.Add) if function == "ceil" else (exp.GT, exp.Sub)
    is_wrong = cast(exp.paren(compared(this=near, expression=exp.paren(value.copy()))), "INTEGER")
    step = exp.Literal.number(f"{Decimal(1).scaleb(-places):f}")
    next = operation(this=near.copy(), expression=exp.Mul(this=step, expression=is_wrong))
    return call("round", next, places)  # a float has other digits after a sum


def unless_float(kinds: Sequence[Expr], exact: Expr, near: Expr) -> Expr:
    """One value for NUMBERs, another where one of these names of types is that of a float."""
    floats = [exp.Literal.string(one) for one in INEXACT]
    tests: list[Expr] = [exp.In(this=kind, expressions=[one.copy() for one in floats]) for kind in kinds]
    if not tests:
        return exact
    return exp.Case(ifs=[exp.If(this=reduce(_either, tests), true=near)], default=exact)


def _either(one: Expr, other: Expr) -> Expr:
    return exp.Or(this=one, expression=other)


def _exact_unless_float(value: Expr, exact: Expr, near: Expr, type: Expr) -> Expr:
    """One value for a NUMBER and another for a float, both in the type of an example."""
    typed_values = [call("cast_to_type", one, type) for one in (exact, near)]
    return unless_float([call("typeof", value)], *typed_values)


def varies(places: Expr) -> bool:
    """Whether a number of places differs from row to row, so that the answer has the type of the rounded value."""
    return places.find(exp.Column, exp.Subquery) is not None


def rounded(node: exp.Round | exp.Trunc) -> Expr:
    """ROUND and TRUNC to places that are not the same for all rows: exact for a NUMBER."""
    how = "TRUNC" if isinstance(node, exp.Trunc) else node.args.get("truncate") or "HALF_AWAY_FROM_ZERO"
    return bound(partial(_rounded, how), node.this, whole(node.args["decimals"]))


def _rounded(how: Expr | str, value: Expr, places: Expr) -> Expr:
    exact = call("sf_rounded", cast(value.copy(), "VARCHAR"), places, how)
    scale = call("pow", 10, places)
    scaled = exp.Mul(this=cast(value.copy(), "DOUBLE"), expression=scale)
    cut = call("trunc" if how == "TRUNC" else "round", scaled)
    near = typed(exp.Div(this=cut, expression=scale.copy()), "DOUBLE")
    return _exact_unless_float(value, exact, near, value)


def _truncated(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """TRUNC of a number to places, or of a date to a part of it."""
    value, *rest = arguments
    if rest and rest[0].is_string and _PLACES.fullmatch(rest[0].name):
        rest = [exp.Literal.number(rest[0].name.strip())]
    if rest and (rest[0].is_string or _names_part(rest[0])):
        return lowered_dates.truncated(rest[0], value, rewriting, "TRUNC")
    if any(isinstance(one, exp.Null) for one in arguments):
        return exp.null()
    node = exp.Trunc(this=value, decimals=rest[0] if rest else None)
    if rest and varies(rest[0]):
        return rounded(node)
    if rest and not isinstance(rest[0], exp.Literal | exp.Neg):
        node.set("decimals", whole(rest[0]))
    return node


_PLACES = re.compile(r"\s*[+-]?\d+\s*")
"""A number of places that is written as a text."""


def _names_part(node: Expr) -> bool:
    """Whether an argument names a part of a date, as in `TRUNC(day, month)`; `m` and `dd` are columns more often."""
    return (
        isinstance(node, exp.Column | exp.Var)
        and not node.args.get("table")
        and len(node.name) > len("MM")
        and node.name.upper() in lowered_dates.PARTS
    )


def lowered_root(node: exp.Cbrt, rewriting: Rewriting) -> Expr:
    """The cube root: DuckDB's misses the nearest float of many, that of 27 among them."""
    return bound(lambda value: macro("root", exp.Cbrt(this=value), value), node.this)


def _random(name: str) -> Builder:
    return lambda arguments, rewriting: call(name, *arguments)


def _uniform(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """A number between two others, both among them where they are whole."""
    low, high, generator = arguments
    is_new = isinstance(generator, exp.Rand) and generator.this is None
    share = call("random") if is_new else call("sf_share", generator)
    width = exp.Sub(this=exp.paren(high.copy()), expression=exp.paren(low.copy()))
    if not (_is_whole(low) and _is_whole(high)):
        return exp.paren(
            exp.Add(this=cast(low, "DOUBLE"), expression=exp.Mul(this=share, expression=exp.paren(width)))
        )
    steps = exp.Mul(this=share, expression=exp.paren(exp.Add(this=width, expression=exp.Literal.number(1))))
    return cast(call("floor", exp.Add(this=exp.paren(low.copy()), expression=steps)), "BIGINT")


_WHOLE = ("BIGINT", "DECIMAL(38, 0)")


def _is_whole(node: Expr) -> bool:
    if isinstance(node, exp.Neg | exp.Paren):
        return _is_whole(node.this)
    return (isinstance(node, exp.Literal) and node.is_int) or node.meta.get(TYPE) in _WHOLE


def hashed(arguments: Arguments) -> Expr:
    """DuckDB's hash of the values, which is the same for equal numbers of any type; a star stands for its columns."""
    values = (
        exp.Columns(this=one.copy(), unpack=True) if one.is_star else hashable(one) for one in arguments
    )
    return cast(call("hash", *values), "HUGEINT")


def hashable(value: Expr) -> Expr:
    """What DuckDB hashes for a value: numbers that compare equally have one hash on an account."""
    return bound(lambda value: macro("hashed", value, stand_in(value)), value)


def _hash(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """A whole number of 64 bits with a sign."""
    half = cast(call("pow", 2, 63), "HUGEINT")
    return cast(exp.Sub(this=hashed(arguments), expression=half), "DECIMAL(19, 0)")


def _double(arguments: Arguments, rewriting: Rewriting, index: int) -> Expr:
    other = arguments[1 - index]
    there = exp.Not(this=exp.Is(this=exp.paren(other.copy()), expression=exp.null()))
    return exp.Case(ifs=[exp.If(this=there, true=cast(arguments[index].copy(), "DOUBLE"))])


BUILDERS: dict[str, Builder] = {
    "MOD": _mod,
    "CEIL": _stepped("ceil"),
    "CEILING": _stepped("ceil"),
    "FLOOR": _stepped("floor"),
    **dict.fromkeys(("TRUNC", "TRUNCATE"), _truncated),
    "HASH": _hash,
    "UNIFORM": _uniform,
    **{name: _conditional(name) for name in ("NULLIFZERO", "ZEROIFNULL")},
    **{name: _conditional(name) for name in ("DIV0", "DIV0NULL")},
    "RANDSTR": _random("sf_randstr"),
    "ZIPF": _random("sf_zipf"),
    "NORMAL": _random("sf_normal"),
    "REGR_VALX": lambda a, r: _double(a, r, 1),
    "REGR_VALY": lambda a, r: _double(a, r, 0),
}
