"""The order of the rooms: a module imports rooms above its own only, and Snowflake's clients only where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "compiler" / "sfml"

LAYERS = (
    ("base",),
    ("grammar",),
    ("semantics",),
    ("local",),
    ("spec",),
    ("catalog",),
    ("graph",),
    ("check",),
    ("lower",),
    ("ways",),
    ("graph_tests",),
    ("frontend",),
    ("plan",),
    ("review",),
    ("account",),
    ("snowflake",),
    ("render",),
    ("operations",),
    ("cli", "testing"),
    ("api",),
    ("ci",),
    ("pytest_plugin",),
)
"""From the bottom up; names of one row may import each other."""

NEVER = {"render": ("snowflake", "local")}
"""What a room may not import although it stands above: pictures and texts are made of values."""

CLIENTS = ("snowflake", "fakesnow", "duckdb", "starlette", "uvicorn", "pandas", "xgboost")
MAY_USE_CLIENTS = ("snowflake", "local", "testing")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "sfml")


def parsed(folder: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}


RANKS = {room: rank for rank, row in enumerate(LAYERS) for room in row}


@pytest.fixture(scope="module")
def modules() -> dict[Path, ast.Module]:
    """Every module of the package, parsed once for all tests."""
    modules = parsed(PACKAGE)
    del modules[PACKAGE / "__init__.py"]
    return modules


def wrong_import(room: str, name: str) -> bool:
    """Whether a room may not have this import: of a room below its own, or one in NEVER."""
    parts = name.split(".")
    if parts[0] != "sfml" or len(parts) < 2 or parts[1] in ("__version__", "__distribution__"):
        return False
    return RANKS[parts[1]] > RANKS[room] or parts[1] in NEVER.get(room, ())


def test_every_room_has_a_layer(modules: dict[Path, ast.Module]) -> None:
    rooms = {room_of(path) for path in modules}
    assert rooms == set(RANKS), "LAYERS and the folders of the package name the same rooms"


def test_a_module_imports_only_rooms_above_its_own(modules: dict[Path, ast.Module]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} may not import {name}"
        for path, tree in modules.items()
        for name in dict.fromkeys(imports_of(tree))
        if wrong_import(room_of(path), name)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_adapter_and_the_server_know_clients(modules: dict[Path, ast.Module]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}, which belongs in snowflake/ or local/"
        for path, tree in modules.items()
        if room_of(path) not in MAY_USE_CLIENTS
        for name in sorted({name.split(".")[0] for name in imports_of(tree)} & set(CLIENTS))
        if name != "snowflake" or not _only_for_types(tree)
    ]
    assert not wrong, "\n".join(wrong)


def _only_for_types(tree: ast.Module) -> bool:
    """Whether every import of a client stands below `if TYPE_CHECKING:`."""
    guarded = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    clients = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in CLIENTS
    ]
    return all(node in guarded for node in clients)


def test_the_runtime_knows_nothing_of_the_compiler() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, tree in parsed(ROOT / "steps").items()
        for name in imports_of(tree)
        if name.split(".")[0] == "sfml"
    ]
    assert not wrong, "\n".join(wrong)
