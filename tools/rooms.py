"""Draws the rooms of a package and which of them import which, from the imports themselves.

python tools/rooms.py            # the picture of compiler/sfml, as Mermaid
python tools/rooms.py --local    # that of emulator/sfml_local
python tools/rooms.py --sizes    # how large the house is
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "compiler" / "sfml"
LOCAL = ROOT / "emulator" / "sfml_local"
SMALL = 40
"""Lines below which a module is counted as small."""


def parsed(package: Path = PACKAGE) -> dict[str, ast.Module]:
    """Every module below a room, by its path from the package."""
    return {
        str(path.relative_to(package)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
        if "template" not in path.parts
    }


def arrows(modules: Mapping[str, ast.Module], package: str = PACKAGE.name) -> dict[str, set[str]]:
    """Room → the other rooms that its modules import, for types too."""
    rooms: dict[str, set[str]] = {room: set() for path in modules if (room := room_of(path)) is not None}
    for path, tree in modules.items():
        if (room := room_of(path)) is not None:
            rooms[room] |= (set(_imported(tree, package)) & rooms.keys()) - {room}
    return rooms


def room_of(path: str) -> str | None:
    """The room of a module; a service is one of its own, and modules at the root stand in none."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] == "services":
        return parts[1] if len(parts) > 2 else None
    return parts[0] if len(parts) > 1 else None


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == package:
            for alias in node.names:
                parts = f"{node.module}.{alias.name}".split(".")[1:]
                yield parts[1] if parts[0] == "services" and len(parts) > 1 else parts[0]
        elif isinstance(node, ast.Import):
            names = (alias.name.split(".") for alias in node.names)
            yield from (name[1] for name in names if name[0] == package and len(name) > 1)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement, at any depth; no expression has one, and most nodes of a tree are expressions."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for node in getattr(tree, name, ()):
            yield node
            yield from _statements(node)


def reduced(rooms: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """The arrows that no way over other rooms stands for."""
    below: dict[str, set[str]] = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            below[room] = set().union(*({other} | reach(other) for other in rooms[room]))
        return below[room]

    return {
        room: sorted(others - set().union(*(reach(other) for other in others)))
        for room, others in sorted(rooms.items())
    }


def picture(package: Path = PACKAGE) -> str:
    """The rooms as a Mermaid flow chart; an arrow leads to the room that is imported."""
    found = reduced(arrows(parsed(package), package.name))
    lines = [f"    {room} --> {' & '.join(others)}" for room, others in found.items() if others]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def local_picture() -> str:
    """The same of the local Snowflake, each service a room."""
    return picture(LOCAL)


def sizes() -> str:
    """Modules, lines, parameters and imports inside functions, in five lines."""
    modules = parsed()
    lines = sorted(len((PACKAGE / path).read_text(encoding="utf-8").splitlines()) for path in modules)
    nodes = [node for tree in modules.values() for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    wide = sum(_parameters(one) > 6 for one in functions)
    inside = {
        id(node)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    return "\n".join(
        (
            f"modules: {len(lines)}, {sum(lines):,} lines, median {statistics.median(lines):g}, largest {lines[-1]}",
            f"modules under {SMALL} lines: {sum(0 < count < SMALL for count in lines)}",
            f"functions: {len(functions)}, median {statistics.median(_length(one) for one in functions):g} lines",
            f"functions with more than 6 parameters: {wide}",
            f"imports inside functions: {len(inside)}",
        )
    )


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = function.args
    return len([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs])


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


if __name__ == "__main__":
    print({"--sizes": sizes, "--local": local_picture}.get("".join(sys.argv[1:]), picture)())
