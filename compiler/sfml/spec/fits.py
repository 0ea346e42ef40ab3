"""Whether a document fits a JSON Schema: a fast check that answers yes or no.

Importing `jsonschema` takes longer than reading a pipeline, and the shape of most specs is right. The library is
imported only for a document that does not fit here; it finds the errors, and its answer counts. Tests compare the two
checks; decision 0013 says why there are two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from sfml.base.resources import schema as load_schema
from sfml.spec.validator import Schema, canonical

Check = Callable[[Any], bool]
"""Whether a value fits a schema, or one keyword of it."""


def fits(value: Any, file: str) -> bool:
    """Whether the document fits the schema of that file name."""
    return _check_at("#", file)(value)


@cache
def _check_at(reference: str, file: str) -> Check:
    """The check of the schema that a reference leads to from a file."""
    target, _, pointer = reference.partition("#")
    schema: Any = load_schema(target or file)
    for part in pointer.split("/")[1:]:
        schema = schema[int(part)] if isinstance(schema, list) else schema[part]
    return check_of(schema, target or file)


def check_of(schema: Schema, file: str) -> Check:
    """The check of a schema: the keywords are looked up once, and not for each value."""
    checks = tuple(
        _KEYWORDS[key](constraint, schema, file)
        for key, constraint in schema.items()
        if key not in DESCRIBING
    )
    return checks[0] if len(checks) == 1 else lambda value: _is_every(checks, value)


def _is_every(checks: Iterable[Check], value: Any) -> bool:
    for check in checks:  # noqa: SIM110 - `all` takes twice as long
        if not check(value):
            return False
    return True


def _refers(reference: str, schema: Schema, file: str) -> Check:
    # Found when it is needed: schemas refer to themselves, and most values need few of them.
    return lambda value: _check_at(reference, file)(value)


def _is_of_type(constraint: str | list[str], schema: Schema, file: str) -> Check:
    if isinstance(constraint, str):
        return _TYPES[constraint]
    types = [_TYPES[name] for name in constraint]
    return lambda value: any(is_type(value) for is_type in types)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: Mapping[str, Check] = MappingProxyType(
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


def _is_one_of(constraint: list[Any], schema: Schema, file: str) -> Check:
    return lambda value: any(_is_equal(value, option) for option in constraint)


def _is(constraint: Any, schema: Schema, file: str) -> Check:
    return lambda value: _is_equal(value, constraint)


def _is_equal(value: Any, other: Any) -> bool:
    """Whether two scalars are equal in JSON, where `true` is not 1. The schemas of sfml hold only scalars here."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _is_not(constraint: Schema, schema: Schema, file: str) -> Check:
    refused = check_of(constraint, file)
    return lambda value: not refused(value)


def _properties(constraint: dict[str, Schema], schema: Schema, file: str) -> Check:
    checks: dict[str, Check] = {}  # those of the keys that occurred

    def is_fit(key: str, value: Any) -> bool:
        if key not in checks:
            checks[key] = check_of(constraint[key], file)
        return checks[key](value)

    return lambda value: (
        not isinstance(value, dict)
        or all(is_fit(key, one) for key, one in value.items() if key in constraint)
    )


def _rest(constraint: Schema | bool, schema: Schema, file: str) -> Check:
    if constraint is True:
        return lambda value: True
    named = schema.get("properties", {})
    is_fit: Check = (lambda value: False) if constraint is False else check_of(constraint, file)
    return lambda value: (
        not isinstance(value, dict) or all(is_fit(one) for key, one in value.items() if key not in named)
    )


def _items(constraint: Schema, schema: Schema, file: str) -> Check:
    is_fit = check_of(constraint, file)
    return lambda value: not isinstance(value, list) or all(map(is_fit, value))


def _names(constraint: Schema, schema: Schema, file: str) -> Check:
    is_fit = check_of(constraint, file)
    return lambda value: not isinstance(value, dict) or all(map(is_fit, value))


def _any_of(constraint: list[Schema], schema: Schema, file: str) -> Check:
    options = [check_of(option, file) for option in constraint]
    return lambda value: any(option(value) for option in options)


def _one_of(constraint: list[Schema], schema: Schema, file: str) -> Check:
    options = [check_of(option, file) for option in constraint]
    return lambda value: sum(option(value) for option in options) == 1


def _pattern(constraint: str, schema: Schema, file: str) -> Check:
    search = re.compile(constraint).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _of(kind: type, holds: Callable[[Any, Any], bool]) -> _Keyword:
    """A keyword that says something of values of one kind, and nothing of others."""
    return lambda constraint, schema, file: (
        lambda value: not isinstance(value, kind) or holds(value, constraint)
    )


_Keyword = Callable[[Any, Schema, str], Check]

_KEYWORDS: Mapping[str, _Keyword] = MappingProxyType(
    {
        "$ref": _refers,
        "type": _is_of_type,
        "enum": _is_one_of,
        "const": _is,
        "not": _is_not,
        "anyOf": _any_of,
        "oneOf": _one_of,
        "properties": _properties,
        "additionalProperties": _rest,
        "propertyNames": _names,
        "required": _of(dict, lambda value, keys: all(key in value for key in keys)),
        "minProperties": _of(dict, lambda value, least: len(value) >= least),
        "maxProperties": _of(dict, lambda value, most: len(value) <= most),
        "items": _items,
        "minItems": _of(list, lambda value, least: len(value) >= least),
        "uniqueItems": _of(
            list, lambda value, unique: not unique or len(set(map(canonical, value))) == len(value)
        ),
        "minLength": _of(str, lambda value, least: len(value) >= least),
        "maxLength": _of(str, lambda value, most: len(value) <= most),
        "pattern": _pattern,
        "minimum": lambda least, schema, file: lambda value: not (_is_number(value) and value < least),
        "maximum": lambda most, schema, file: lambda value: not (_is_number(value) and value > most),
    }
)

DESCRIBING = frozenset(
    ("$schema", "$id", "$comment", "$defs", "title", "description", "examples", "default", "deprecated")
)
"""Keywords that describe a schema and never refuse a value."""

DECIDING = frozenset(_KEYWORDS)
"""Keywords that are checked here; a schema of sfml with any other keyword is a bug, and raises a KeyError."""
