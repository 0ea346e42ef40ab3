"""Every private name of a foreign library that the code reads is named by a test of this folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from source_trees import every_node, parsed, without_searches

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in (ROOT / "compiler" / "sfml", ROOT / "emulator", ROOT / "steps" / "sfml_steps")
    for path in folder.rglob("*.py")
)
PORT = ROOT / "emulator" / "sfml_local" / "core" / "fakesnow_port.py"
_PRIVATE = re.compile(r"_[A-Za-z]\w*")
_PRIVATE_PART = re.compile(r"[a-z]\w*(?:\.\w+)*\._[a-z]\w*(?:\.\w+)*")
_OF_FAKESNOW = re.compile(r"\b_fs_\w+", re.IGNORECASE)

LIBRARIES = ("snowflake.", "fakesnow.", "duckdb.", "sqlglot.")

PUBLIC = frozenset({"_exit", "_getframe", "_asdict", "_fields", "_replace", "_make"})
"""Documented names that begin with an underscore: os._exit, sys._getframe and those of named tuples."""
OURS = frozenset({"_sf_vectorized_input", "_sf_max_batch_size"})
"""Marks that Snowflake's documentation gives to handlers of vectorised functions."""


LOOKED_AT: dict[type[ast.AST], Callable[[Any], bool]] = {
    ast.Attribute: lambda node: node.attr.startswith("_"),
    ast.Name: lambda node: node.id.startswith("_"),
    ast.Call: lambda node: type(node.func) is ast.Name and node.func.id.endswith("attr"),
    ast.Constant: lambda node: type(node.value) is str and "_" in node.value,
    **dict.fromkeys(
        (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), lambda node: node.name.startswith("_")
    ),
    **dict.fromkeys((ast.ImportFrom, ast.Import), lambda _: True),
}
"""Which nodes can have to do with a private name; nine tenths of a tree have not."""


def nodes_of(tree: ast.Module) -> list[ast.AST]:
    return [node for node in every_node(tree) if (is_near := LOOKED_AT.get(type(node))) and is_near(node)]


def own_names(modules: Iterable[list[ast.AST]]) -> set[str]:
    """The private names of what the code itself defines: functions, classes, variables, and attributes of `self`."""
    names: set[str] = set()
    for node in chain.from_iterable(modules):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                names.add(node.attr)
    return names


def private_names(nodes: list[ast.AST], own: set[str]) -> Iterator[tuple[int, str]]:
    """(line, name) of what is read of others: attributes, imports, getattr, and modules named in a text."""
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute() if _PRIVATE.fullmatch(node.attr) and node.attr not in own:
                yield node.lineno, node.attr
            case ast.ImportFrom(module=str(module)) if not module.startswith("sfml"):
                yield from ((node.lineno, part) for part in _dotted([module, *(a.name for a in node.names)]))
            case ast.Import():
                yield from ((node.lineno, part) for part in _dotted([a.name for a in node.names]))
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                if _PRIVATE.fullmatch(name) and name not in own:
                    yield node.lineno, name
            case ast.Constant(value=str(text)):
                if _PRIVATE_PART.fullmatch(text) and text.startswith(
                    ("snowflake.", "fakesnow.", "duckdb.", "sqlglot.")
                ):
                    yield from ((node.lineno, part) for part in _dotted([text]))
                yield from ((node.lineno, name) for name in _OF_FAKESNOW.findall(text))


def _dotted(names: list[str]) -> list[str]:
    return [part for name in names for part in name.split(".") if _PRIVATE.fullmatch(part)]


def unnamed(sources: list[Path], tests: str) -> list[str]:
    with without_searches():
        modules = {path: nodes_of(tree) for path, tree in parsed(sources).items()}
    own = own_names(modules.values())
    named = set(re.findall(r"\w+", tests.lower()))
    return [
        f"{path.name}:{line}: {name}"
        for path, nodes in modules.items()
        for line, name in private_names(nodes, set() if path == PORT else own)
        if name not in PUBLIC | OURS and name.lower() not in named
    ]


def text_of_tests() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_foreign_*.py"))
    )


def test_every_private_name_of_others_is_held_by_a_test() -> None:
    assert not unnamed(SOURCES, text_of_tests()), "name it in tests/foreign/, with the rule that rests on it"


def test_fakesnows_private_names_are_read_in_one_place() -> None:
    names = re.compile(r"\._(?:duck_conn|transform_explode|arrow_table|autocommit)\b")
    read = [path.name for path in SOURCES if path != PORT and names.search(path.read_text(encoding="utf-8"))]
    assert not read, "go through fakesnow_port"


def test_a_new_private_name_would_be_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "import snowflake.core._http\n"
        "from snowflake.snowpark._internal import analyzer\n"
        "client._generated_client\n"
        "getattr(session, '_secret', None)\n"
        "NAME = 'snowflake.ml._telemetry'\n"
        "SQL = 'SELECT * FROM _fs_global._fs_new'\n"
        "class Own:\n    def _own(self): self._mine = 1\n"
        "own._own(), own._mine, self._mine\n"
    )
    assert unnamed([module], "test_foreign: _fs_global") == [
        "module.py:1: _http",
        "module.py:2: _internal",
        "module.py:3: _generated_client",
        "module.py:4: _secret",
        "module.py:5: _telemetry",
        "module.py:6: _fs_new",
    ]
