"""Which passes a statement needs: each walks through the whole tree, and most look for what is not in it.

`tests/local/test_needed_passes.py` holds that a pass changes no tree without the nodes that it looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sqlglot import Expr

from sfml_local.core.known_trees import contents
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
    """The tree after the passes that it needs; it is looked through again after each that has changed it."""
    kinds = kinds_in(tree)
    for rewrite in passes:
        nodes = looked_for(rewrite)
        if nodes is None or not kinds.isdisjoint(nodes):
            tree = rewrite(tree, rewriting)
            kinds = kinds_in(tree)
    return tree


def kinds_in(tree: Expr) -> frozenset[type]:
    """The classes of a tree's nodes, with those that they inherit from."""
    return contents(tree).kinds
