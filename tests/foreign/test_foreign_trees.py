"""The copies and walks of `fast_trees` are those of sqlglot, whose own `iter_expressions` and `deepcopy` stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from sqlglot import Expr, exp, parse_one

from sfml_local.core import fakesnow_port, fast_trees, known_trees

STATEMENTS = (
    "SELECT 1",
    "SELECT a, COUNT(*), 'x' AS b FROM t JOIN u USING (i) WHERE c IN (SELECT d FROM v) GROUP BY a ORDER BY 2 DESC",
    "/* before */ SELECT a, -- after a\n b::NUMBER(10, 2) FROM t /* last */ QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1",
    "WITH q AS (SELECT v:x.y[0]::VARCHAR AS z FROM t) SELECT * EXCLUDE (z) FROM q UNION ALL SELECT 2",
    "CREATE OR REPLACE TABLE t (a INT NOT NULL, b VARCHAR(10) COMMENT 'c') COMMENT = 'd'",
    "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = 1 WHEN NOT MATCHED THEN INSERT VALUES (1, 2)",
    "INSERT INTO t VALUES (1, 'x', NULL, TRUE), (2, ?, 3.5, FALSE)",
    "ALTER TABLE t ADD COLUMN a INT, b VARCHAR",
)


@pytest.fixture(params=STATEMENTS)
def tree(request: pytest.FixtureRequest) -> Expr:
    return parse_one(request.param, dialect="snowflake")


def seen(tree: Expr) -> list[Any]:
    """Everything that nodes have, each with its place."""
    return [
        (
            *(type(node), node.arg_key, node.index, list(node.comments or ()), dict(node.meta), node.type),
            [(key, value) for key, value in node.args.items() if not isinstance(value, Expr | list)],
            list(node.args),
            node.parent is None or any(one is node for one in node.parent.iter_expressions()),
        )
        for node in list(by_level(tree))
    ]


def by_level(tree: Expr) -> Iterator[Expr]:
    nodes = [tree]
    for node in nodes:
        yield node
        nodes.extend(node.iter_expressions())


def depth_first(tree: Expr) -> Iterator[Expr]:
    yield tree
    for node in tree.iter_expressions():
        yield from depth_first(node)


def test_everybody_copies_and_walks_like_this() -> None:
    assert fakesnow_port.fast_trees is fast_trees
    assert exp.Select.copy is fast_trees.copied
    assert "fast_trees" in exp.Select.find_all.__module__


def test_a_node_has_nothing_that_is_not_copied() -> None:
    copied = {"args", "comments", "_meta", "_type"}
    assert set(exp.Expression.__slots__) == copied | {"parent", "arg_key", "index", "_hash"}


def test_a_copy_is_what_sqlglot_copies(tree: Expr) -> None:
    assert seen(tree.copy()) == seen(deepcopy(tree)) == seen(tree)


def test_a_copy_shares_nothing(tree: Expr) -> None:
    before, made = seen(tree), tree.copy()
    assert not {id(node) for node in by_level(tree)} & {id(node) for node in by_level(made)}
    for node in list(by_level(made)):
        node.add_comments(["another"])
        node.meta["another"] = 1
        node.args["another"] = 1
        for value in node.args.values():
            if isinstance(value, list):
                value.clear()
    assert seen(tree) == before


def test_a_copy_of_a_part_is_below_nothing(tree: Expr) -> None:
    for node in by_level(tree):
        made = node.copy()
        assert (made.parent, made.arg_key, made.index) == (None, None, None)
        assert made == node and hash(made) == hash(node)


def test_trees_in_notes_and_types_are_copied_too() -> None:
    node = exp.column("a")
    node.type = exp.DataType.build("INT")
    node.meta.update(example=exp.column("b"), names=["c"], written="A")
    made = node.copy()
    assert made.meta == node.meta and made.type == node.type
    assert made.type is not node.type
    assert all(made.meta[key] is not node.meta[key] for key in ("example", "names"))


def test_walks_come_by_everything_in_the_order_of_sqlglot(tree: Expr) -> None:
    levels, depths = list(by_level(tree)), list(depth_first(tree))
    walks: list[tuple[Iterator[Expr] | list[Expr], list[Expr]]] = [
        (tree.bfs(), levels),
        (tree.walk(), levels),
        (fast_trees.nodes_in(tree), levels),
        (tree.dfs(), depths),
        (tree.walk(bfs=False), depths),
    ]
    for walk, nodes in walks:
        assert [id(node) for node in walk] == [id(node) for node in nodes]
    kinds = (exp.Column, exp.Literal, exp.Identifier)
    for bfs, nodes in ((True, levels), (False, depths)):
        found = tree.find_all(*kinds, bfs=bfs)
        assert [id(node) for node in found] == [id(node) for node in nodes if isinstance(node, kinds)]


@pytest.mark.parametrize("walk", [exp.Expression.bfs, exp.Expression.dfs])
def test_a_walk_goes_into_what_has_been_put_in_meanwhile_and_not_below_what_is_pruned(
    walk: Callable[..., Iterator[Expr]],
) -> None:
    tree = parse_one("SELECT a + 1 FROM t", dialect="snowflake")
    kinds = set()
    for node in walk(tree, prune=lambda node: isinstance(node, exp.From)):
        kinds.add(type(node))
        if isinstance(node, exp.Add):
            node.set("expression", exp.Neg(this=exp.Var(this="x")))
    assert {exp.Neg, exp.Var, exp.From} <= kinds
    assert not {exp.Table, exp.Literal} & kinds


# -- what is known of a tree


def met_while_changing(tree: Expr, nodes: Iterator[Expr]) -> list[str]:
    """The nodes that a search comes by while one is replaced, others are put in below those to come, or taken out."""
    met = []
    for node in nodes:
        met.append(repr(node))
        match node.name if isinstance(node, exp.Column) else None:
            case "a":
                tree.args["where"].this.set("expression", exp.func("f", exp.column("x"), exp.column("y")))
                node.replace(exp.func("g", exp.column("z")))
            case "c":
                tree.args["where"].pop()
                tree.append("expressions", exp.column("z"))
    return met


@pytest.mark.parametrize(
    "sql", ["SELECT a, b FROM t WHERE c = d", "SELECT 1 + a FROM t WHERE NOT c = (d + 1)", "SELECT b FROM t"]
)
def test_a_search_in_a_known_tree_goes_on_in_it_as_it_is(sql: str) -> None:
    """As in sqlglot: what is below a node is looked at when the next one is asked for."""
    kinds = (exp.Column, exp.Identifier)
    known, new = parse_one(sql), parse_one(sql)
    expected = met_while_changing(new, (node for node in by_level(new) if isinstance(node, kinds)))
    known_trees.contents(known)
    assert met_while_changing(known, known.find_all(*kinds)) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.set("limit", exp.Limit(expression=exp.Literal.number(1))),
        lambda tree: tree.append("expressions", exp.column("b")),
        lambda tree: tree.expressions[0].replace(exp.column("b")),
        lambda tree: tree.args["from_"].pop(),
        lambda tree: tree.select("b", copy=False),
        lambda tree: tree.transform(
            lambda node: exp.null() if isinstance(node, exp.Column) else node, copy=False
        ),
    ],
)
def test_what_is_known_of_a_tree_ends_with_a_change(change: Callable[[Expr], object]) -> None:
    tree = parse_one("SELECT a FROM t", dialect="snowflake")
    assert known_trees.contents(tree) is known_trees.known(tree)
    change(tree)
    assert known_trees.known(tree) is None
    assert known_trees.contents(tree).nodes == list(by_level(tree))


def test_of_one_tree_alone_it_is_known_what_is_in_it() -> None:
    tree, other = parse_one("SELECT 1"), parse_one("SELECT 1")
    known_trees.contents(tree)
    known_trees.contents(other)
    assert known_trees.known(tree) is None
    assert known_trees.known(other) is not None
    known_trees.forget()
    assert known_trees.known(other) is None
