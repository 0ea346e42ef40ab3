"""Whether a document fits a JSON Schema: a fast check that answers yes or no.

Importing `jsonschema` takes longer than reading a pipeline, and the shape of most specs is right. The library is
imported only for a document that does not fit here; it finds the errors, and its answer counts. Tests compare the two
checks; decision 0013 says why there are two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from sfml.base.resources import schema as load_schema
from sfml.spec.validator import Schema, canonical


def fits(value: Any, file: str) -> bool:
    """Whether the document fits the schema of that file name."""
    return _fits(value, load_schema(file), file)


def _fits(value: Any, schema: Schema, file: str) -> bool:
    return all(
        _KEYWORDS[key](value, constraint, schema, file)
        for key, constraint in schema.items()
        if key not in DESCRIBING
    )


def _refers(value: Any, reference: str, schema: Schema, file: str) -> bool:
    target, where = _referred(reference, file)
    return _fits(value, target, where)


@cache
def _referred(reference: str, file: str) -> tuple[Schema, str]:
    """The schema that a reference leads to, and the file that holds it."""
    target, _, pointer = reference.partition("#")
    schema: Any = load_schema(target or file)
    for part in pointer.split("/")[1:]:
        schema = schema[int(part)] if isinstance(schema, list) else schema[part]
    return schema, target or file


def _is_of_type(value: Any, constraint: str | list[str], schema: Schema, file: str) -> bool:
    return any(_TYPES[name](value) for name in ([constraint] if isinstance(constraint, str) else constraint))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
        "string": lambda value: isinstance(value, str),
        "boolean": lambda value: isinstance(value, bool),
        "null": lambda value: value is None,
        "number": _is_number,
        "integer": _is_integer,
    }
)


def _is_one_of(value: Any, constraint: list[Any], schema: Schema, file: str) -> bool:
    return any(_is(value, option, schema, file) for option in constraint)


def _is(value: Any, constraint: Any, schema: Schema, file: str) -> bool:
    """Whether two scalars are equal in JSON, where `true` is not 1. The schemas of sfml hold only scalars here."""
    return bool(value == constraint) and isinstance(value, bool) == isinstance(constraint, bool)


def _properties(value: Any, constraint: dict[str, Schema], schema: Schema, file: str) -> bool:
    return not isinstance(value, dict) or all(
        _fits(one, constraint[key], file) for key, one in value.items() if key in constraint
    )


def _rest(value: Any, constraint: Schema | bool, schema: Schema, file: str) -> bool:
    if not isinstance(value, dict) or constraint is True:
        return True
    rest = [one for key, one in value.items() if key not in schema.get("properties", {})]
    return not rest if constraint is False else all(_fits(item, constraint, file) for item in rest)


def _items(value: Any, constraint: Schema, schema: Schema, file: str) -> bool:
    return not isinstance(value, list) or all(_fits(item, constraint, file) for item in value)


def _any_of(value: Any, constraint: list[Schema], schema: Schema, file: str) -> bool:
    return any(_fits(value, option, file) for option in constraint)


def _one_of(value: Any, constraint: list[Schema], schema: Schema, file: str) -> bool:
    return sum(_fits(value, option, file) for option in constraint) == 1


_Keyword = Callable[[Any, Any, Schema, str], bool]

_KEYWORDS: Mapping[str, _Keyword] = MappingProxyType(
    {
        "$ref": _refers,
        "type": _is_of_type,
        "enum": _is_one_of,
        "const": _is,
        "not": lambda value, constraint, schema, file: not _fits(value, constraint, file),
        "anyOf": _any_of,
        "oneOf": _one_of,
        "properties": _properties,
        "additionalProperties": _rest,
        "propertyNames": lambda value, constraint, schema, file: (
            not isinstance(value, dict) or all(_fits(key, constraint, file) for key in value)
        ),
        "required": lambda value, constraint, schema, file: (
            not isinstance(value, dict) or all(key in value for key in constraint)
        ),
        "minProperties": lambda value, constraint, schema, file: (
            not isinstance(value, dict) or len(value) >= constraint
        ),
        "maxProperties": lambda value, constraint, schema, file: (
            not isinstance(value, dict) or len(value) <= constraint
        ),
        "items": _items,
        "minItems": lambda value, constraint, schema, file: (
            not isinstance(value, list) or len(value) >= constraint
        ),
        "uniqueItems": lambda value, constraint, schema, file: (
            not (constraint and isinstance(value, list)) or len(set(map(canonical, value))) == len(value)
        ),
        "minLength": lambda value, constraint, schema, file: (
            not isinstance(value, str) or len(value) >= constraint
        ),
        "maxLength": lambda value, constraint, schema, file: (
            not isinstance(value, str) or len(value) <= constraint
        ),
        "pattern": lambda value, constraint, schema, file: (
            not isinstance(value, str) or re.search(constraint, value) is not None
        ),
        "minimum": lambda value, constraint, schema, file: not (_is_number(value) and value < constraint),
        "maximum": lambda value, constraint, schema, file: not (_is_number(value) and value > constraint),
    }
)

DESCRIBING = frozenset(
    ("$schema", "$id", "$comment", "$defs", "title", "description", "examples", "default", "deprecated")
)
"""Keywords that describe a schema and never refuse a value."""

DECIDING = frozenset(_KEYWORDS)
"""Keywords that are checked here; a schema of sfml with any other keyword is a bug, and raises a KeyError."""
