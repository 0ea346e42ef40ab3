"""The schema files as validators of the `jsonschema` library, made once in a process."""

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
"""The most errors that are taken from a document, and from each branch of a union."""

_FIRST = ("type", "not", "const", "enum", "required", "additionalProperties")
"""The keywords that are checked first, because they are fast or make the others pointless. The library checks in the
order of the keys."""


@cache
def validator(file: str) -> Validator:
    """The validator of a schema file, such as `pipeline.schema.json`."""
    return _dialect()(resolved_schema(file))


@cache
def _dialect() -> type[Validator]:
    """Draft 2020-12 with errors in the order of the text, in a time that hostile input cannot extend.

    The library itself walks unknown keys as a set, whose order differs between processes; it keeps all errors of all
    branches of a union; and it compares all pairs of items that cannot be sorted, which may take minutes.
    """
    from jsonschema import Draft202012Validator  # imported here because it takes long
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
    """A text that is equal for values that are equal in JSON: keys in any order, `1` and `1.0`."""
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
    """A schema with its references replaced by the schemas that they lead to.

    The library takes longer to look a reference up than to check a value, so this is done once. Keywords beside a
    reference describe or extend it and never contradict it. The schemas of sfml do not refer to themselves.
    """
    schema: Any = load_schema(file)
    for part in pointer.split("/")[1:]:
        schema = schema[int(part)] if isinstance(schema, list) else schema[part]
    resolved: Schema = _resolved(schema, file)
    return resolved


def _resolved(schema: Any, file: str) -> Any:
    if isinstance(schema, list):
        return [_resolved(item, file) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _resolved(value, file) for key, value in schema.items() if key not in ("$defs", "$ref")}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target, _, pointer = reference.partition("#")
        referred = resolved_schema(target or file, pointer)
        result = {**referred, **result} if result else referred
    if result.keys() & set(_FIRST):
        return {key: result[key] for key in (*_FIRST, *result) if key in result}
    return result
