"""The plan of the local Snowflake: what it imports of the compiler, what the compiler imports of it, and no circles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from modules_of import House, statements

ROOT = Path(__file__).parents[2]

OF_SFML = "sfml.semantics."
"""What it imports of `sfml`: Snowflake's rules."""

FOR_SFML = "sfml_local.control"
"""What `sfml` imports of it; `sfml.testing` runs a server within its process, and may import more."""

PROGRAMS = (
    "function_worker",
    "predictor",
    "warm_parent",
    "worker",
    "supervisor",
    "as_main",
    "ray_node",
    "ray_start",
    "ray_agent",
)
"""Modules of `processes/` that are whole programs: what they keep is their own."""

OF_JOBS = "job_runtime"
"""The room whose modules run in users' processes, under the names of Snowflake's: what they keep is theirs."""

OF_THE_PROCESS = {
    "sfml_local.core.deep": "Python's recursion limit is the process's, and so are the threads with stack for it",
    "sfml_local.core.known_trees": "sqlglot's trees belong to no account, and a change of one tells nobody whose it is",
}
"""Modules that keep something all the same, and why."""

KEEPERS = frozenset(
    {
        *("Lock", "RLock", "Condition", "Event", "Semaphore", "SimpleQueue", "Queue", "deque"),
        *("WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "count"),
    }
)
CONTAINERS = frozenset({"dict", "list", "set", "OrderedDict", "defaultdict", "Counter"})
"""What is made to be changed; of containers those that begin with nothing."""

CONNECTIONS = frozenset({"duck", "duck_conn", "connection"})
"""Attributes of sessions and of the engine that are connections to DuckDB."""

PARTS = {"SCHEMA": "store", "HANDLERS": "sql", "READ_ONLY": "sql", "OPERATIONS": "rest"}
"""What the module of each part of a service offers."""

ROWS = frozenset({"execute", "executemany", "row", "rows", "value"})
"""Methods of the account's SQLite file."""

PAGE = ROOT / "docs" / "local-architecture.md"


def rooms_of_page() -> list[str]:
    """The rooms in the order of the page's table: `core`, `services.tasks`, `registry`."""
    table = PAGE.read_text(encoding="utf-8").partition("| room, below")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(.*?)` \|", table, re.M)
    return [row.rstrip("/").removesuffix(".py").replace("/", ".") for row in rows]


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
    compiler = House.of(ROOT / "compiler" / "sfml", without="template", naming="sfml_local")
    wrong = [
        f"{name} imports {other}"
        for name, tree in compiler.modules.items()
        if not name.startswith("sfml.testing.")
        for other in _imported(tree)
        if other.split(".")[0] == "sfml_local" and not other.startswith(FOR_SFML)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_alone_touches_duckdb(emulator: House) -> None:
    """Services hand over statements, and get rows."""
    wrong = [
        f"{name} imports {other}"
        for name, tree in emulator.modules.items()
        if _room(name) != "core"
        for other in _imported(tree)
        if other.startswith(("duckdb.", "fakesnow.", "sfml_local.core.fakesnow_port"))
        or other in ("duckdb", "fakesnow")
    ]
    wrong += [
        f"{name}:{node.lineno} has .{node.attr}"
        for name, nodes in emulator.nodes.items()
        if _room(name) != "core"
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in CONNECTIONS
    ]
    assert not wrong, "\n".join(wrong)


def test_a_part_of_a_service_has_the_same_name_in_each(emulator: House) -> None:
    """`service` its class, `sql` its statements, `rest` its operations, `store` or `…_store` its tables."""
    services = {name: tree for name, tree in emulator.modules.items() if name.count(".") == 3}
    wrong = [
        f"{name} has {target}, which is a thing of `{PARTS[target]}`"
        for name, tree in services.items()
        for target in _assigned(tree)
        if target in PARTS and not _is_part(name, PARTS[target])
    ]
    wrong += [
        f"{name}:{node.lineno} is about rows, which `store` reads and writes"
        for name in services
        if name.startswith("sfml_local.services.") and not _is_part(name, "store")
        for node in emulator.nodes[name]
        if _is_about_rows(node)
    ]
    assert not wrong, "\n".join(wrong)


def test_each_service_has_one_class(emulator: House) -> None:
    classes = [
        (name, node.name)
        for name, tree in emulator.modules.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        if any(isinstance(base, ast.Name) and base.id == "Service" for base in node.bases)
    ]
    rooms = [room for room in rooms_of_page() if room.startswith("services.")]
    assert sorted(name for name, _ in classes) == sorted(f"sfml_local.{room}.service" for room in rooms)
    registry = emulator.modules["sfml_local.registry"]
    listed = {node.id for node in ast.walk(registry) if isinstance(node, ast.Name)}
    assert {name for _, name in classes} <= listed


def _assigned(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives to its own values."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _is_part(name: str, part: str) -> bool:
    last = name.rsplit(".", 1)[1]
    return last == part or (part == "store" and last.endswith("_store"))


def _is_about_rows(node: ast.AST) -> bool:
    """Whether this is a call of the account's SQLite file, or of a transaction on it; one may be opened anywhere."""
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr not in ROWS
    ):
        return False
    owner = node.func.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name in ("store", "connection")


def _imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports anywhere, for types too, by its full name."""
    for node in statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_modules_import_each_other_in_a_circle(emulator: House) -> None:
    assert sorted(emulator.in_circles()) == []


def test_a_room_imports_only_rooms_before_it(emulator: House) -> None:
    ranks = {room: rank for rank, room in enumerate(rooms_of_page())}
    assert ranks.keys() == {_room(name) for name in emulator.modules} - {"", "services"}
    wrong = [
        f"{name} imports {other}"
        for name, others in emulator.arrows.items()
        for other in others
        if _room(name) and _room(other) and ranks[_room(other)] > ranks[_room(name)]
    ]
    assert not wrong, "\n".join(sorted(wrong))


def _room(name: str) -> str:
    parts = name.split(".")[1:]
    return ".".join(parts[:2]) if parts[:1] == ["services"] and len(parts) > 1 else "".join(parts[:1])


def test_faces_of_packages_are_empty(emulator: House) -> None:
    """Importing a module runs the faces of its packages first: those with imports would close circles."""
    package = ROOT / "emulator" / "sfml_local"
    faces = [path for path in package.rglob("__init__.py") if path.relative_to(package).parts[0] != OF_JOBS]
    assert [path for path in faces if len(ast.parse(path.read_text(encoding="utf-8")).body) > 1] == []


def test_nothing_is_kept_in_modules(emulator: House) -> None:
    """What is kept belongs to an account, a session or a statement."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in emulator.modules.items()
        if name not in OF_THE_PROCESS and not _is_program(name)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_kept(node.value)
    ]
    wrong += [
        f"{name}:{node.lineno}"
        for name, tree in emulator.modules.items()
        if name not in OF_THE_PROCESS and not _is_program(name)
        for node in statements(tree)
        if isinstance(node, ast.Global)
    ]
    assert not wrong, "\n".join(wrong)


def _is_program(name: str) -> bool:
    """Whether a module runs in a process of its own, so that what it keeps is that process's."""
    return _room(name) == OF_JOBS or (_room(name) == "processes" and name.rsplit(".", 1)[1] in PROGRAMS)


def _is_kept(value: ast.expr) -> bool:
    """Whether a value is empty and can be filled, or holds what is made to be changed."""
    if isinstance(value, ast.Dict | ast.List | ast.Set):
        return not (value.keys if isinstance(value, ast.Dict) else value.elts)
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    names = [
        (one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", ""))
        for one in calls
    ]
    return any(
        name in KEEPERS or (name in CONTAINERS and not call.args)
        for name, call in zip(names, calls, strict=True)
    )
