"""Texts and variants as numbers where a statement computes with them, and numbers as days beside a date.

Only DuckDB knows the types when it binds a statement, so macros choose. A text becomes NUMBER(18, 5), as
accounts cast it. https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from functools import partial

from sqlglot import Expr, exp

from sfml_local.core.expressions.calls import STANDS, bound, chosen, macro, stand_in

_OPERATORS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_FUNCTIONS = (exp.Abs, exp.Exp, exp.Round, exp.Sign, exp.Sqrt)
"""Functions of a number, which is their first argument."""
_OPTIONS = ("AUTO", 1970, "UTC")


def coerced(tree: Expr) -> Expr:
    """The tree with every operand of arithmetic as a number, where it is a text or a variant."""
    kinds = (*_OPERATORS, *_COMPARISONS, *_FUNCTIONS, exp.Neg, exp.In, exp.Between)
    for node in reversed(list(tree.find_all(*kinds))):
        if node.find(exp.Interval, exp.Placeholder) is not None or _is_assignment(node):
            continue
        new = _computed(node)
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
    left = _operand(node.this)
    if isinstance(node, _FUNCTIONS):
        new = node.copy()
        new.set("this", left)
        return new
    if isinstance(node, exp.Neg):
        return exp.Neg(this=left)
    right = _operand(node.expression)
    match node:
        case exp.Add():
            return bound(partial(_macro, "add"), left, right)
        case exp.Sub():
            return bound(partial(_macro, "subtract"), left, right)
    return type(node)(this=left, expression=right)


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
