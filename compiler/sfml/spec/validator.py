"""The schema files as validators of the `jsonschema` library, made once a process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from sfml.base.resources import schema as load_schema

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Schema = dict[str, Any]

MAX_ERRORS = 1_000
"""In a document, and in each branch of a union: far more than anybody reads."""

_FIRST = ("type", "not", "const", "enum", "required", "additionalProperties")
"""What is told cheapest, and what makes the rest moot, stands first: the library goes in the order of the keys."""


@cache
def validator(file: str) -> Validator:
    """The validator of a schema file, such as `pipeline.schema.json`."""
    return _dialect()(resolved_schema(file))


@cache
def _dialect() -> type[Validator]:
    """Draft 2020-12, told in the order of the text and in a time that hostile input cannot stretch.

    The library walks unknown keys as a set, whose order differs between processes; keeps all errors of all
    branches of a union; and compares each pair of items that cannot be sorted, which may take minutes.
    """
    from jsonschema import Draft202012Validator  # imported late: it takes a while
    from jsonschema.validators import extend

    own = {
        "additionalProperties": _additional_properties,
        "anyOf": partial(_union, one=False),
        "oneOf": partial(_union, one=True),
        "uniqueItems": _unique_items,
    }
    dialect: type[Validator] = extend(Draft202012Validator, own)  # type: ignore[no-untyped-call]
    return dialect


def _additional_properties(
    checking: Any, rest: Schema | bool, mapping: Any, schema: Schema
) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    if checking.is_type(mapping, "object"):
        for name in mapping:
            if name not in schema.get("properties", {}):
                if rest is False:
                    yield ValidationError("there are unknown keys")
                    return
                yield from checking.descend(mapping[name], rest, path=name)


def _union(
    checking: Any, branches: list[Schema], value: Any, schema: Schema, *, one: bool
) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    context: list[ValidationError] = []
    fits = 0
    for index, branch in enumerate(branches):
        errors = list(islice(checking.descend(value, branch, schema_path=index), MAX_ERRORS))
        context += errors
        fits += not errors
        if fits and not one:
            return
    if fits != 1:
        yield ValidationError("none of the shapes fits, or too many", context=context)


def _unique_items(checking: Any, unique: bool, items: Any, schema: Schema) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    if unique and checking.is_type(items, "array") and len(set(map(canonical, items))) < len(items):
        yield ValidationError("an item is repeated")


def canonical(value: Any) -> str:
    """The same text for values that JSON takes for equal: keys in any order, `1` and `1.0`."""
    match value:
        case dict():
            return "{" + ",".join(f"{key!r}:{canonical(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case float() if value.is_integer():
            return repr(int(value))
        case _:
            return repr(value)


@cache
def resolved_schema(file: str, pointer: str = "") -> Schema:
    """A schema with what its references lead to in their places.

    Looking a reference up costs more than any check, so it is done once instead of for every value. What stands
    beside a reference describes or adds to it and never contradicts it; our schemas do not refer to themselves.
    """
    found: Any = load_schema(file)
    for part in pointer.split("/")[1:]:
        found = found[int(part)] if isinstance(found, list) else found[part]
    resolved: Schema = _resolved(found, file)
    return resolved


def _resolved(schema: Any, file: str) -> Any:
    if isinstance(schema, list):
        return [_resolved(one, file) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _resolved(value, file) for key, value in schema.items() if key not in ("$defs", "$ref")}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target, _, pointer = reference.partition("#")
        found = resolved_schema(target or file, pointer)
        result = {**found, **result} if result else found
    if result.keys() & set(_FIRST):
        return {key: result[key] for key in (*_FIRST, *result) if key in result}
    return result
