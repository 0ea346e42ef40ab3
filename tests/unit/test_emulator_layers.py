"""The plan of the local Snowflake: what it imports of the compiler, what the compiler imports of it, and no circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from modules_of import House

ROOT = Path(__file__).parents[2]

OF_SFML = "sfml.semantics."
"""What it imports of `sfml`: Snowflake's rules."""

FOR_SFML = ("sfml_local.control", "sfml_local.evidence.behaviours")
"""What `sfml` imports of it; `sfml.testing` runs a server within its process, and may import more."""

IN_CIRCLES = 0
"""How many of its modules import each other in circles; it may only shrink."""


@pytest.fixture(scope="module")
def emulator() -> House:
    return House.of(ROOT / "emulator" / "sfml_local")


def test_it_knows_snowflake_and_no_specs(emulator: House) -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in emulator.modules.items()
        for other in _imported(tree)
        if other.split(".")[0] in ("sfml", "sfml_snowflake", "sfml_steps") and not other.startswith(OF_SFML)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_compiler_knows_its_control() -> None:
    compiler = House.of(ROOT / "compiler" / "sfml", without="template")
    wrong = [
        f"{name} imports {other}"
        for name, tree in compiler.modules.items()
        if not name.startswith("sfml.testing.")
        for other in _imported(tree)
        if other.split(".")[0] == "sfml_local" and not other.startswith(FOR_SFML)
    ]
    assert not wrong, "\n".join(wrong)


def _imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports anywhere, for types too, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_ever_fewer_modules_import_each_other_in_circles(emulator: House) -> None:
    knotted = emulator.in_circles()
    assert len(knotted) == IN_CIRCLES, "\n".join(sorted(knotted))
