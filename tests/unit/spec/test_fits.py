"""What fits a schema, fits it for the `jsonschema` library too: on specs that are right, and on ones nearly so."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from sfml.base.resources import schema
from sfml.spec.compose import compose
from sfml.spec.fits import DECIDING, check_of, fits
from sfml.spec.nodes import plain

FILES = tuple(
    f"{name}.schema.json"
    for name in ("project", "pipeline", "job_config", "schedule_config", "tasks", "tests", "policies")
)
FOLDERS = (Path(__file__).parents[2] / "corpus" / "v1", Path(__file__).parents[3] / "specs")


def documents() -> Iterator[Any]:
    for path in (path for folder in FOLDERS for path in sorted(folder.rglob("*.yaml"))):
        node, _ = compose(path.read_text(encoding="utf-8"), path.name)
        if node is not None:
            yield plain(node)


DOCUMENTS = tuple(documents())
REGISTRY: Registry[Any] = Registry().with_resources(
    [(file, Resource.from_contents(schema(file))) for file in FILES]
)
ORACLES = {file: Draft202012Validator(schema(file), registry=REGISTRY) for file in FILES}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container below, with every key or index in it."""
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(one, (dict, list)):
            yield from places(one)


OTHERS = st.sampled_from(
    (
        None,
        True,
        False,
        0,
        1,
        1.0,
        0.5,
        -1,
        10**30,
        "",
        "1",
        "a b",
        "{{ x }}",
        "1h",
        [],
        [1, True],
        [1, 1.0],
        {},
    )
)


@pytest.mark.parametrize("file", FILES)
def test_right_documents_fit_without_the_library(file: str) -> None:
    right = [document for document in DOCUMENTS if ORACLES[file].is_valid(document)]
    assert right
    assert all(fits(document, file) for document in right)


@given(data=st.data())
def test_it_agrees_on_documents_with_one_thing_changed(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    inside, key = data.draw(st.sampled_from(list(places(document))))
    other = data.draw(OTHERS)
    match data.draw(st.sampled_from(("replace", "remove", "repeat", "add"))):
        case "replace":
            inside[key] = other
        case "remove":
            del inside[key]
        case "repeat" if isinstance(inside, list):
            inside.append(inside[key])
        case _ if isinstance(inside, dict):
            inside[data.draw(st.sampled_from(("step", "sql", "pool", "timeout", "x y", "value")))] = other
    for file in FILES:
        assert fits(document, file) == ORACLES[file].is_valid(document), (file, document)


@pytest.mark.parametrize(
    ("task", "right"),
    [
        ({"sql": "select 1"}, True),
        ({"sql": "select 1", "step": "a.b"}, False),
        ({}, False),
        ({"step": "a.b", "packages": ["x", "y"]}, True),
        ({"step": "a.b", "packages": ["x", "x"]}, False),
        ({"step": "a.b", "run_on": {"pool": "P", "instances": 2.0}}, True),
        ({"step": "a.b", "run_on": {"pool": "P", "instances": True}}, False),
    ],
)
def test_it_agrees_where_it_is_easy_to_be_wrong(task: dict[str, Any], right: bool) -> None:
    document = {"version": 1, "tasks": {"t": task}}
    assert fits(document, "job_config.schema.json") == right
    assert ORACLES["job_config.schema.json"].is_valid(document) == right


VALUES = (
    *(None, True, False, 0, 1, 2, 1.0, 0.5, -1, 3, "", "a", "ab", "abc", "1"),
    *([], [1], [1, 1.0], [1, True], ["", "a"], [1, 2, 3]),
    *({}, {"a": 1}, {"a": "x", "b": 2}, {"b": "", "c": None, "d": 1}),
)
KEYWORDS: dict[str, tuple[Any, ...]] = {
    "$ref": ("tasks.schema.json",),
    "type": ("object", "array", "string", "boolean", "null", "number", "integer", ["string", "null"]),
    "enum": ([1, "a", None], [True]),
    "const": (1, False, "a"),
    "not": ({"type": "string"},),
    "anyOf": ([{"type": "string"}, {"type": "object", "required": ["b"]}],),
    "oneOf": ([{"type": "integer"}, {"type": "number"}, {"type": "null"}],),
    "properties": ({"a": {"type": "string"}},),
    "additionalProperties": (False, True, {"type": "integer"}),
    "propertyNames": ({"enum": ["a", "b"]},),
    "required": (["a"], ["a", "b"]),
    "minProperties": (1, 2),
    "maxProperties": (1, 2),
    "items": ({"type": "integer"},),
    "minItems": (1, 2),
    "uniqueItems": (True, False),
    "minLength": (1, 2),
    "maxLength": (1, 2),
    "pattern": ("^a", "b"),
    "minimum": (1, 0.5),
    "maximum": (1, 0.5),
}


def test_every_keyword_is_tried_by_itself() -> None:
    assert KEYWORDS.keys() == DECIDING


@pytest.mark.parametrize(
    ("keyword", "constraint"), [(name, one) for name, every in KEYWORDS.items() for one in every]
)
def test_a_keyword_refuses_what_it_refuses_for_the_library(keyword: str, constraint: Any) -> None:
    tried = {keyword: constraint}
    oracle, check = Draft202012Validator(tried, registry=REGISTRY), check_of(tried, FILES[0])
    assert [value for value in VALUES if check(value)] == [
        value for value in VALUES if oracle.is_valid(value)
    ]
