"""The names that a module defines, read from its text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from sfml.catalog.imports import absolute
from sfml.catalog.modules import Module
from sfml.catalog.surroundings import is_type_checking, nodes_of

FindModule = Callable[[str], Module | None]

_EVERY_MODULE = frozenset(
    (
        *("__name__", "__doc__", "__file__", "__path__", "__package__", "__spec__", "__loader__"),
        *("__builtins__", "__annotations__", "__dict__", "__cached__"),
    )
)
_WRITERS = frozenset({"globals", "vars", "locals", "exec", "eval", "setattr", "__dict__", "modules"})
"""Names by which code can define names that do not stand in the text."""
_MAX_HOPS = 10
_BINDING = frozenset(
    (
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign),
        *(ast.Import, ast.ImportFrom),
    )
)
_HOLDING = frozenset(
    (
        *(ast.If, ast.Try, ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.While, ast.Match),
        *(ast.match_case, ast.ExceptHandler, getattr(ast, "TryStar", ast.Try)),
    )
)


def defined_names(module: Module, find: FindModule, hops: int = 0) -> frozenset[str] | None:
    """The top-level names of the module; None when the text does not show all of them."""
    own = _own_names(module)
    if own is None or hops > _MAX_HOPS:
        return None
    names, stars = own
    for star in stars:
        source = find(star)
        more = defined_names(source, find, hops + 1) if source is not None else None
        if more is None:
            return None
        names |= more
    return names | _EVERY_MODULE


@lru_cache(maxsize=256)
def _own_names(module: Module) -> tuple[frozenset[str], tuple[str, ...]] | None:
    if module.tree is None:
        return None
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    names: set[str] = set()
    stars: list[str] = []
    for node, around in nodes_of(module.tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _WRITERS:
                return None
            case ast.Global(names=more):
                names.update(more)
        if around.owner:
            continue
        match node:
            case ast.FunctionDef(name="__getattr__"):
                return None
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases):
                names.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case ast.ImportFrom(names=aliases, level=level, module=source):
                if any(alias.name == "*" for alias in aliases):
                    stars.append(absolute(source, level, package) or "")
                names.update(alias.asname or alias.name for alias in aliases)
            case _:
                names.update(_bound(node))
    return frozenset(names), tuple(stars)


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.ExceptHandler(name=str() as name):
            yield name
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            yield name
        case ast.MatchMapping(rest=str() as name):
            yield name


@lru_cache(maxsize=256)
def bindings_of(module: Module) -> Mapping[str, tuple[ast.stmt, ...]]:
    """Top-level name → the statements that bind it, in order; those under conditions are included."""
    bindings: dict[str, list[ast.stmt]] = {}
    for statement in _top_statements(module):
        for name in _names_of(statement):
            bindings.setdefault(name, []).append(statement)
    return {name: tuple(statements) for name, statements in bindings.items()}


@lru_cache(maxsize=256)
def stars_of(module: Module) -> tuple[str, ...]:
    """The modules that the module imports with `*`, the last one first."""
    return tuple(
        import_.module
        for import_ in reversed(module.imports)
        if any(name == "*" for name, _ in import_.names)
    )


def _top_statements(module: Module) -> Iterator[ast.stmt]:
    todo: list[ast.AST] = [*reversed(module.tree.body)] if module.tree is not None else []
    while todo:
        node = todo.pop()
        kind = type(node)
        if kind in _BINDING and isinstance(node, ast.stmt):
            yield node
        elif kind in _HOLDING:
            if isinstance(node, ast.If) and is_type_checking(node.test):
                todo.extend(reversed(node.orelse))
                continue
            for block in ("finalbody", "orelse", "handlers", "cases", "body"):
                todo.extend(reversed(getattr(node, block, ())))


def _names_of(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case _:
            pass
