"""Values of the interface ↔ JSON: how pipelines and plans travel into the process of Python policies."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, cast

T = TypeVar("T")


def jsonable(value: Any) -> Any:
    """A value of the interface as JSON: its fields by name."""
    if is_dataclass(value):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(item) for item in value]
    return value


def restored(kind: type[T], value: Mapping[str, Any]) -> T:
    """The value of a class of the interface from its JSON; nothing of it can be changed."""
    return kind(**{name: _as(hint, value[name]) for name, hint in hints_of(cast(Any, kind)).items()})


@cache
def hints_of(kind: Any) -> Mapping[str, Any]:
    """Field → type, with names resolved."""
    resolved = typing.get_type_hints(kind)
    return {field.name: resolved[field.name] for field in fields(kind)}


def part_of(hint: Any) -> Any:
    """The type without `None`: `Job` of `Job | None`."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (get_arg for get_arg in typing.get_args(hint) if get_arg is not type(None))
    return hint


def _as(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    kind = part_of(hint)
    if is_dataclass(kind):
        return restored(cast("type[Any]", kind), value)
    if typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        return tuple(_as(inner, item) for item in value)
    return _frozen(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value
