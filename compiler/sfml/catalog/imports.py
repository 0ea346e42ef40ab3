"""The import statements of a module, with absolute names; imports for type checkers only are left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sfml.base.record import record
from sfml.catalog.surroundings import LEADING_TO_IMPORTS, is_type_checking

_BLOCKS = ("finalbody", "orelse", "handlers", "cases", "body")
"""The fields in which statements hold statements, the last one first, as a stack needs them."""


@record
class Import:
    """`import a.b` (names empty) or `from a.b import c, d`."""

    module: str
    names: tuple[tuple[str, str], ...] = ()
    """(imported name, name it is bound to)."""


def imports_of(tree: ast.Module, module: str, is_package: bool) -> tuple[Import, ...]:
    """Every import statement of the module, inside functions too, without duplicates."""
    return tuple(dict.fromkeys(_imports(tree.body, module if is_package else module.rpartition(".")[0])))


def _imports(body: list[ast.stmt], package: str) -> Iterator[Import]:
    todo: list[ast.AST] = [node for node in reversed(body) if type(node) in LEADING_TO_IMPORTS]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and is_type_checking(node.test):
            todo.extend(reversed(node.orelse))
            continue
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(alias.name)
            case ast.ImportFrom(module=name, names=names, level=level):
                source = absolute(name, level, package)
                if source is not None:
                    yield Import(source, tuple((alias.name, alias.asname or alias.name) for alias in names))
        for block in _BLOCKS:
            inner = getattr(node, block, ())
            todo.extend(child for child in reversed(inner) if type(child) in LEADING_TO_IMPORTS)


def absolute(name: str | None, level: int, package: str) -> str | None:
    """The absolute name of a module that an import in `package` names; None if it leads above the top package.

    `level` is the number of leading dots.
    """
    if level == 0:
        return name
    parts = package.split(".") if package else []
    if level > len(parts):
        return None
    base = parts[: len(parts) - (level - 1)]
    return ".".join((*base, name) if name else base)
