"""Whether a value fits the annotation of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sfml.base.diagnostic import did_you_mean
from sfml.catalog.shapes import (
    ANYTHING,
    NOTHING,
    AnyOf,
    Anything,
    ListOf,
    Literals,
    MapOf,
    Primitive,
    Record,
    Shape,
    any_of,
    words,
)
from sfml.graph.model import Reference, Template, Value

ShapeOf = Callable[[Reference], Shape]

_TEXT = Primitive("str")


def misfit(value: Value, shape: Shape, shape_of: ShapeOf) -> str | None:
    """Why a value does not fit a shape, such as "is the text `x`, not a number"; None when it may fit.

    `shape_of` returns the shape of the value that a reference reads.
    """
    if isinstance(value, Reference):
        read = shape_of(value)
        return None if may_be(read, shape) else _difference(read, shape)
    if isinstance(value, Template):
        return None if may_be(_TEXT, shape) else f"is text, not {words(shape)}"
    match shape:
        case Anything():
            return None
        case AnyOf(options=options):
            reasons = [misfit(value, option, shape_of) for option in options]
            if None in reasons:
                return None
            inner = [r for r, o in zip(reasons, options, strict=True) if r and _same_kind(value, o)]
            return inner[0] if inner else f"is {_said(value)}, not {words(shape)}"
        case Literals(values=values):
            fits = any(value == one and type(value) is type(one) for one in values)
            return None if fits else f"is {_said(value)}, not {words(shape)}"
        case Primitive():
            return None if _is_primitive(value, shape.name) else f"is {_said(value)}, not {words(shape)}"
        case ListOf(item=item):
            if not isinstance(value, tuple):
                return f"is {_said(value)}, not {words(shape)}"
            for index, one in enumerate(value):
                if reason := misfit(one, item, shape_of):
                    return f"holds an item {index} that {reason}"
            return None
        case MapOf(value=inner_shape):
            if not isinstance(value, Mapping):
                return f"is {_said(value)}, not {words(shape)}"
            for key, one in value.items():
                if reason := misfit(one, inner_shape, shape_of):
                    return f"holds a `{key}` that {reason}"
            return None
        case Record():
            return _record_misfit(value, shape, shape_of)


def _record_misfit(value: Value, record: Record, shape_of: ShapeOf) -> str | None:
    if not isinstance(value, Mapping):
        return f"is {_said(value)}, not {words(record)}"
    for key, one in value.items():
        if key not in record.fields:
            hint = did_you_mean(key, record.fields)
            return f"has a key `{key}` that `{record.name}` does not know" + (f"; {hint}" if hint else "")
        if reason := misfit(one, record.fields[key], shape_of):
            return f"holds a `{key}` that {reason}"
    for key in record.fields:
        if key not in value and key not in record.optional:
            return f"lacks the key `{key}` of `{record.name}`"
    return None


def _difference(actual: Shape, wanted: Shape) -> str:
    """How the shape `actual` differs from `wanted`, as a predicate; for two records, by their first differing field."""
    if isinstance(actual, Record) and isinstance(wanted, Record):
        for key, shape in wanted.fields.items():
            if key not in actual.fields and key not in wanted.optional:
                return f"is {words(actual)}, which lacks the key `{key}` of `{wanted.name}`"
            if key in actual.fields and not may_be(actual.fields[key], shape):
                return f"is {words(actual)}, whose `{key}` {_difference(actual.fields[key], shape)}"
    return f"is {words(actual)}, not {words(wanted)}"


def may_be(actual: Shape, wanted: Shape) -> bool:
    """Whether a value of the shape `actual` can be of the shape `wanted`; False only where it never can.

    A `float` is no `int`, as for type checkers: a function that takes one fails on 1.5, and does so only when it runs.
    """
    match actual, wanted:
        case (Anything(), _) | (_, Anything()):
            return True
        case AnyOf(options=options), _:
            return any(may_be(option, wanted) for option in options)
        case _, AnyOf(options=options):
            return any(may_be(actual, option) for option in options)
        case Literals(values=values), _:
            return any(misfit(value, wanted, lambda _: ANYTHING) is None for value in values)
        case Primitive(name=name), Literals(values=values):
            return any(_is_primitive(value, name) for value in values)
        case Primitive(name=name), Primitive(name=other):
            return name == other or (name, other) == ("int", "float")
        case ListOf(item=item), ListOf(item=other_item):
            return may_be(item, other_item)
        case MapOf(value=value), MapOf(value=other_value):
            return may_be(value, other_value)
        case Record(fields=fields), MapOf(value=value):
            return all(may_be(field, value) for field in fields.values())
        case MapOf(value=value), Record(fields=fields):
            return all(may_be(value, field) for field in fields.values())
        case Record(fields=fields), Record(fields=others, optional=other_optional):
            missing = others.keys() - fields.keys() - other_optional
            shared = others.keys() & fields.keys()
            return not missing and all(may_be(fields[key], others[key]) for key in shared)
        case _:
            return False


def field_shape(shape: Shape, keys: tuple[str | int, ...]) -> Shape | tuple[str | int, Shape]:
    """The shape at a path into a result, or the first key that does not exist and the shape without it."""
    for key in keys:
        match shape:
            case Anything():
                return ANYTHING
            case AnyOf(options=options):
                inner = [field_shape(option, (key,)) for option in options if option != NOTHING]
                known = tuple(item for item in inner if not isinstance(item, tuple))
                if not known:
                    return (key, shape)
                shape = any_of(known)
            case Record(fields=fields) if key in fields:
                shape = fields[str(key)]
            case MapOf(value=value) if isinstance(key, str):
                shape = value
            case ListOf(item=item) if isinstance(key, int):
                shape = item
            case _:
                return (key, shape)
    return shape


def absent_field(shape: Shape, keys: tuple[str | int, ...]) -> tuple[str, str] | None:
    """The first key of a path that a result may lack, and the name of the record that declares it so."""
    for key in keys:
        match shape:
            case Record(name=name, absent=absent) if key in absent:
                return str(key), name
        inner = field_shape(shape, (key,))
        if isinstance(inner, tuple):
            return None
        shape = inner
    return None


def _is_primitive(value: Value, name: str) -> bool:
    match name:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case _:
            return value is None


def _same_kind(value: Value, shape: Shape) -> bool:
    match shape:
        case ListOf():
            return isinstance(value, tuple)
        case MapOf() | Record():
            return isinstance(value, Mapping)
        case _:
            return False


def _said(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "`true`" if value else "`false`"
        case int() | float():
            return f"`{value}`"
        case str():
            return f"the text `{value[:40]}`"
        case tuple():
            return "a list"
        case _:
            return "a mapping"
