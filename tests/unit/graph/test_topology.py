"""Order, cycles and reachability."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sfml.graph.topology import Reach, ancestors, children, cycles, topological_order


def test_order_is_that_of_the_spec_where_edges_allow() -> None:
    edges = {"c": ("a",), "b": (), "a": ("b",), "d": ()}
    assert topological_order(edges) == ("b", "a", "c", "d")
    assert children(edges) == {"c": (), "b": ("a",), "a": ("c",), "d": ()}


def test_cycles_are_paths() -> None:
    edges = {
        "a": ("c",),
        "b": ("a",),
        "c": ("b",),
        "d": ("c",),
        "e": (),
        "f": ("f",),
        "g": ("h",),
        "h": ("g",),
    }
    assert cycles(edges) == (("a", "b", "c", "a"), ("f", "f"), ("g", "h", "g"))
    assert cycles({"a": (), "b": ("a",)}) == ()


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    names = [f"t{index}" for index in range(draw(st.integers(0, 9)))]
    return {name: tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=3))) for name in names}


@given(graphs())
def test_ordered_is_what_hangs_on_no_cycle(edges: dict[str, tuple[str, ...]]) -> None:
    order = topological_order(edges)
    for name in order:
        assert all(order.index(parent) < order.index(name) for parent in edges[name])
    stuck = {
        name for name in edges if any(up in ancestors(edges, up) for up in (name, *ancestors(edges, name)))
    }
    assert set(order) == edges.keys() - stuck
    assert bool(cycles(edges)) == bool(stuck)
    for path in cycles(edges):
        assert path[0] == path[-1]
        assert all(above in edges[below] for above, below in pairwise(path))


@given(graphs())
def test_reach_agrees_with_walking(edges: dict[str, tuple[str, ...]]) -> None:
    reach = Reach(edges)
    for name in edges:
        assert set(reach.above(name)) == ancestors(edges, name)
        assert all(reach.is_above(other, name) == (other in ancestors(edges, name)) for other in edges)
