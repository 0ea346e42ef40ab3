"""What the code of a parsed module does: the modules that it loads, the files that it reads, the functions it may run.

The results are cached.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from sfml.catalog.loads import BY_NAME, Load, ModuleUse, loads_of, module_uses_of
from sfml.catalog.modules import Module
from sfml.catalog.reads import READS, Read, reads_of
from sfml.catalog.surroundings import nodes_of

MAX_LOADS = 1_000
"""The most places of one module that are examined."""


@lru_cache(maxsize=1_000)
def loads(module: Module, as_main: bool = False) -> tuple[Load, ...]:
    """The places of the module that load another module."""
    if module.tree is None:
        return ()
    by_name = BY_NAME.search(module.content) is not None
    every = loads_of(module.tree, module.name, module.is_package, by_name=by_name, as_main=as_main)
    return tuple(islice(every, MAX_LOADS))


@lru_cache(maxsize=1_000)
def module_uses(module: Module) -> tuple[ModuleUse, ...]:
    """The attributes of imported modules that the module uses."""
    if module.tree is None:
        return ()
    return tuple(islice(module_uses_of(module.tree, module.name, module.is_package), MAX_LOADS))


@lru_cache(maxsize=1_000)
def reads(module: Module) -> tuple[Read, ...]:
    """The places of the module that name a file beside step code."""
    if module.tree is None or not READS.search(module.content):
        return ()
    return reads_of(module.tree, module.name, module.is_package)


class ReachableCode:
    """The top-level functions and classes of some modules that may run when the function `start` is called.

    A function counts as running if code that runs uses its name, in any of the modules. So a function is missed only
    where its name is composed from texts.
    """

    def __init__(self, modules: Iterable[Module], start: str | None, as_main: bool = False) -> None:
        self._owned: dict[str, set[str]] = {}
        for module in modules:
            for owner, names in _used_names(module, as_main):
                self._owned.setdefault(owner, set()).update(names)
        self._owners = {""}
        todo = {*self._owned.get("", ()), *([start] if start else ())}
        while todo:
            name = todo.pop()
            if name not in self._owners and name in self._owned:
                self._owners.add(name)
                todo |= self._owned[name] - self._owners

    def __contains__(self, owner: str) -> bool:
        return owner in self._owners


@lru_cache(maxsize=1_000)
def _used_names(module: Module, as_main: bool) -> tuple[tuple[str, frozenset[str]], ...]:
    used: dict[str, set[str]] = {}
    if module.tree is not None:
        for node, around in nodes_of(module.tree, as_main=as_main):
            names = used.setdefault(around.owner, set())
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name):
                    names.add(name)
                case ast.ImportFrom(names=aliases):
                    names.update(alias.name for alias in aliases)
    return tuple((owner, frozenset(names)) for owner, names in used.items())


__all__ = ["Load", "ModuleUse", "ReachableCode", "Read", "loads", "module_uses", "reads"]
