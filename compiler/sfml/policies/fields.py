"""The fields of YAML policies, which are those of the classes in `interface`, and looking them up."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from sfml.base.record import record
from sfml.policies.interface import Change, Pipeline, Task
from sfml.policies.values import hints_of, part_of

Kind: TypeAlias = Literal["text", "number", "truth", "list", "mapping", "any", "part"]

_ALIASES = {"with": "arguments"}
"""Keys of the spec that Python does not take as names → the names of attributes."""
_DURATIONS = frozenset(
    {
        "timeout",
        "schedule.every",
        "run_on.serverless.target_completion",
        "expect.takes.low",
        "expect.takes.high",
    }
)
_SUBJECTS: Mapping[str, type[Any]] = MappingProxyType({"pipeline": Pipeline, "task": Task, "change": Change})
_AROUND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"pipeline": (), "task": ("pipeline",), "change": ("pipeline",)}
)
"""What else a policy can look at: `pipeline.target.mode` beside the fields of a task."""


@record
class Field:
    """A field: what kind of value it has, and whether the value is a duration in seconds."""

    path: str
    kind: Kind
    is_duration: bool = False
    item: Kind = "any"


@cache
def fields_of(about: str) -> Mapping[str, Field]:
    """Every field of a pipeline, task or change by its path."""
    own = {field.path: field for field in _fields(_SUBJECTS[about], "")}
    if _AROUND[about]:
        own |= {f"pipeline.{field.path}": field for field in _fields(Pipeline, "")}
    return own


def field_at(about: str, path: str) -> Field | None:
    """The field of that path. Below a mapping, such as `tags`, each key is a field of its own."""
    known = fields_of(about)
    if path in known:
        return known[path]
    parts = path.split(".")
    for count in range(len(parts) - 1, 0, -1):
        above = known.get(".".join(parts[:count]))
        if above is not None:
            return Field(path, "any") if above.kind == "mapping" and all(parts) else None
    return None


def value_at(subject: Any, pipeline: Any, path: str) -> Any:
    """The value of the field; None where it, or a part around it, is not set."""
    if path.startswith("pipeline.") and not isinstance(subject, Pipeline):
        subject, path = pipeline, path.removeprefix("pipeline.")
    value = subject
    rest = path
    while rest:
        if value is None:
            return None
        if isinstance(value, Mapping):
            if rest in value:
                return value[rest]
            key, _, rest = rest.partition(".")
            value = value.get(key)
            continue
        key, _, rest = rest.partition(".")
        value = getattr(value, _ALIASES.get(key, key), None)
    return value


def _fields(kind: Any, prefix: str) -> Iterator[Field]:
    names = {attribute: key for key, attribute in _ALIASES.items()}
    for name, hint in hints_of(kind).items():
        path = f"{prefix}{names.get(name, name)}"
        part = part_of(hint)
        if (part in (Task, Pipeline) and prefix == "" and kind is Pipeline) or is_dataclass(part):
            yield Field(path, "part")
            yield from _fields(part, f"{path}.")
        else:
            yield Field(path, _kind(part), path.removeprefix("finalizer.") in _DURATIONS, _item(part))


def _kind(hint: Any) -> Kind:
    if typing.get_origin(hint) is tuple:
        return "list"
    if typing.get_origin(hint) is not None and issubclass(typing.get_origin(hint), Mapping):
        return "mapping"
    kinds: Mapping[Any, Kind] = {str: "text", bool: "truth", int: "number", float: "number"}
    return kinds.get(hint, "any")


def _item(hint: Any) -> Kind:
    if typing.get_origin(hint) is not tuple:
        return "any"
    inner = typing.get_args(hint)[0]
    return "part" if is_dataclass(inner) else _kind(inner)
