"""The types of values that tasks pass to each other as JSON, read from annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sfml.base.record import record


@record
class Anything:
    """Any value: the type is not known, or there is no requirement."""


@record
class Primitive:
    """`str`, `int`, `float`, `bool` or `None`, by that name."""

    name: str


@record
class Literals:
    """One of these values."""

    values: tuple[str | int | bool | None, ...]


@record
class ListOf:
    item: Shape


@record
class MapOf:
    value: Shape


@record
class Record:
    """A TypedDict, NamedTuple or dataclass: field → shape.

    `optional` are the fields that may be missing where one is made, because they have a default. `absent` are those
    that a result may lack: `NotRequired`, and fields of a TypedDict with `total=False`.
    """

    name: str
    fields: Mapping[str, Shape]
    optional: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()


@record
class AnyOf:
    options: tuple[Shape, ...]


Shape: TypeAlias = Anything | Primitive | Literals | ListOf | MapOf | Record | AnyOf

ANYTHING = Anything()
NOTHING = Primitive("None")


def any_of(options: tuple[Shape, ...]) -> Shape:
    """The union of the shapes, without unions inside it; `ANYTHING` when one of them is."""
    flat: dict[Shape, None] = {}
    for option in options:
        for part in option.options if isinstance(option, AnyOf) else (option,):
            if isinstance(part, Anything):
                return ANYTHING
            flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else AnyOf(tuple(flat))


def words(shape: Shape) -> str:
    """The shape in the words of messages: `a number`, `text or nothing`."""
    match shape:
        case Anything():
            return "anything"
        case Primitive(name=name):
            known = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
            return known.get(name, "nothing")
        case Literals(values=values):
            return " or ".join(f"`{value}`" for value in values)
        case ListOf(item=item):
            return "a list" if isinstance(item, Anything) else f"a list of {_plural(item)}"
        case MapOf():
            return "a mapping"
        case Record(name=name):
            return f"a mapping like `{name}`"
        case AnyOf(options=options):
            return " or ".join(words(option) for option in options)


def _plural(shape: Shape) -> str:
    match shape:
        case Primitive(name="str"):
            return "texts"
        case Primitive(name="int"):
            return "whole numbers"
        case Primitive(name="float"):
            return "numbers"
        case Record() | MapOf():
            return "mappings"
        case _:
            return words(shape)
