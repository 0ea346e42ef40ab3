"""Findings about shapes: `jsonschema` finds the errors of a document, and this module words them for users.

For a union none of whose shapes fits, the findings are those of the shape that was probably meant. The words of JSON
Schema do not appear in messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, first_of
from sfml.spec.fits import fits
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, plain, plain_word
from sfml.spec.shape_words import (
    both_given,
    close_to,
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
from sfml.spec.validator import MAX_ERRORS, Schema, canonical, validator

if TYPE_CHECKING:
    from jsonschema import ValidationError


def shape_findings(node: Node, schema_file: str) -> tuple[Diagnostic, ...]:
    """The findings for parts of a document that do not fit the schema; beyond `MAX_FINDINGS` they are counted only."""
    value = plain(node)
    if fits(value, schema_file):
        return ()
    errors = islice(validator(schema_file).iter_errors(value), MAX_ERRORS)
    return tuple(first_of(_findings_of(node, None, errors), MAX_FINDINGS))


def _findings_of(node: Node, key: str | None, errors: Iterable[ValidationError]) -> Iterator[Diagnostic]:
    """The findings for errors in `node`, the value of `key`, in the order of the text."""
    # The library has one error for each missing key, of which one is kept: its finding names all missing keys.
    # Errors about wrong names differ in their instance, so all of them are kept.
    unique = {
        (*_place(error), error.validator, error.instance if isinstance(error.instance, str) else None): error
        for error in errors
    }
    covered = {_place(error) for error in unique.values() if error.validator in _ALONE}
    located = [(*_at(node, key, error), error) for error in unique.values()]
    for at, name, error in sorted(located, key=lambda one: one[0].span):
        if error.validator in _ALONE or _place(error) not in covered:
            yield from _FINDINGS[error.validator](at, name, error)


_ALONE = frozenset(("type", "not"))
"""Where one of these keywords fails, other errors at the same place are left out."""


def _place(error: ValidationError) -> tuple[tuple[str | int, ...], int]:
    """The place of an error: the path of the value, and the schema that was applied to it."""
    return tuple(error.relative_path), id(error.schema)


def _at(node: Node, key: str | None, error: ValidationError) -> tuple[Node, str | None]:
    """The node that an error is about, and the key of that node or of the list around it."""
    for part in error.relative_path:
        if isinstance(node, MapNode):
            key = str(part)
            node = node.entries[key]
        elif isinstance(node, ListNode):
            node = node.items[int(part)]
    return node, key


def _refused(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    """The finding for `{"not": {}}`: a key that is known, but not possible here; its description gives the reason."""
    schema = _schema(error)
    why, _, help = schema["description"].partition(": ")
    code = schema.get("$comment", "SF115")
    message = f"the finalizer cannot have `{key}`" if code == "SF207" else f"`{key}` is not possible here"
    yield Diagnostic.error(
        code, message, at=node.span, path=node.path, why=lower_first(why), help=lower_first(help)
    )


def _wrong_type(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    schema = _schema(error)
    yield wrong_type(node, schema, types_of(schema), key)


def _not_allowed(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    schema = _schema(error)
    yield not_allowed(node, key, [schema["const"]] if error.validator == "const" else schema["enum"])


def _unknown_keys(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    schema = _schema(error)
    known: Schema = schema.get("properties", {})
    assert isinstance(node, MapNode)
    for name, value in node.entries.items():
        if name not in known:
            at = node.key_spans.get(name, value.span)
            yield unknown_key(name, at, value.path, known, node, schema)


def _missing_keys(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    schema = _schema(error)
    assert isinstance(node, MapNode)
    for name in schema["required"]:
        if name not in node.entries:
            yield missing_key(name, node, schema, key)


def _empty(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    yield shape_error("SF113", f"{subject_of(key)} must not be empty", node)


def _too_many_entries(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    assert isinstance(node, MapNode)
    second = list(node.entries)[_schema(error)["maxProperties"]]
    at = node.key_spans.get(second, node.span)
    message = f"{subject_of(key)} takes one entry; `{second}` is another"
    yield Diagnostic.error("SF113", message, at=at, path=node.entries[second].path)


def _repeated(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    assert isinstance(node, ListNode)
    seen: set[str] = set()
    for item in node.items:
        value = canonical(plain(item))
        if value in seen:
            yield shape_error("SF113", f"{subject_of(key)} names {said(item)} twice", item)
        seen.add(value)


def _wrong_pattern(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    if isinstance(node, MapNode):  # the pattern is one for the names of its keys
        name = str(error.instance)
        value = node.entries[name]
        help = "begin with a letter or `_`; use letters, digits and `_`"
        message = f"`{name}` is not a valid name"
        at = node.key_spans.get(name, value.span)
        yield Diagnostic.error("SF113", message, at=at, path=value.path, help=help)
    elif error.instance != "" or "minLength" not in _schema(error):
        title = _schema(error).get("title")
        shown = f"`{str(error.instance)[:60]}`"
        message = f"{subject_of(key)} must be {title}" if title else f"{shown} is not allowed here"
        yield shape_error("SF113", message, node)


def _too_long(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    length = _schema(error)["maxLength"]
    yield shape_error("SF113", f"{subject_of(key)} is longer than {length} characters", node)


def _out_of_range(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    assert isinstance(node, ScalarNode)
    least = "least" if error.validator == "minimum" else "most"
    bound = _schema(error)[str(error.validator)]
    message = f"{subject_of(key)} must be at {least} {bound}, not {plain_word(node.value)}"
    yield shape_error("SF113", message, node)


def _no_shape_fits(node: Node, key: str | None, error: ValidationError) -> Iterator[Diagnostic]:
    """The findings of the shape that was probably meant; if that is unclear, one that lists the possible shapes."""
    schema = _schema(error)
    branches: list[Schema] = schema[str(error.validator)]
    if all(set(branch) == {"required"} for branch in branches):
        yield from _not_exactly_one(node, key, branches)
        return
    enums = [branch["enum"] for branch in branches if "enum" in branch]
    if len(enums) == 1 and len(branches) <= 2:
        yield not_allowed(node, key, enums[0])
        return
    # Shapes of another type were not meant, nor was an expression, which would have fitted.
    wrong = {
        inner_error.relative_schema_path[0]
        for inner_error in error.context or ()
        if _is_of_another_type(inner_error)
    }
    fitting = [
        (index, branch)
        for index, branch in enumerate(branches)
        if types_of(branch) and index not in wrong and branch.get("title") != "an expression"
    ]
    findings: Iterable[Diagnostic] = ()
    clash = _exclusive(node, [branch for _, branch in fitting]) if isinstance(node, MapNode) else None
    if isinstance(node, MapNode) and clash is not None:
        findings = (both_given(node, *clash, key),)
    elif (meant := _meant(node, fitting)) is not None:
        errors = [
            inner_error for inner_error in error.context or () if inner_error.relative_schema_path[0] == meant
        ]
        findings = _findings_of(node, key, errors)
    elif isinstance(node, MapNode) and fitting:
        findings = _nearly_known(node, schema, [branch for _, branch in fitting])
    first = next(iter(findings := iter(findings)), None)
    yield first or wrong_type(node, schema, (), key, branches)
    yield from findings


def _is_of_another_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _meant(node: Node, fitting: list[tuple[int, Schema]]) -> int | None:
    """The index of the shape that was probably meant; None if that is unclear.

    A mapping is compared first by required keys, then by the number of known keys.
    """
    if len(fitting) == 1:
        return fitting[0][0]
    if not isinstance(node, MapNode) or not fitting:
        return None
    complete = [
        branch for branch in fitting if all(name in node.entries for name in branch[1].get("required", ()))
    ]
    best = max(complete or fitting, key=lambda branch: _known_keys(node, branch[1]))
    return best[0] if complete or _known_keys(node, best[1]) else None


def _nearly_known(node: MapNode, schema: Schema, branches: list[Schema]) -> Iterator[Diagnostic]:
    """The findings for a mapping of unknown keys, if one of them resembles a key of any shape."""
    every: Schema = {name: one for branch in branches for name, one in branch["properties"].items()}
    if any(close_to(name, every, 0.7) for name in node.entries):
        for name, value in node.entries.items():
            yield unknown_key(name, node.key_spans.get(name, value.span), value.path, every, node, schema)


def _exclusive(node: MapNode, branches: list[Schema]) -> tuple[str, str] | None:
    """Two keys of the mapping that belong to different shapes; None without such a pair."""
    heads = [(name, branch) for branch in branches for name in branch.get("required", ())]
    present = [(name, branch) for name, branch in heads if name in node.entries]
    for first, one in present:
        for second, other in present:
            if second not in one.get("properties", {}) and first not in other.get("properties", {}):
                return first, second
    return None


def _known_keys(node: MapNode, schema: Schema) -> int:
    return len(node.entries.keys() & schema.get("properties", {}).keys())


def _not_exactly_one(node: Node, key: str | None, branches: list[Schema]) -> Iterator[Diagnostic]:
    """The finding for a mapping that must have exactly one of several keys, and has none or two."""
    wanted = [name for branch in branches for name in branch["required"]]
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


def _schema(error: ValidationError) -> Schema:
    assert isinstance(error.schema, dict), "the schemas of sfml are mappings"
    return error.schema


_Findings = Callable[[Node, "str | None", "ValidationError"], Iterator[Diagnostic]]

_FINDINGS: Mapping[object, _Findings] = MappingProxyType(
    {
        "not": _refused,
        "type": _wrong_type,
        "const": _not_allowed,
        "enum": _not_allowed,
        "additionalProperties": _unknown_keys,
        "required": _missing_keys,
        "minProperties": _empty,
        "maxProperties": _too_many_entries,
        "minItems": _empty,
        "uniqueItems": _repeated,
        "minLength": _empty,
        "maxLength": _too_long,
        "pattern": _wrong_pattern,
        "minimum": _out_of_range,
        "maximum": _out_of_range,
        "anyOf": _no_shape_fits,
        "oneOf": _no_shape_fits,
    }
)

REPORTED_KEYWORDS = frozenset(map(str, _FINDINGS))
"""The keywords of JSON Schema whose errors are worded here."""
