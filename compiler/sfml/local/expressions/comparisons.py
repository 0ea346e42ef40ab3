"""Comparisons of a value with a text: of a variant as text, of a date, number or boolean as what the text tells.

What the value is, only DuckDB knows when it binds a statement: the macros choose.
https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from sqlglot import Expr, exp

from sfml.local.expressions import settings
from sfml.local.expressions.calls import macro, stand_in
from sfml.local.rewriting import Rewriting

SIDES = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_DIFFERENT = (
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Placeholder,
    exp.Parameter,
    exp.Query,
    exp.Subquery,
    exp.Tuple,
)


def lowered_comparison(node: Expr, rewriting: Rewriting) -> Expr:
    """`value = 'text'`, either way round."""
    if isinstance(node.parent, exp.Update) and node.arg_key == "expressions":
        return node  # SET a = 'text'
    left, right = node.this, node.expression
    if _is_text(right) and _is_value(left):
        _set_sides(node, left, [right], rewriting)
    elif _is_text(left) and _is_value(right):
        node.set("expression", comparable(right))
        node.set("this", compared(left, right, rewriting))
    return node


def lowered_choice(node: exp.In | exp.Between, rewriting: Rewriting) -> Expr:
    """`value IN ('text', …)` and BETWEEN."""
    if node.find_ancestor(exp.Pivot) is not None:
        return node
    others = node.expressions if isinstance(node, exp.In) else [node.args["low"], node.args["high"]]
    if others and all(_is_text(other) for other in others) and _is_value(node.this):
        _set_sides(node, node.this, others, rewriting)
    return node


TEXTUAL = (
    *(
        exp.Length,
        exp.Left,
        exp.Right,
        exp.Substring,
        exp.Replace,
        exp.Reverse,
        exp.Upper,
        exp.Lower,
        exp.Contains,
    ),
    *(exp.StartsWith, exp.EndsWith, exp.StrPosition, exp.Repeat, exp.Unicode, exp.Stuff),
)
"""Functions of a text, which take a variant as the text that it holds."""


def lowered_pattern(node: Expr, rewriting: Rewriting) -> Expr:
    """LIKE and its kin look at a variant as text."""
    if _is_value(node.this):
        node.set("this", comparable(node.this))
    return node


def _set_sides(node: Expr, value: Expr, texts: list[Expr], rewriting: Rewriting) -> None:
    for text in texts:
        text.replace(compared(text, value, rewriting))
    value.replace(comparable(value))


def _is_text(node: Expr | None) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def _is_value(node: Expr | None) -> bool:
    return isinstance(node, Expr) and not isinstance(node, _DIFFERENT)


def comparable(value: Expr) -> Expr:
    """The value, or the text of a variant."""
    return macro("comparable", value, stand_in(value))


def compared(text: Expr, value: Expr, rewriting: Rewriting) -> Expr:
    """A text as what the value is that it is compared with."""
    session = rewriting.session
    century = settings.number(session, "TWO_DIGIT_CENTURY_START")
    zone = settings.text(session, "TIMEZONE")
    return macro("compared", text, stand_in(text), stand_in(value), "AUTO", century, zone)
