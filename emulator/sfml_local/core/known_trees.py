"""What is in the tree that was looked through last, which is known until a node is put into a tree or taken out of one.

Some thirty passes look for something in each statement, and few change it. sqlglot changes its trees by `set` and
`append` alone, and so do passes and fakesnow; `tests/local/test_needed_passes.py` holds that what is known is there.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from sqlglot import Expr

ATOMS = frozenset({str, int, bool, float, type(None)})
"""What is no node, and may be shared by copies."""


class Contents(NamedTuple):
    """The nodes of a tree by their depth, none of which may be changed."""

    tree: Expr
    mark: object
    nodes: list[Expr]
    ends: list[int]
    """Of each node: how many are in `nodes` up to the last one below it."""
    kinds: frozenset[type]
    """The classes of the nodes, with those that they inherit from."""


class _Latest:
    """The contents of one tree, of whichever thread looked last, and the mark of the last change of any tree."""

    __slots__ = ("contents", "mark")

    def __init__(self) -> None:
        self.mark = object()
        self.contents: Contents | None = None


_LATEST = _Latest()


def changed() -> None:
    """Forget what is known, for a tree is about to change; an object of its own is no other thread's mark."""
    _LATEST.mark = object()


def is_changed(contents: Contents) -> bool:
    """Whether a tree may have changed since it was looked through."""
    return contents.mark is not _LATEST.mark


def known(tree: Expr) -> Contents | None:
    """What is in a tree, if it was looked through last and no tree has changed since."""
    latest = _LATEST.contents
    if latest is None or latest.tree is not tree or latest.mark is not _LATEST.mark:
        return None
    return latest


def contents(tree: Expr) -> Contents:
    """What is in a tree, which is looked through unless that is known."""
    return known(tree) or _looked_through(tree)


def forget() -> None:
    """Keep no tree longer than its statement takes."""
    _LATEST.contents = None


def _looked_through(tree: Expr) -> Contents:
    mark, nodes, ends = _LATEST.mark, [tree], []
    for node in nodes:
        for value in node.args.values():
            kind = type(value)
            if kind is list:
                for one in value:
                    if isinstance(one, Expr):
                        nodes.append(one)
            elif kind not in ATOMS and isinstance(value, Expr):
                nodes.append(value)
        ends.append(len(nodes))
    found = Contents(tree, mark, nodes, ends, _with_bases(frozenset(map(type, nodes))))
    _LATEST.contents = found
    return found


@functools.lru_cache(maxsize=2048)
def _with_bases(kinds: frozenset[type]) -> frozenset[type]:
    return frozenset(base for kind in kinds for base in kind.__mro__)
