"""The order of the rooms: a module imports rooms above its own only, and Snowflake's clients only where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "compiler" / "sfml"

LAYERS = (
    ("record", "source", "diagnostic", "fixes", "errors", "resources", "quoting", "git"),
    ("grammar",),
    ("semantics",),
    ("spec",),
    ("catalog",),
    ("graph",),
    ("check",),
    ("frontend", "silencing", "entry_files"),
    ("lower",),
    ("behaviour",),
    ("plan",),
    ("review",),
    ("history", "checkup", "registered"),
    ("ports",),
    ("snowflake",),
    ("deploy", "runs", "crew", "holding", "retries"),
    ("local",),
    ("render",),
    ("cli", "testing"),
    ("ci",),
    ("pytest_plugin",),
)
"""From the bottom up; names of one row may import each other."""

NEVER = {
    "local": ("spec", "catalog", "graph", "check", "lower", "behaviour", "plan", "snowflake"),
    "render": ("snowflake", "local"),
}
"""What a room may not import although it stands above: the server knows Snowflake, not our specs."""

CLIENTS = ("snowflake", "fakesnow", "duckdb", "starlette", "uvicorn", "pandas", "xgboost")
MAY_USE_CLIENTS = ("snowflake", "local", "testing")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "sfml")


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name != "__init__.py"
)
RANKS = {room: rank for rank, row in enumerate(LAYERS) for room in row}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_rooms_above_its_own(path: Path) -> None:
    room = room_of(path)
    assert room in RANKS, f"say in LAYERS where {room} stands"
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "sfml" or len(parts) < 2 or parts[1] == "__version__":
            continue
        other = parts[1]
        assert RANKS[other] <= RANKS[room], f"{room} may not import {other}"
        assert other not in NEVER.get(room, ()), f"{room} may not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_adapter_and_the_server_know_clients(path: Path) -> None:
    if room_of(path) in MAY_USE_CLIENTS:
        return
    used = {name.split(".")[0] for name in imports_of(path)} & set(CLIENTS)
    tolerated = {"snowflake"} if _only_for_types(path) else set()
    assert not used - tolerated, f"{sorted(used)} belong in snowflake/ or local/"


def _only_for_types(path: Path) -> bool:
    """Whether every import of a client stands below `if TYPE_CHECKING:`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = [
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    ]
    clients = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in CLIENTS
    ]
    return all(node in guarded for node in clients)


def test_the_runtime_knows_nothing_of_the_compiler() -> None:
    for path in sorted((ROOT / "steps").rglob("*.py")):
        assert not any(name.split(".")[0] == "sfml" for name in imports_of(path)), path
