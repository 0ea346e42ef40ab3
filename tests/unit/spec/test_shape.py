"""Findings about shapes: there when the schema as published refuses a document, and only then; always in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_settings import examples
from referencing import Registry, Resource

from sfml.base.resources import schema, schema_folder
from sfml.base.source import Span
from sfml.spec.fits import DECIDING, DESCRIBING, fits
from sfml.spec.nodes import located
from sfml.spec.shape import REPORTED_KEYWORDS, shape_findings

APPLYING = {"$ref", "items", "properties", "propertyNames"}
"""Keywords that hand a part of the value on and refuse nothing themselves."""

FILES = ("project", "pipeline", "job_config", "schedule_config", "tasks", "tests", "policies")


def registry() -> Registry[Any]:
    pairs = [(f"{name}.schema.json", Resource.from_contents(schema(f"{name}.schema.json"))) for name in FILES]
    return Registry().with_resources(pairs)


@cache
def oracle(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(f"{name}.schema.json"), registry=registry())


def keywords(node: Any, *, is_schema: bool = True) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from keywords(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if is_schema:
                yield key
            if key in ("const", "enum", "type", "required", "examples", "default") and is_schema:
                continue
            yield from keywords(value, is_schema=not (is_schema and key in ("properties", "$defs")))


def described(node: Any, path: str = "") -> Iterator[str]:
    """The properties without a description, their own or that of what they refer to."""
    if isinstance(node, dict):
        for name, one in node.get("properties", {}).items():
            if isinstance(one, dict) and "description" not in one and "$ref" not in one:
                yield f"{path}.{name}"
        for key, value in node.items():
            yield from described(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from described(value, f"{path}/{index}")


@pytest.mark.parametrize("name", FILES)
def test_schemas_are_valid_and_what_they_refuse_has_words(name: str) -> None:
    document = schema(f"{name}.schema.json")
    jsonschema.Draft202012Validator.check_schema(document)
    refusing = set(keywords(document)) & jsonschema.Draft202012Validator.VALIDATORS.keys()
    assert refusing - APPLYING <= REPORTED_KEYWORDS
    assert set(keywords(document)) <= DECIDING | DESCRIBING
    assert list(described(document)) == []
    assert "http" not in json.dumps({key: value for key, value in document.items() if key != "$schema"})


def test_every_schema_of_the_language_is_tested() -> None:
    assert {path.name.split(".")[0] for path in schema_folder().glob("*.json")} == set(FILES)


WORDS = st.sampled_from(
    (
        "a",
        "",
        "1h",
        "30m",
        "soon",
        "manual",
        "NO_OVERLAP",
        "WARN",
        "{{ var.x }}",
        "clv.a.b",
        "all_done",
        "X",
        "XSMALL",
    )
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 40), st.floats(0, 2, allow_nan=False), WORDS)


def keys_of(*names: str) -> st.SearchStrategy[str]:
    found: set[str] = set()

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            found.update(node.get("properties", {}))
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    for name in names:
        collect(schema(f"{name}.schema.json"))
    return st.sampled_from([*sorted(found), "other", "x y"])


@cache
def values(name: str) -> st.SearchStrategy[Any]:
    keys = keys_of(name, "job_config", "schedule_config")
    return st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
        max_leaves=12,
    )


def parts() -> list[tuple[str, str]]:
    """Every property of every definition: (schema file, key), to aim values at."""
    return [(name, key) for name in FILES for key in schema(f"{name}.schema.json")["properties"]]


@pytest.mark.parametrize(("name", "key"), parts())
@examples(15)
@given(data=st.data())
def test_agrees_with_jsonschema(name: str, key: str, data: st.DataObject) -> None:
    minimal: dict[str, dict[str, Any]] = {
        "pipeline": {"version": 1, "pipeline": "p", "graph": "g.yaml"},
        "job_config": {"version": 1, "tasks": {}},
        "tasks": {"version": 1, "tasks": {}},
        "tests": {"version": 1, "tests": {}},
    }
    document = {**minimal.get(name, {"version": 1}), key: data.draw(values(name))}
    span = Span.whole("f")
    ours = shape_findings(located(document, span, ""), f"{name}.schema.json")
    assert bool(ours) == (not oracle(name).is_valid(document)), (document, ours)
    assert fits(document, f"{name}.schema.json") == (not ours), (document, ours)


@pytest.mark.parametrize(
    "key", sorted(schema("job_config.schema.json")["$defs"]["task_settings"]["properties"])
)
@examples(15)
@given(data=st.data())
def test_agrees_with_jsonschema_on_tasks(key: str, data: st.DataObject) -> None:
    document = {"version": 1, "tasks": {"t": {"sql": "select 1", key: data.draw(values("job_config"))}}}
    ours = shape_findings(located(document, Span.whole("f"), ""), "job_config.schema.json")
    assert bool(ours) == (not oracle("job_config").is_valid(document)), (document, ours)
    assert fits(document, "job_config.schema.json") == (not ours), (document, ours)
    assert not any(word in finding.message for finding in ours for word in ("oneOf", "anyOf", "additional"))
