"""Small pieces of DuckDB's SQL as trees."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.core.expressions import library
from sfml_local.core.expressions.macros import PLACE

TYPE = "duckdb_type"
"""The key under which a node stores DuckDB's name of its type."""
EXAMPLE = "example"
"""The key under which a value stores an expression of its type that DuckDB binds and never computes."""
STANDS = "stands"
"""The key under which a node stores an expression of its type."""
SIZE = "size"
"""The key under which a declared type stores what stood in its parentheses, where DuckDB has no such type."""
OTHER_ZONE = "other_zone"
"""The key under which a TIMESTAMP_TZ in another zone than the session's is noted, where its text tells that."""


def tree(value: Any) -> Expr:
    """A Python value as a literal; a tree is copied."""
    return value.copy() if isinstance(value, Expr) else exp.convert(value)


def call(name: str, *arguments: Any) -> exp.Anonymous:
    """A function of DuckDB's or of the library."""
    return exp.Anonymous(this=name, expressions=[tree(one) for one in arguments])


def demand_zone(value: Expr) -> Expr:
    """Refuses to read days and hours of a TIMESTAMP_TZ in another zone: only its moment is kept."""
    if value.unnest().meta.get(OTHER_ZONE):
        raise not_emulated("days, hours and the text of a TIMESTAMP_TZ in another zone than the session's")
    return value


Node = TypeVar("Node", bound=Expr)


def typed(node: Node, type: str) -> Node:
    """A node with a known DuckDB type."""
    node.meta[TYPE] = type
    return node


def macro(name: str, *arguments: Any) -> exp.Anonymous:
    return call(f"{PLACE}.sf_{name}", *arguments)


LONGEST_REPEATED = 16
"""Nodes of the longest expression that a statement may have several times."""


def bound(body: Callable[..., Expr], *values: Expr) -> Expr:
    """The body of these values, each of which DuckDB binds and computes once if one of them is long.

    DuckDB copies an argument of a macro to each place where the macro has it, and binds it once more to choose the
    macro, so that nested macros would take several times as long at each level. The values become a list of one
    row, and the body a lambda of that row.
    """
    if not any(map(_is_long, values)):
        return body(*(value.copy() for value in values))
    return _bound(body, values)


def _bound(body: Callable[..., Expr], values: Sequence[Expr]) -> Expr:
    packed = [value for value in values if not isinstance(value, exp.Literal | exp.Null)]
    places = {id(value): place for place, value in enumerate(packed, 1)}
    row = exp.to_identifier("_bound", quoted=True)
    parts = [
        call("struct_extract_at", exp.column(row.copy()), places[id(value)]) if id(value) in places else value
        for value in values
    ]
    for value, part in zip(values, parts, strict=True):
        if (type := known_type(value)) is not None:
            typed(part, type)
    # sqlglot writes a lambda with the arrow that DuckDB no longer takes; a slice is written as DuckDB's lambda is.
    function = exp.Slice(this=exp.var(f"LAMBDA {row.sql(dialect='duckdb')}"), expression=body(*parts))
    return call("list_extract", call("list_transform", call("list_value", call("row", *packed)), function), 1)


def bound_parts(node: Expr) -> Expr:
    """A function whose own translation has its arguments several times, with each of them bound once."""

    def build(*values: Expr) -> Expr:
        new = node.copy()
        for part, value in zip(list(new.iter_expressions()), values, strict=True):
            part.replace(value)
        return new

    found = _bound(build, list(node.iter_expressions()))
    type = known_type(node)
    return found if type is None else typed(found, type)


def _is_long(value: Expr) -> bool:
    return next(itertools.islice(value.walk(), LONGEST_REPEATED, None), None) is not None


def chosen(name: str, value: Expr, *options: Any) -> Expr:
    """A macro that chooses by the type of a value; if the type is known, the chosen expression itself."""
    type = known_type(value)
    if type is None or name not in _CONVERSIONS:
        return bound(
            lambda value, *options: macro(name, value, stand_in(value), *options), value, *map(tree, options)
        )
    is_try, target = name.startswith("try_"), _CONVERSIONS[name]
    is_text = type in ("VARCHAR", "JSON", '"NULL"')
    if type == "BOOLEAN" and target == "DOUBLE" and not is_try:
        return macro(name, value, stand_in(value), *options)
    if not is_text and (target is None or target in ("DOUBLE", "BOOLEAN")):
        if target is None:
            return value.copy()
        return try_cast(value.copy(), target) if is_try else cast(value.copy(), target)
    if type in _MOMENTS and target in _MOMENTS:
        return try_cast(value.copy(), target)
    prefix = "try_to_" if is_try else "to_"
    return call(f"sf_{prefix}{name.removeprefix('try_')}", value, exp.Literal.string(type), *options)


_MOMENTS = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_CONVERSIONS = {
    f"{prefix}{name}": target
    for prefix in ("", "try_")
    for name, target in (
        ("number", None),
        ("double", "DOUBLE"),
        ("boolean", "BOOLEAN"),
        ("date", "DATE"),
        ("ntz", "TIMESTAMP"),
        ("ltz", "TIMESTAMP WITH TIME ZONE"),
    )
}
"""Macro of a conversion → the type to which values other than texts are cast; None leaves them unchanged."""


def kind(value: Expr) -> Expr:
    """DuckDB's name of the value's type, a constant once it is bound."""
    found = known_type(value)
    return call("typeof", value) if found is None else exp.Literal.string(found)


def known_type(value: Expr) -> str | None:
    """DuckDB's name of the value's type where its form tells it."""
    if isinstance(value, exp.Literal) and value.is_string:
        return "VARCHAR"
    if TYPE in value.meta:
        return str(value.meta[TYPE])
    if isinstance(value, exp.Paren):
        return known_type(value.this)
    if isinstance(value, exp.Predicate | exp.Connector | exp.Not | exp.Boolean):
        return "BOOLEAN"
    if isinstance(value, exp.Anonymous):
        return _RETURNS.get(str(value.this))
    if isinstance(value, exp.Case):
        branches = [*(branch.args["true"] for branch in value.args["ifs"]), value.args.get("default")]
        types = {known_type(branch) for branch in branches if isinstance(branch, Expr)}
        return types.pop() if len(types) == 1 else None
    if isinstance(value, exp.DPipe):
        return "VARCHAR" if any(_is_known_text(side) for side in (value.this, value.expression)) else None
    return None


_RETURNS = {
    **dict.fromkeys(("md5", "sha1", "sha256"), "VARCHAR"),
    **{
        function.name: function.returns.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
        for function in library.functions()
    },
}
"""Function of the library, or of DuckDB → the type of what it answers."""


def _is_known_text(value: Expr) -> bool:
    return (isinstance(value, exp.Literal) and value.is_string) or value.meta.get(TYPE) == "VARCHAR"


# -- stand-ins

_LIKE_FIRST = (
    *(
        exp.Min,
        exp.Max,
        exp.AnyValue,
        exp.First,
        exp.Last,
        exp.FirstValue,
        exp.LastValue,
        exp.NthValue,
        exp.Lag,
    ),
    *(exp.Lead, exp.Mode, exp.ArgMax, exp.ArgMin, exp.Window, exp.WithinGroup, exp.Filter, exp.IgnoreNulls),
    *(exp.RespectNulls, exp.Distinct, exp.Ordered, exp.Order),
)


def stand_in(value: Expr) -> Expr:
    """An expression of the same type without an aggregate in it, and short where the type is known."""
    if isinstance(value, exp.Literal):
        return value.copy()
    found = known_type(value)
    if found is not None:
        return null_of(found)
    if isinstance(value, exp.Distinct):
        return stand_in(value.expressions[0])
    if isinstance(value, _LIKE_FIRST):
        return stand_in(value.this)
    if isinstance(value, exp.GroupConcat):
        return null_of("VARCHAR")
    if isinstance(value, exp.ArrayAgg | exp.ObjectAgg):
        return null_of("JSON")
    if isinstance(value, exp.AggFunc | exp.RowNumber):
        return exp.Literal.number(1)
    if isinstance(value, exp.Query | exp.Subquery):
        return value.copy()
    if STANDS in value.meta:
        stands: Expr = value.meta[STANDS]
        return stands.copy()
    copy = value.copy()
    for part in list(copy.iter_expressions()):
        part.replace(stand_in(part))
    return copy


def null_of(type: str) -> Expr:
    return typed(exp.Cast(this=exp.null(), to=raw_type(type)), type)


def with_kinds(arguments: list[Expr]) -> list[Expr]:
    """Each argument with its type after it, as functions of variants take them."""
    return [part for one in arguments for part in (one, kind(one))]


def cast(value: Expr, type: str) -> exp.Cast:
    """A cast to a type of DuckDB that is not translated."""
    return typed(exp.Cast(this=value, to=raw_type(type)), type)


def try_cast(value: Expr, type: str) -> exp.TryCast:
    return typed(exp.TryCast(this=value, to=raw_type(type)), type)


def raw_type(type: str) -> exp.DataType:
    """A type for fakesnow, which turns DECIMAL(38, 0) into BIGINT, and leaves unknown types unchanged."""
    return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=type)


def json(value: Expr) -> exp.Cast:
    return cast(value, "JSON")


def is_raw(type: Expr | None) -> bool:
    return isinstance(type, exp.DataType) and type.this == exp.DataType.Type.USERDEFINED


def as_text(value: Expr) -> Expr:
    """The value as a VARCHAR."""
    if isinstance(value, exp.Literal) and value.is_string:
        return value.copy()
    is_float = isinstance(value, exp.Literal) and "E" in value.name.upper()
    shown = cast(value.copy(), "DOUBLE") if is_float else value.copy()
    return typed(exp.cast(shown, "VARCHAR"), "VARCHAR")


def whole(value: Expr) -> Expr:
    """The value as a 64-bit integer, as DuckDB's functions take it."""
    if isinstance(value, exp.Literal) and value.is_int:
        return value.copy()
    return cast(value.copy(), "BIGINT")


def refused(sentence: str) -> Expr:
    return call("error", sentence)
