"""Located nodes against a JSON Schema, told in the user's words: keys, values and the best-matching shape.

This reads the subset of draft 2020-12 that `schemas/` is written in; the tests hold it against a complete
implementation, and that no schema uses a keyword which is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

from sfml.diagnostic import Diagnostic
from sfml.resources import schema as load_schema
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, plain, plain_word
from sfml.spec.shape_words import (
    both_given,
    close_to,
    kind_of,
    listed_words,
    lower_first,
    missing_key,
    not_allowed,
    said,
    shape_error,
    subject_of,
    types_of,
    unknown_key,
    wrong_type,
)

Schema = dict[str, Any]

KEYWORDS = frozenset(
    (
        *("$schema", "$defs", "$ref", "$comment", "title", "description", "type", "const", "enum", "not"),
        *("pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems", "uniqueItems"),
        *(
            "properties",
            "additionalProperties",
            "required",
            "propertyNames",
            "minProperties",
            "maxProperties",
        ),
        *("anyOf", "oneOf"),
    )
)

MAX_FINDINGS = 200


def shape_findings(node: Node, schema_file: str) -> tuple[Diagnostic, ...]:
    """What does not fit the schema of that file name; of very many findings the first."""
    return tuple(islice(_check(node, load_schema(schema_file), schema_file, None), MAX_FINDINGS))


@cache
def _resolved(file: str, pointer: str) -> tuple[Schema, str]:
    schema: Any = load_schema(file)
    for part in pointer.split("/")[1:]:
        schema = schema[int(part)] if isinstance(schema, list) else schema[part]
    return schema, file


def _follow(schema: Schema, file: str) -> tuple[Schema, str]:
    """The schema that a `$ref` leads to, with what stands beside the reference."""
    while "$ref" in schema:
        target, _, pointer = schema["$ref"].partition("#")
        found, file = _resolved(target or file, pointer)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**found, **beside}
    return schema, file


def _fits_type(node: Node, types: tuple[str, ...]) -> bool:
    if not types:
        return True
    kind = kind_of(node)
    if kind == "number" and "integer" in types and isinstance(node, ScalarNode):
        return isinstance(node.value, float) and node.value.is_integer()
    return kind in types or (kind == "integer" and "number" in types)


def _check(node: Node, schema: Schema, file: str, key: str | None) -> Iterator[Diagnostic]:
    schema, file = _follow(schema, file)
    if "not" in schema:  # `{"not": {}}`: a key that is known, and refused for a reason
        help = lower_first(schema["description"].partition(": ")[2])
        why = schema["description"].partition(": ")[0]
        message = f"`{key}` is not possible here"
        if schema.get("$comment") == "SF207":
            message = f"the finalizer cannot have `{key}`"
        yield Diagnostic.error(
            schema.get("$comment", "SF115"),
            message,
            at=node.span,
            path=node.path,
            why=lower_first(why),
            help=help,
        )
        return
    types = types_of(schema)
    if not _fits_type(node, types):
        yield wrong_type(node, schema, types, key)
        return
    if "const" in schema and not _is_one_of(node, [schema["const"]]):
        yield not_allowed(node, key, [schema["const"]])
    if "enum" in schema and not _is_one_of(node, schema["enum"]):
        yield not_allowed(node, key, schema["enum"])
    match node:
        case MapNode():
            yield from _check_map(node, schema, file, key)
        case ListNode():
            yield from _check_list(node, schema, file, key)
        case ScalarNode():
            yield from _check_scalar(node, schema, key)
    if "anyOf" in schema:
        yield from _check_alternatives(node, schema, schema["anyOf"], file, key)
    if "oneOf" in schema:
        if all(set(branch) == {"required"} for branch in schema["oneOf"]):
            yield from _check_exactly_one(node, schema, key)
        else:
            yield from _check_alternatives(node, schema, schema["oneOf"], file, key)


def _is_one_of(node: Node, allowed: list[Any]) -> bool:
    value = plain(node)
    # JSON has one kind of number, and Python takes True for 1.
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)


def _check_map(node: MapNode, schema: Schema, file: str, key: str | None) -> Iterator[Diagnostic]:
    properties: Schema = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    names = schema.get("propertyNames", {}).get("pattern")
    for name, value in node.entries.items():
        at = node.key_spans.get(name, value.span)
        if name in properties:
            yield from _check(value, properties[name], file, name)
        elif rest is False:
            yield unknown_key(name, at, value.path, properties, node, schema)
        else:
            if names and not re.search(names, name):
                help = "begin with a letter or `_`; use letters, digits and `_`"
                yield Diagnostic.error(
                    "SF113", f"`{name}` is not a valid name", at=at, path=value.path, help=help
                )
            if isinstance(rest, dict):
                yield from _check(value, rest, file, name)
    for name in schema.get("required", ()):
        if name not in node.entries:
            yield missing_key(name, node, schema, key)
    if len(node.entries) < schema.get("minProperties", 0):
        yield shape_error("SF113", f"{subject_of(key)} must not be empty", node)
    if len(node.entries) > schema.get("maxProperties", len(node.entries)):
        second = list(node.entries)[schema["maxProperties"]]
        at = node.key_spans.get(second, node.span)
        message = f"{subject_of(key)} takes one entry; `{second}` is another"
        yield Diagnostic.error("SF113", message, at=at, path=node.entries[second].path)


def _check_list(node: ListNode, schema: Schema, file: str, key: str | None) -> Iterator[Diagnostic]:
    if "items" in schema:
        for item in node.items:
            yield from _check(item, schema["items"], file, key)
    if len(node.items) < schema.get("minItems", 0):
        yield shape_error("SF113", f"{subject_of(key)} must not be empty", node)
    if schema.get("uniqueItems"):
        seen: set[str] = set()
        for item in node.items:
            value = _canonical(plain(item))
            if value in seen:
                yield shape_error("SF113", f"{subject_of(key)} names {said(item)} twice", item)
            seen.add(value)


def _canonical(value: Any) -> str:
    """The same text for values that JSON takes for equal: keys in any order, `1` and `1.0`."""
    match value:
        case dict():
            return "{" + ",".join(f"{key!r}:{_canonical(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case float() if value.is_integer():
            return repr(int(value))
        case _:
            return repr(value)


def _check_scalar(node: ScalarNode, schema: Schema, key: str | None) -> Iterator[Diagnostic]:
    value = node.value
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield shape_error("SF113", f"{subject_of(key)} must not be empty", node)
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            title = schema.get("title")
            message = f"{subject_of(key)} must be {title}" if title else f"`{value[:60]}` is not allowed here"
            yield shape_error("SF113", message, node)
        if len(value) > schema.get("maxLength", len(value)):
            yield shape_error(
                "SF113", f"{subject_of(key)} is longer than {schema['maxLength']} characters", node
            )
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and value < low:
            yield shape_error(
                "SF113", f"{subject_of(key)} must be at least {low}, not {plain_word(value)}", node
            )
        elif high is not None and value > high:
            yield shape_error(
                "SF113", f"{subject_of(key)} must be at most {high}, not {plain_word(value)}", node
            )


def _check_alternatives(
    node: Node, schema: Schema, branches: list[Schema], file: str, key: str | None
) -> Iterator[Diagnostic]:
    """Nothing when one of the branches fits, else the findings of the branch that was meant."""
    followed = [_follow(branch, file) for branch in branches]
    if any(_fits(node, branch, where, key) for branch, where in followed):
        return
    results = [tuple(islice(_check(node, branch, where, key), MAX_FINDINGS)) for branch, where in followed]
    enums = [branch["enum"] for branch, _ in followed if "enum" in branch]
    if len(enums) == 1 and len(followed) <= 2:
        yield not_allowed(node, key, enums[0])
        return
    fitting = [
        (branch, found)
        for (branch, _), found in zip(followed, results, strict=True)
        if types_of(branch) and _fits_type(node, types_of(branch)) and branch.get("title") != "an expression"
    ]
    if isinstance(node, MapNode) and fitting:
        clash = _exclusive(node, [branch for branch, _ in fitting])
        if clash is not None:
            yield both_given(node, *clash, key)
            return
        # The shape that was meant is the one whose required keys are there, then the one that knows most keys.
        meant = [pair for pair in fitting if all(k in node.entries for k in pair[0].get("required", ()))]
        if meant or len(fitting) == 1:
            yield from max(meant or fitting, key=lambda pair: _known_keys(node, pair[0]))[1]
            return
        best = max(fitting, key=lambda pair: _known_keys(node, pair[0]))
        if _known_keys(node, best[0]):
            yield from best[1]
            return
        every: Schema = {name: one for branch, _ in fitting for name, one in branch["properties"].items()}
        if any(close_to(name, every, 0.7) for name in node.entries):
            for name, value in node.entries.items():
                at = node.key_spans.get(name, value.span)
                yield unknown_key(name, at, value.path, every, node, schema)
            return
    elif len(fitting) == 1:
        yield from fitting[0][1]
        return
    yield wrong_type(node, schema, (), key, [branch for branch, _ in followed])


def _fits(node: Node, branch: Schema, file: str, key: str | None) -> bool:
    """Whether nothing is wrong with the branch; what can be told cheaply is asked first."""
    if not _fits_type(node, types_of(branch)):
        return False
    if isinstance(node, MapNode) and any(name not in node.entries for name in branch.get("required", ())):
        return False
    return next(_check(node, branch, file, key), None) is None


def _exclusive(node: MapNode, branches: list[Schema]) -> tuple[str, str] | None:
    """Two keys of the mapping that each ask for a shape of their own."""
    heads = [(name, branch) for branch in branches for name in branch.get("required", ())]
    present = [(name, branch) for name, branch in heads if name in node.entries]
    for first, one in present:
        for second, other in present:
            if second not in one.get("properties", {}) and first not in other.get("properties", {}):
                return first, second
    return None


def _known_keys(node: MapNode, schema: Schema) -> int:
    return len(node.entries.keys() & schema.get("properties", {}).keys())


def _check_exactly_one(node: Node, schema: Schema, key: str | None) -> Iterator[Diagnostic]:
    wanted = [name for branch in schema["oneOf"] for name in branch["required"]]
    there = [name for name in wanted if isinstance(node, MapNode) and name in node.entries]
    listed = listed_words([f"`{name}`" for name in wanted], "or")
    if not there:
        at = node.span
        if isinstance(node, MapNode) and node.entries:
            first = next(iter(node.entries))
            at = node.key_spans.get(first, at)
        yield Diagnostic.error(
            "SF114", f"{subject_of(key)} says nothing to do", at=at, path=node.path, help=f"give it {listed}"
        )
    elif len(there) > 1 and isinstance(node, MapNode):
        second = there[1]
        yield Diagnostic.error(
            "SF114",
            f"{subject_of(key)} has both `{there[0]}` and `{second}`",
            at=node.key_spans.get(second, node.span),
            path=node.entries[second].path,
            help=f"keep one of {listed}; a task does one thing",
        )
