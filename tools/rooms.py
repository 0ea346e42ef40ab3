"""Draws the rooms of compiler/sfml and which of them import which, from the imports themselves.

python tools/rooms.py            # the picture, as Mermaid
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
SMALL = 40
"""Lines below which a module is counted as small."""


def parsed() -> dict[str, ast.Module]:
    """Every module below a room, by its path from the package."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "template" not in path.parts
    }


def arrows(modules: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Room → the other rooms that its modules import, for types too."""
    rooms: dict[str, set[str]] = {path.partition("/")[0]: set() for path in modules if "/" in path}
    for path, tree in modules.items():
        room = path.partition("/")[0]
        if room in rooms:
            rooms[room] |= (set(_imported(tree)) & rooms.keys()) - {room}
    return rooms


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sfml."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.module == "sfml":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("sfml."))


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


def picture() -> str:
    """The rooms as a Mermaid flow chart; an arrow leads to the room that is imported."""
    found = reduced(arrows(parsed()))
    lines = [f"    {room} --> {' & '.join(others)}" for room, others in found.items() if others]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


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
    print(sizes() if sys.argv[1:] == ["--sizes"] else picture())
