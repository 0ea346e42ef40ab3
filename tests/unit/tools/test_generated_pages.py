"""The pages that are made from schemas and docstrings: up to date, whole, and with examples that hold."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from sfml.base.resources import schema, schema_folder
from sfml.check.explanations import explanations
from sfml.spec.compose import compose
from sfml.spec.nodes import plain

ROOT = Path(__file__).parents[3]
NAMES = sorted(path.name for path in schema_folder().glob("*.json"))
REGISTRY: Registry[Any] = Registry().with_resources(
    [(name, Resource.from_contents(schema(name))) for name in NAMES]
)


@pytest.fixture(scope="module")
def pages() -> Mapping[str, Callable[[], str]]:
    """What makes each generated page as the code writes it now."""
    spec = importlib.util.spec_from_file_location("docs", ROOT / "tools" / "docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Mapping[str, Callable[[], str]] = module.PAGES
    return found


@pytest.mark.parametrize("path", ["docs/spec.md", "docs/rules.md", "docs/steps.md", "docs/local.md"])
def test_pages_are_up_to_date(pages: Mapping[str, Callable[[], str]], path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == pages[path](), "run `make docs`"


def test_every_rule_has_a_place_on_the_page() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    for code in explanations():
        assert f"\n### {code}\n" in page
        assert f"| [{code}](#{code.lower()}) |" in page


def keys(node: Any, name: str, pointer: str) -> Iterator[tuple[str, str, Any]]:
    """Every key that a schema describes, but for what only repeats another one."""
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            if "description" in value and set(value) != {"$ref", "description"}:
                yield key, f"{name}#{pointer}/properties/{key}", value
        for key, value in node.items():
            if key not in ("examples", "default"):
                yield from keys(value, name, f"{pointer}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from keys(value, name, f"{pointer}/{index}")


def unlike_its_schema(pointer: str, node: Any) -> Iterator[str]:
    """Describe each example and default of a key that its own schema refuses."""
    validator = jsonschema.Draft202012Validator({"$ref": pointer}, registry=REGISTRY)
    for value in (*node.get("examples", ()), *([node["default"]] if "default" in node else ())):
        yield from (f"{pointer}: {value!r}: {error.message}" for error in validator.iter_errors(value))


@pytest.mark.parametrize("name", NAMES)
def test_examples_and_defaults_are_valid(name: str) -> None:
    wrong = [
        message
        for _, pointer, node in keys(schema(name), name, "")
        for message in unlike_its_schema(pointer, node)
    ]
    assert not wrong, "\n".join(wrong)


def rows() -> list[list[str]]:
    """The cells of every row of a table of keys."""
    lines = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")
    ]


def test_every_key_has_a_type_a_meaning_and_an_example() -> None:
    assert len(rows()) > 90
    for row in rows():
        assert len(row) == 5, row
        assert all(row), row


def test_examples_are_yaml_for_their_key() -> None:
    for row in rows():
        for example in row[4].split("<br>"):
            node, findings = compose(example.strip("`").replace("\\|", "|"), "example")
            assert not findings, example
            value = plain(node) if node is not None else None
            assert isinstance(value, dict), example
            assert list(value) == [row[0].strip("`").rpartition(".")[2]]
