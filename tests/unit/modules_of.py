"""The modules of a package with what each imports, for tests of the plan of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from source_trees import every_node, parsed, without_searches


@dataclass(frozen=True)
class House:
    """Every module by its dotted name, parsed once."""

    modules: Mapping[str, ast.Module]

    @classmethod
    def of(cls, package: Path, *, without: str = "", naming: str = "") -> House:
        """The house that a package is, without what lies in folders of a name; of modules whose text has `naming`."""
        paths = (path for path in sorted(package.rglob("*.py")) if without not in path.parts)
        named = (path for path in paths if not naming or naming in path.read_text(encoding="utf-8"))
        return cls({_module(path, package): tree for path, tree in parsed(named).items()})

    @cached_property
    def nodes(self) -> Mapping[str, tuple[ast.AST, ...]]:
        """Module → every node of its tree, walked once for all tests."""
        with without_searches():
            return {name: tuple(every_node(tree)) for name, tree in self.modules.items()}

    @cached_property
    def arrows(self) -> Mapping[str, frozenset[str]]:
        """Module → the modules of the package that it imports anywhere, for types too."""
        return {name: frozenset(self._imported(tree)) - {name} for name, tree in self.modules.items()}

    def in_circles(self) -> frozenset[str]:
        """The modules from which a way of imports leads back to them."""
        return frozenset(name for name in self.modules if name in self._reached(name))

    def _reached(self, name: str) -> set[str]:
        found: set[str] = set()
        waiting = [*self.arrows[name]]
        while waiting:
            if (other := waiting.pop()) not in found:
                found.add(other)
                waiting += self.arrows[other]
        return found

    def _imported(self, tree: ast.Module) -> Iterator[str]:
        for node in statements(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.modules)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    found = inner if inner in self.modules else node.module
                    yield from (one for one in (found,) if one in self.modules)


def _module(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below a node, in functions and branches too; their expressions are nine tenths of a tree."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            below = getattr(node, part, ())
            waiting += below if isinstance(below, list) else ()
        if node is not tree and isinstance(node, ast.stmt):
            yield node


def roots(tree: ast.Module) -> Iterator[str]:
    """The packages that a module imports from."""
    for node in statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
