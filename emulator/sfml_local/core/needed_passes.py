"""Which passes a statement needs: each walks through the whole tree, and most look for what is not in it.

`tests/local/test_needed_passes.py` holds that a pass changes no tree without the nodes that it looks for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlglot import Expr

from sfml_local.core.fast_trees import nodes_in
from sfml_local.core.rewriting import Pass, Rewriting

Function = TypeVar("Function", bound=Callable[..., Any])
_MARK = "looks_for"


def looks_for(*nodes: type[Expr]) -> Callable[[Function], Function]:
    """Says of a pass that it returns a tree without any of these nodes as it is, and does nothing else with it."""

    def marked(rewrite: Function) -> Function:
        setattr(rewrite, _MARK, frozenset(nodes))
        return rewrite

    return marked


def looked_for(rewrite: Pass) -> frozenset[type[Expr]] | None:
    """The nodes that a pass looks for; None if it has to see every statement."""
    return getattr(rewrite, _MARK, None)


def rewritten(tree: Expr, rewriting: Rewriting, passes: Iterable[Pass]) -> Expr:
    """The tree after the passes that it needs; it is looked through again after each that may have changed it."""
    kinds: frozenset[type] | None = None
    for rewrite in passes:
        if (nodes := looked_for(rewrite)) is not None:
            kinds = kinds_in(tree) if kinds is None else kinds
            if kinds.isdisjoint(nodes):
                continue
        tree = rewrite(tree, rewriting)
        kinds = None
    return tree


def kinds_in(tree: Expr) -> frozenset[type]:
    """The classes of a tree's nodes, with those that they inherit from."""
    return _with_bases(frozenset(map(type, nodes_in(tree))))


@functools.lru_cache(maxsize=2048)
def _with_bases(kinds: frozenset[type]) -> frozenset[type]:
    return frozenset(base for kind in kinds for base in kind.__mro__)
