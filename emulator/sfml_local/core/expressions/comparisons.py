"""Comparisons of a value with a text: variants as texts; with dates, numbers and booleans, the text is converted.

Only DuckDB knows the type of the value when it binds a statement, so macros choose.
https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import Expr, exp

from sfml_local.core.expressions import settings
from sfml_local.core.expressions.calls import (
    TYPE,
    bound,
    call,
    cast,
    json,
    known_type,
    macro,
    stand_in,
    typed,
    with_kinds,
)
from sfml_local.core.rewriting import Rewriting

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
    """`value = 'text'` or `'text' = value`."""
    if isinstance(node.parent, exp.Update) and node.arg_key == "expressions":
        return node  # SET a = 'text'
    left, right = node.this, node.expression
    if _is_text(right) and _is_value(left):
        return _with_sides(node, left, ["expression"], rewriting)
    if _is_text(left) and _is_value(right):
        return _with_sides(node, right, ["this"], rewriting)
    if _is_number(right) and _is_value(left):
        node.set("this", numeric(left))
    elif _is_number(left) and _is_value(right):
        node.set("expression", numeric(right))
    elif is_variant(left) and _is_value(right):
        _set_beside(left, right)
    elif is_variant(right) and _is_value(left):
        _set_beside(right, left)
    return node


def _set_beside(variant: Expr, other: Expr) -> None:
    """A variant beside a text, or beside another variant, is compared as text."""
    new = macro("beside", variant, stand_in(other))
    other.replace(comparable(other))
    variant.replace(new)


def is_variant(node: Expr | None) -> bool:
    """Whether the form of an expression shows that it is a VARIANT, ARRAY or OBJECT."""
    return isinstance(node, exp.JSONExtract | exp.Bracket) or (
        node is not None and node.meta.get(TYPE) == "JSON"
    )


def lowered_alternatives(node: Expr, rewriting: Rewriting) -> Expr:
    """COALESCE, IFF and CASE of a variant and a literal answer a variant."""
    if isinstance(node, exp.Coalesce):
        branches: list[Expr | None] = [node.this, *node.expressions]
    elif isinstance(node, exp.Case):
        branches = [*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default")]
        if is_variant(node.this) and all(_is_text(branch.this) for branch in node.args["ifs"]):
            node.set("this", comparable(node.this))
    else:
        branches = [node.args.get("true"), node.args.get("false")]
    if any(is_variant(branch) for branch in branches):
        for branch in branches:
            if isinstance(branch, exp.Literal | exp.Boolean):
                branch.replace(json(call("sf_to_variant", *with_kinds([branch]))))
    return node


def lowered_choice(node: exp.In | exp.Between, rewriting: Rewriting) -> Expr:
    """`value IN ('text', …)` and BETWEEN."""
    if node.find_ancestor(exp.Pivot) is not None:
        return node
    keys = ["expressions"] if isinstance(node, exp.In) else ["low", "high"]
    others = _parts(node, keys)
    if others and all(_is_number(other) for other in others) and _is_value(node.this):
        node.set("this", numeric(node.this))
    elif others and all(_is_text(other) for other in others) and _is_value(node.this):
        return _with_sides(node, node.this, keys, rewriting)
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
"""Functions of texts, which use the text in a variant."""
_ANSWERS: Mapping[type[Expr], str] = {
    **dict.fromkeys(
        (exp.Left, exp.Right, exp.Substring, exp.Replace, exp.Reverse, exp.Upper, exp.Lower, exp.Stuff),
        "VARCHAR",
    ),
    **dict.fromkeys((exp.Length, exp.StrPosition), "BIGINT"),
    **dict.fromkeys((exp.Contains, exp.StartsWith, exp.EndsWith, exp.Like, exp.ILike), "BOOLEAN"),
}
"""Node → DuckDB's type of what it answers, whatever it is given."""


def lowered_pattern(node: Expr, rewriting: Rewriting) -> Expr:
    """LIKE, ILIKE, RLIKE and similar: a variant is compared as text. LENGTH measures the text that a cast writes."""
    if isinstance(node, exp.Length):
        if not isinstance(node.this, exp.Literal):
            node.set("this", bound(lambda value: macro("measured", value, stand_in(value)), node.this))
    elif _is_value(node.this):
        node.set("this", comparable(node.this))
    answer = _ANSWERS.get(type(node))
    return node if answer is None else typed(node, answer)


def _parts(node: Expr, keys: list[str]) -> list[Expr]:
    return node.expressions if keys == ["expressions"] else [node.args[key] for key in keys]


def _with_sides(node: Expr, value: Expr, texts: list[str], rewriting: Rewriting) -> Expr:
    """The comparison with each text, below these keys, in the type of the value."""
    key = str(value.arg_key)

    def build(value: Expr) -> Expr:
        new = node.copy()
        for text in _parts(new, texts):
            text.replace(compared(text, value, rewriting))
        new.set(key, comparable(value))
        return new

    return typed(bound(build, value), "BOOLEAN")


def _is_text(node: Expr | None) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def _is_number(node: Expr | None) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _is_value(node: Expr | None) -> bool:
    return isinstance(node, Expr) and not isinstance(node, _DIFFERENT)


def numeric(value: Expr) -> Expr:
    """The value, or the number of a text or variant."""
    type = known_type(value)
    if type is None:
        return bound(lambda value: macro("numeric", value, stand_in(value)), value)
    if type not in ("VARCHAR", "JSON"):
        return value.copy()
    number = call("sf_to_number", value, exp.Literal.string(type), exp.null(), 38, 9)
    return cast(number, "DECIMAL(38, 9)")


def comparable(value: Expr) -> Expr:
    """The value, or the text of a variant."""
    type = known_type(value)
    if type is None:
        return bound(lambda value: macro("comparable", value, stand_in(value)), value)
    if type == "JSON":
        return typed(call("sf_variant_text", value, exp.Literal.string(type)), "VARCHAR")
    return value.copy()


def compared(text: Expr, value: Expr, rewriting: Rewriting) -> Expr:
    """A text in the type of the value that it is compared with."""
    session = rewriting.session
    century = settings.number(session, "TWO_DIGIT_CENTURY_START")
    zone = settings.text(session, "TIMEZONE")
    return macro("compared", text, stand_in(text), stand_in(value), "AUTO", century, zone)
