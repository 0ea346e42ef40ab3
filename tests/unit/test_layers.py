"""The plan of the house: the table of docs/architecture.md is the order of the rooms, held over every import."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from modules_of import House, roots, statements

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "compiler" / "sfml"
PAGE = ROOT / "docs" / "architecture.md"

AT_THE_ROOT = ("__init__", "pytest_plugin")
"""Modules that stand in no room: the face of the package, which loads its names when they are used, and the plugin."""

NEVER = {"render": ("snowflake",)}
"""What a room may not import although it stands above: pictures and texts are made of values."""

LATE = {
    "base/exported_runs": "pyarrow comes with Snowflake's clients, and only Parquet needs it",
    "check/schedule": "time zones and cron cost start-up, and most specs are read without",
    "frontend/compiled_spec": "a spec that is only validated is not lowered",
    "frontend/reading": "most graphs have no budget, no policies, and no way that leaves a value unset",
    "graph/decode": "most specs have no tests",
    "graph/decode_tests": "time zones and cron, likewise",
    "lower/lower": "cron, likewise",
    "operations/fleet_status": "what compiles specs is imported when an outline of one is not kept",
    "operations/environment": "what looks at an account is imported when there is one",
    "operations/local_server": "the local Snowflake is imported for a local target",
    "policies/confinement": "Windows has no module `resource`",
    "policies/evaluation": "costs are worked out for the policies that ask for them",
    "operations/target_account": "the adapter imports clients",
    "semantics/session_parameters": "time zones, likewise",
    "spec/expressions": "Jinja costs start-up, and most specs only name values",
    "spec/names": "who is logged in, and what git says, is asked where a spec wants to know",
    "spec/validator": "the JSON Schema library is imported for documents that are wrong",
}
"""Modules that import inside functions, and why; beside them commands may, and whoever imports clients."""

CLIENTS = ("snowflake", "fakesnow", "duckdb", "starlette", "uvicorn", "pandas", "xgboost")
MAY_USE_CLIENTS = ("snowflake", "testing")
SERVES = {"ui": ("starlette", "uvicorn")}
"""The room that is a server itself, and what it is made of."""


def room_of(name: str) -> str:
    """`sfml.plan.diff` → `plan`; the face of the package is `__init__`."""
    return name.split(".")[1] if "." in name else "__init__"


def rooms_of_page() -> list[str]:
    """The rooms in the order of the page's table."""
    table = PAGE.read_text(encoding="utf-8").partition("| room, below")[2].partition("\n\n")[0]
    return [
        room for row in re.findall(r"^\| (`.*?) \|", table, re.M) for room in re.findall(r"`(\w+)/`", row)
    ]


@pytest.fixture(scope="module")
def house() -> House:
    return House.of(PACKAGE, without="template")


def test_the_page_names_every_room(house: House) -> None:
    assert sorted(rooms_of_page()) == sorted({room_of(name) for name in house.modules} - set(AT_THE_ROOT))


def test_a_module_imports_only_rooms_above_its_own(house: House) -> None:
    ranks = {room: rank for rank, room in enumerate(rooms_of_page())}
    wrong = [
        f"{name} may not import {other}"
        for name, others in house.arrows.items()
        if room_of(name) not in AT_THE_ROOT
        for other in sorted(others)
        if other == "sfml"
        or room_of(other) not in ranks
        or ranks[room_of(other)] > ranks[room_of(name)]
        or room_of(other) in NEVER.get(room_of(name), ())
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle(house: House) -> None:
    try:
        TopologicalSorter(house.arrows).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


def test_only_the_adapter_and_the_server_know_clients(house: House) -> None:
    wrong = [
        f"{name} imports {client}, which belongs in snowflake/"
        for name, tree in house.modules.items()
        if room_of(name) not in MAY_USE_CLIENTS
        for client in sorted(set(roots(tree)) & set(CLIENTS))
        if client not in SERVES.get(room_of(name), ())
        if client != "snowflake" or not _only_for_types(tree)
    ]
    assert not wrong, "\n".join(wrong)


def _only_for_types(tree: ast.Module) -> bool:
    """Whether every import of a client stands below `if TYPE_CHECKING:`."""
    guarded = {
        child
        for node in statements(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in statements(node)
    }
    clients = [
        node
        for node in statements(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in CLIENTS
    ]
    return all(node in guarded for node in clients)


def test_the_runtime_knows_nothing_of_the_compiler() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {root}"
        for path in sorted((ROOT / "steps").rglob("*.py"))
        if "sfml" in (text := path.read_text(encoding="utf-8"))
        for root in roots(ast.parse(text))
        if root == "sfml"
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_stand_inside_functions_only_where_start_up_needs_them(house: House) -> None:
    late = {
        name.removeprefix("sfml.").replace(".", "/")
        for name, tree in house.modules.items()
        if room_of(name) not in (*AT_THE_ROOT, "cli", "api", "testing", "snowflake")
        for function in statements(tree)
        if isinstance(function, ast.FunctionDef)
        for node in statements(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert late == LATE.keys(), "LATE says of each such module why"


def test_frozen_values_are_records(house: House) -> None:
    """All but those that have an order, or work something out after `__init__`."""
    wrong = [
        f"{name}: {node.name}"
        for name, tree in house.modules.items()
        for node in statements(tree)
        if isinstance(node, ast.ClassDef)
        and "dataclass(frozen=True, slots=True)" in map(ast.unparse, node.decorator_list)
        and not any(isinstance(one, ast.FunctionDef) and one.name == "__post_init__" for one in node.body)
    ]
    assert not wrong, "\n".join(wrong)
