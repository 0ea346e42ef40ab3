"""Floats, times and timestamps as text in Snowflake's format: `100` where DuckDB has `100.0`.

Only DuckDB knows the type of an expression: it replaces `typeof(x)` by a constant when it binds the statement,
and drops the other branches. https://docs.snowflake.com/en/sql-reference/parameters#timestamp-output-format
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import Expr, exp

from sfml_local.core.expressions.calls import bound, known_type

_OFFSET = r"[+-]\d\d(:\d\d)?$"
_MAY_HAVE_OTHER_TEXT = (
    *(exp.Column, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.AggFunc, exp.Window),
    *(exp.Round, exp.Sqrt, exp.Ln, exp.Case, exp.If, exp.Coalesce, exp.CurrentTimestamp, exp.Anonymous),
    *(
        exp.Greatest,
        exp.Least,
        exp.Abs,
        exp.Pow,
        exp.Nullif,
        exp.Nvl2,
        exp.Trunc,
        exp.Exp,
        exp.Log,
        exp.Subquery,
    ),
)


def _as_text(value: Expr) -> Expr:
    """The value as text, by its type, which its form may tell; a long value is bound once and not for each type."""
    if isinstance(value, exp.Subquery):
        return _text_of_query(value)
    if known_type(value) == "VARCHAR":
        return exp.cast(value.copy(), "VARCHAR")
    return bound(_text_by_type, value)


def _text_by_type(value: Expr) -> Expr:
    text = exp.cast(value.copy(), "VARCHAR")
    shown = {
        "DOUBLE": _call("regexp_replace", text, r"\.0$", ""),
        "TIME": _call("substr", text, 1, 8),
        "TIMESTAMP": _with_milliseconds(text),
        "TIMESTAMP WITH TIME ZONE": _with_offset(text),
        "JSON": _call("sf_variant_text", value, _call("typeof", value)),
        "BLOB": _call("sf_variant_text", value, "BLOB"),
    }
    ifs = [
        exp.If(this=exp.EQ(this=_call("typeof", value), expression=exp.Literal.string(kind)), true=one)
        for kind, one in shown.items()
    ]
    return exp.Case(ifs=ifs, default=text)


def _text_of_query(value: exp.Subquery) -> Expr:
    """The text of the value of a scalar subquery, which is written once."""
    name = exp.to_identifier("_shown", quoted=True)
    alias = exp.TableAlias(this=name, columns=[name.copy()])
    source = exp.Subquery(this=value.this.copy(), alias=alias)
    return exp.select(_as_text(exp.column(name.copy()))).from_(source).subquery()


def _with_milliseconds(text: Expr) -> Expr:
    """Always three digits after the second: `FF3` of Snowflake's format."""
    has_point = exp.If(this=_call("contains", text, "."), true=exp.Literal.string("000"))
    zeros = exp.Case(ifs=[has_point], default=exp.Literal.string(".000"))
    return _call("substr", _call("concat", text, zeros), 1, 23)


def _with_offset(text: Expr) -> Expr:
    """`2024-01-01 00:00:00.000 +0000` of `2024-01-01 00:00:00+00`."""
    offset = _call("replace", _call("regexp_extract", text, _OFFSET), ":", "")
    moment = _with_milliseconds(_call("regexp_replace", text, _OFFSET, ""))
    return _call("concat", moment, " ", _call("rpad", offset, 5, "0"))


def _call(name: str, *arguments: Expr | str | int) -> Expr:
    values = [value.copy() if isinstance(value, Expr) else exp.convert(value) for value in arguments]
    return exp.Anonymous(this=name, expressions=values)


def _may_differ(value: Expr) -> bool:
    if isinstance(value, exp.Cast):
        return not value.to.is_type(*exp.DataType.TEXT_TYPES)
    return isinstance(value, _MAY_HAVE_OTHER_TEXT)


def _cast(node: Expr) -> Expr:
    if not node.args["to"].is_type(*exp.DataType.TEXT_TYPES) or not _may_differ(node.this):
        return node
    new = node.copy()
    new.set("this", _as_text(node.this))
    return new


def _to_char(node: Expr) -> Expr:
    if node.args.get("format") is not None or not _may_differ(node.this):
        return node
    return _as_text(node.this)


def _joined(node: Expr) -> Expr:
    new = node.copy()
    operands = new.expressions if isinstance(new, exp.Concat) else [new.this, new.expression]
    for operand in operands:
        if _may_differ(operand):
            operand.replace(_as_text(operand))
    return new


def _measured(node: Expr) -> Expr:
    if not _may_differ(node.this):
        return node
    new = node.copy()
    new.set("this", _as_text(node.this))
    return new


TYPERS: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    exp.Cast: _cast,
    exp.ToChar: _to_char,
    exp.DPipe: _joined,
    exp.Concat: _joined,
    exp.ConcatWs: _joined,
    exp.GroupConcat: _measured,
}
