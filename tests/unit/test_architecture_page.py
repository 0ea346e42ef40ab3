"""docs/architecture.md names what there is: every `room/module.py:name` of it can be found."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "compiler" / "sfml"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([a-z_]+/\w+\.py):(\w+)`", TEXT)
FILES = re.findall(r"`([a-z_]+/\w+\.py)`", TEXT)


def test_the_walk_has_ten_lines() -> None:
    walk = TEXT.partition("## A walk")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d+\. ", walk, re.M)) == 10


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_function_that_the_page_names_is_there(file: str, name: str) -> None:
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("file", FILES)
def test_a_module_that_the_page_names_is_there(file: str) -> None:
    assert (PACKAGE / file).is_file()
