"""sqlglot's copies of trees and walks through them, with the same results in less than half the time.

A statement is copied by nearly everything that writes it or works with a part of it, and copies were a sixth of what
a statement takes. sqlglot's own copy asks the `copy` module for each dictionary and list; its walks have three
generators for each node. `tests/foreign/test_foreign_trees.py` compares both.

The look at what is below a node stands in `below`, and again in the functions that go through whole trees most
often: there a call and a list for each node would take as long as the look itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core import known_trees
from sfml_local.core.known_trees import ATOMS as _ATOMS
from sfml_local.core.known_trees import Contents

Prune = Callable[[Expr], bool]


def copied(tree: Expr) -> Expr:
    """A copy of a tree, which is below nothing."""
    root: Expr = _new(tree.__class__)
    root.parent = root.arg_key = root.index = None
    left = [(tree, root)]
    while left:
        node, made = left.pop()
        _fill(node, made)
        args = made.args
        for key, value in args.items():
            kind = type(value)
            if kind is list:
                args[key] = values = value.copy()
                for index, part in enumerate(value):
                    if isinstance(part, Expr):
                        values[index] = one = _new(part.__class__)
                        one.parent, one.arg_key, one.index = made, key, index
                        left.append((part, one))
            elif kind not in _ATOMS and isinstance(value, Expr):
                args[key] = one = _new(kind)
                one.parent, one.arg_key, one.index = made, key, None
                left.append((value, one))
    return root


_new: Any = object.__new__
"""A node without anything; its constructor would look through its arguments."""


def _fill(node: Expr, made: Expr) -> None:
    """What a node has beside its place and the nodes below it."""
    made.args = node.args.copy()
    made._hash = None
    made.comments = None if node.comments is None else node.comments.copy()
    made._type = None if node._type is None else _noted(node._type)
    if (notes := node._meta) is None:
        made._meta = None
        return
    made._meta = notes = notes.copy()
    for key, value in notes.items():
        if type(value) not in _ATOMS:
            notes[key] = _noted(value)


def _noted(value: Any) -> Any:
    return copied(value) if isinstance(value, Expr) else deepcopy(value)


def nodes_in(tree: Expr) -> list[Expr]:
    """All nodes, each before those below it; nobody may change the list."""
    if (known := known_trees.known(tree)) is not None:
        return known.nodes
    found = [tree]
    for node in found:
        for value in node.args.values():
            kind = type(value)
            if kind is list:
                for one in value:
                    if isinstance(one, Expr):
                        found.append(one)
            elif kind not in _ATOMS and isinstance(value, Expr):
                found.append(value)
    return found


def _by_level(tree: Expr, prune: Prune | None = None) -> Iterator[Expr]:
    """The nodes of a tree by their depth; what is below a node is looked at when the next one is asked for."""
    queue = [tree]
    for node in queue:
        yield node
        if prune is None or not prune(node):
            queue.extend(below(node))


def _depth_first(tree: Expr, prune: Prune | None = None) -> Iterator[Expr]:
    """The nodes of a tree, each before those below it; what is below is looked at when the next one is asked for."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        if prune is None or not prune(node):
            stack.extend(reversed(below(node)))


def below(node: Expr) -> list[Expr]:
    """The nodes just below one."""
    found = []
    for value in node.args.values():
        kind = type(value)
        if kind is list:
            for one in value:
                if isinstance(one, Expr):
                    found.append(one)
        elif kind not in _ATOMS and isinstance(value, Expr):
            found.append(value)
    return found


def _walk(tree: Expr, bfs: bool = True, prune: Prune | None = None) -> Iterator[Expr]:
    return _by_level(tree, prune) if bfs else _depth_first(tree, prune)


def _find_all(tree: Expr, *kinds: type[Expr], bfs: bool = True) -> Iterator[Expr]:
    if not bfs:
        yield from (node for node in _depth_first(tree) if isinstance(node, kinds))
        return
    if (known := known_trees.known(tree)) is not None:
        yield from _find_known(known, kinds)
        return
    yield from _find_on([tree], 0, kinds)


def _find_known(known: Contents, kinds: tuple[type[Expr], ...]) -> Iterator[Expr]:
    """The nodes of these kinds; from where the tree is changed meanwhile, they are looked for."""
    for at, node in enumerate(known.nodes):
        if isinstance(node, kinds):
            yield node
            if known_trees.is_changed(known):
                met = known.nodes[: known.ends[at - 1] if at else 1]
                yield from _find_on([*met, *below(node)], at + 1, kinds)
                return


def _find_on(queue: list[Expr], start: int, kinds: tuple[type[Expr], ...]) -> Iterator[Expr]:
    """The nodes of these kinds from one in a queue on; what is below a node is added when the next one is asked for."""
    for node in islice(queue, start, None):
        if isinstance(node, kinds):
            yield node
        for value in node.args.values():
            kind = type(value)
            if kind is list:
                for one in value:
                    if isinstance(one, Expr):
                        queue.append(one)
            elif kind not in _ATOMS and isinstance(value, Expr):
                queue.append(value)


def _followed(change: Callable[..., None]) -> Callable[..., None]:
    """A change of a node's arguments, after which no tree is known."""

    def followed(node: Expr, *arguments: Any, **options: Any) -> None:
        known_trees.changed()
        change(node, *arguments, **options)

    return followed


def install() -> None:
    """Let sqlglot's trees be copied, walked through and changed like this, whoever asks them to be."""
    ours: dict[str, Callable[..., Any]] = {
        "append": _followed(exp.Expression.append),
        "bfs": _by_level,
        "copy": copied,
        "dfs": _depth_first,
        "find_all": _find_all,
        "set": _followed(exp.Expression.set),
        "walk": _walk,
    }
    for name, operation in ours.items():
        setattr(exp.Expression, name, operation)
