"""Looking up the JSON Schemas of a spec: the keys, values and explanations that fit at a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sfml.base.record import record
from sfml.base.resources import schema as load_schema

Key = str | int


@record
class Part:
    """A part of a schema, and the file that it stands in, from which its references count."""

    schema: dict[str, Any]
    file: str

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))


def parts_at(file: str, keys: Sequence[Key]) -> tuple[Part, ...]:
    """The parts of a schema for the value that the keys lead to; several where the schema leaves a choice."""
    parts = [Part(load_schema(file), file)]
    for key in keys:
        parts = [inner for part in parts for choice in _choices(part) for inner in _below(choice, key)]
    return tuple(parts)


def properties_at(file: str, keys: Sequence[Key]) -> dict[str, tuple[Part, bool]]:
    """Key → its part of the schema and whether it is required, for the mapping that the keys lead to."""
    properties: dict[str, tuple[Part, bool]] = {}
    for part in parts_at(file, keys):
        for choice in _choices(part):
            required = choice.schema.get("required", ())
            for name, schema in choice.schema.get("properties", {}).items():
                if schema.get("not") != {}:
                    properties.setdefault(name, (Part(schema, choice.file), name in required))
    return properties


def values_at(file: str, keys: Sequence[Key]) -> tuple[Any, ...]:
    """The values that a schema names for the place that the keys lead to: those of `enum`, `const`, true and false."""
    descriptions: dict[str, Any] = {}
    for part in parts_at(file, keys):
        for choice in _choices(part):
            types = choice.schema.get("type", ())
            values = [
                *choice.schema.get("enum", ()),
                *((choice.schema["const"],) if "const" in choice.schema else ()),
            ]
            values += [True, False] if "boolean" in (types if isinstance(types, list) else [types]) else []
            descriptions |= {repr(value): value for value in values if value is not None}
    return tuple(descriptions.values())


def description_at(file: str, keys: Sequence[Key]) -> Part | None:
    """The part that explains a place, if there is one."""
    described = (
        one
        for part in parts_at(file, keys)
        for one in (part, *_choices(part))
        if one.description and one.schema.get("not") != {}
    )
    return next(described, None)


def _below(part: Part, key: Key) -> Iterator[Part]:
    if isinstance(key, int):
        items = part.schema.get("items")
        if isinstance(items, dict):
            yield Part(items, part.file)
        return
    own = part.schema.get("properties", {}).get(key)
    if own is not None:
        yield Part(own, part.file)
        return
    rest = part.schema.get("additionalProperties")
    if isinstance(rest, dict):
        yield Part(rest, part.file)


def _choices(part: Part, depth: int = 0) -> Iterator[Part]:
    """The part with its references followed, and each of its alternatives."""
    if depth > 8:
        return
    yield part
    reference = part.schema.get("$ref")
    if reference is not None:
        yield from _choices(_referred(reference, part.file), depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in part.schema.get(keyword, ()):
            yield from _choices(Part(branch, part.file), depth + 1)


def _referred(reference: str, file: str) -> Part:
    target, _, pointer = reference.partition("#")
    schema: Any = load_schema(target or file)
    for part in pointer.split("/")[1:]:
        schema = schema[int(part)] if isinstance(schema, list) else schema[part]
    return Part(schema, target or file)
