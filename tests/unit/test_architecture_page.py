"""docs/architecture.md and docs/glossary.md name what there is: every `room/module.py:name` of them can be found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "compiler" / "sfml", ROOT / "emulator" / "sfml_local")
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LOCAL_TEXT = (ROOT / "docs" / "local-architecture.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:[a-z_]+/)*\w+\.py):(\w+)`", TEXT + LOCAL_TEXT + GLOSSARY)
FILES = re.findall(r"`([a-z_]+/\w+\.py)`", TEXT)


def test_the_walk_has_ten_lines() -> None:
    walk = TEXT.partition("## A walk")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d+\. ", walk, re.M)) == 10


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_function_that_the_page_names_is_there(file: str, name: str) -> None:
    tree = ast.parse(_found(file).read_text(encoding="utf-8"))
    assert name in set(_defined(tree))


def _found(file: str) -> Path:
    return next(package / file for package in PACKAGES if (package / file).exists())


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_the_glossary_has_each_word_once() -> None:
    words = [row.split(" | ")[0][2:] for row in GLOSSARY.splitlines() if row.startswith("| ")]
    words = [word for word in words if word != "word"]
    assert len(words) > 60
    assert len(words) == len(set(words))


@pytest.mark.parametrize("file", FILES)
def test_a_module_that_the_page_names_is_there(file: str) -> None:
    assert any((package / file).is_file() for package in PACKAGES)
