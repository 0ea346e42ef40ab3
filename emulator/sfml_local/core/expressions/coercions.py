"""Texts and variants as numbers where a statement computes with them, and numbers as days beside a date.

Only DuckDB knows the types when it binds a statement, so macros choose. A text becomes NUMBER(18, 5), as
accounts cast it. https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlglot import Expr, exp

from sfml_local.core.expressions.calls import STANDS, bound, call, cast, chosen, macro, stand_in

_OPERATORS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_CHOICES = (exp.Coalesce, exp.Greatest, exp.Least, exp.Case, exp.If, exp.Nvl2)
_OPTIONS = ("AUTO", 1970, "UTC")
_SORTS: Mapping[type[Expr] | str, str] = {
    **dict.fromkeys((exp.Abs, exp.Exp, exp.Sign, exp.Sqrt), "n"),
    **dict.fromkeys((exp.Round, exp.Trunc, "ceil", "floor", "trunc", "round"), "ni"),
    **dict.fromkeys((exp.Cbrt, exp.Ln, exp.Cot, exp.Degrees, exp.Radians), "f"),
    **dict.fromkeys((exp.Sin, exp.Cos, exp.Tan, exp.Sinh, exp.Cosh, exp.Tanh), "f"),
    **dict.fromkeys((exp.Asin, exp.Acos, exp.Atan, exp.Atan2), "ff"),
    **dict.fromkeys((exp.Log, exp.Pow, exp.Corr, exp.CovarPop, exp.CovarSamp), "ff"),
    "_fs_haversine": "ffff",
    exp.BitwiseNot: "i",
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor), "ii"),
    **dict.fromkeys((exp.BitwiseLeftShift, exp.BitwiseRightShift), "ii"),
    **dict.fromkeys((exp.Upper, exp.Lower, exp.Reverse, exp.Unicode, exp.Ascii), "t"),
    **dict.fromkeys((exp.Left, exp.Right, exp.Substring), "t"),
    **dict.fromkeys((exp.Contains, exp.StartsWith, exp.EndsWith, exp.StrPosition), "tt"),
    **dict.fromkeys((exp.Like, exp.ILike), "ll"),
    exp.Replace: "ttt",
    **dict.fromkeys((exp.Dayname, exp.Monthname, exp.NextDay, exp.PreviousDay), "m"),
    **dict.fromkeys((exp.DateFromParts, exp.TimeFromParts), "iiii"),
}
"""Function, by its node or DuckDB's name → what it takes.

Numbers (n), integers (i), floats (f), texts (t), texts but no truth values (l) or moments (m).
"""
_FUNCTIONS: tuple[type[Expr], ...] = (exp.Anonymous, *(kind for kind in _SORTS if isinstance(kind, type)))
_OTHERS = (exp.Neg, exp.In, exp.Between, exp.WithinGroup)
_KINDS: tuple[type[Expr], ...] = (*_OPERATORS, *_COMPARISONS, *_CHOICES, *_FUNCTIONS, *_OTHERS)


def coerced(tree: Expr) -> Expr:
    """The tree with every operand of arithmetic as a number, where it is a text or a variant."""
    for node in reversed(list(tree.find_all(*_KINDS))):
        if node.find(exp.Interval, exp.Placeholder) is not None or _is_assignment(node):
            continue
        new = _computed(node)
        if new is node:
            continue
        if node is tree:
            tree = new
        else:
            node.replace(new)
    return tree


def _is_assignment(node: Expr) -> bool:
    """Whether it is `column = value` of an UPDATE's SET, not a comparison."""
    return isinstance(node, exp.EQ) and isinstance(node.parent, exp.Update) and node.arg_key == "expressions"


def _computed(node: Expr) -> Expr:
    if isinstance(node, _COMPARISONS):
        sides = (node.this, node.expression)
        if any(isinstance(side, exp.Query | exp.Tuple) for side in sides):
            return _compared(type(node), *sides)
        return bound(partial(_compared, type(node)), *sides)
    if isinstance(node, exp.In | exp.Between):
        return _chosen(node)
    if isinstance(node, exp.WithinGroup):
        return _percentile(node)
    if isinstance(node, _CHOICES):
        return _of_numbers(node)
    if isinstance(node, _FUNCTIONS):
        sorts = _SORTS.get(_name_of(node))
        return node if sorts is None else _with_arguments(node, sorts)
    left = _operand(node.this)
    if isinstance(node, exp.Neg):
        return exp.Neg(this=left)
    right = _operand(node.expression)
    match node:
        case exp.Add():
            return bound(partial(_macro, "add"), left, right)
        case exp.Sub():
            return bound(partial(_macro, "subtract"), left, right)
    return type(node)(this=left, expression=right)


def _name_of(node: Expr) -> type[Expr] | str:
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node)


def _with_arguments(node: Expr, sorts: str) -> Expr:
    new = node.copy()
    for value, sort in zip(list(new.iter_expressions()), sorts, strict=False):
        value.replace(_CONVERSIONS[sort](value))
    return new


def _percentile(node: exp.WithinGroup) -> Expr:
    new = node.copy()
    if isinstance(new.this, exp.PercentileCont):
        for ordered in new.expression.find_all(exp.Ordered):
            ordered.set("this", _operand(ordered.this))
    return new


def _of_numbers(node: Expr) -> Expr:
    """A choice with a literal number among its branches, of which texts become numbers."""
    new = node.copy()
    branches = [one for one in _branches(new, node.parent) if isinstance(one, Expr)]
    if any(isinstance(one, exp.Literal) and not one.is_string for one in branches):
        for one in branches:
            one.replace(_operand(one))
    return new


def _branches(node: Expr, parent: Expr | None) -> list[Expr | None]:
    match node:
        case exp.Case():
            return [*(one.args.get("true") for one in node.args["ifs"]), node.args.get("default")]
        case exp.If() if isinstance(parent, exp.Case):
            return []
        case exp.If() | exp.Nvl2():
            return [node.args.get("true"), node.args.get("false")]
    return list(node.iter_expressions())


def _compared(comparison: type[exp.Binary], left: Expr, right: Expr) -> Expr:
    return comparison(this=_beside(left, right), expression=_beside(right, left))


def _macro(name: str, left: Expr, right: Expr) -> Expr:
    return macro(name, left, right, stand_in(left), stand_in(right))


def _chosen(node: exp.In | exp.Between) -> Expr:
    """Convert a text that is used among numbers."""
    new = node.copy()
    others = new.expressions if isinstance(new, exp.In) else [new.args["low"], new.args["high"]]
    if others and not any(isinstance(one, exp.Query | exp.Subquery) for one in others):
        new.set("this", _beside(new.this, others[0]))
    return new


def _beside(value: Expr, other: Expr) -> Expr:
    """A text in the type of the other side."""
    if isinstance(value, exp.Literal | exp.Null | exp.Query | exp.Subquery | exp.Tuple):
        return value.copy()
    return macro("compared", value, stand_in(value), stand_in(other), *_OPTIONS)


def _operand(value: Expr) -> Expr:
    if isinstance(value, exp.Literal) and not value.is_string:
        return value.copy()
    found = chosen("operand", value)
    found.meta[STANDS] = macro("operand_type", stand_in(value))
    return found


def _float(value: Expr) -> Expr:
    return (
        value.copy()
        if isinstance(value, exp.Literal) and not value.is_string
        else chosen("double", value, exp.null())
    )


def _integer(value: Expr) -> Expr:
    if isinstance(value, exp.Literal) and value.is_int:
        return value.copy()
    if isinstance(value, exp.Literal) and value.name.isdecimal():
        return exp.Literal.number(value.name)  # DuckDB takes the number of places as a constant alone
    return cast(call("round", _operand(value)), "BIGINT")


def _text(value: Expr) -> Expr:
    return exp.cast(value.copy(), "VARCHAR")


def _moment(value: Expr) -> Expr:
    return chosen("moment", value, *_OPTIONS)


_CONVERSIONS: Mapping[str, Callable[[Expr], Expr]] = {
    "n": _operand,
    "i": _integer,
    "f": _float,
    "t": _text,
    "l": partial(chosen, "liked"),
    "m": _moment,
}
