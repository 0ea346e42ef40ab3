"""The places that a graph's boxes and edges get: nothing overlaps, and the same graph stands the same."""

from __future__ import annotations

import time
from functools import cache
from itertools import combinations, pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from machine_speed import SLOWNESS

from sfml.render.page.layers import Edge, columns_of, crossings, ranks_of, without_cycles
from sfml.render.page.layout import Layout, Line, Point, Size, layout

Graph = tuple[list[Size], list[Line]]


COUNTS = st.integers(1, 14)


@cache
def graphs_of(count: int) -> st.SearchStrategy[tuple[list[tuple[int, int]], list[Line]]]:
    """Made once for each count: hypothesis validates each new strategy, which takes longer than drawing from it."""
    sizes = st.lists(st.tuples(st.integers(20, 260), st.integers(20, 90)), min_size=count, max_size=count)
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
        lambda pair: pair[0] != pair[1]
    )
    labels = st.none() | st.tuples(st.integers(20, 170), st.just(22))
    lines = st.lists(st.builds(lambda pair, label: Line(*pair, label), ends, labels), max_size=30)
    return st.tuples(sizes, lines)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Boxes of many sizes with edges either way, some labelled; two states of a graph in one may have cycles."""
    sizes, lines = draw(graphs_of(draw(COUNTS)))
    return [(float(x), float(y)) for x, y in sizes], lines


def rectangles(graph: Graph, found: Layout) -> list[tuple[Point, Size]]:
    sizes, lines = graph
    boxes = list(zip(found.boxes, sizes, strict=True))
    labels = zip(found.labels, lines, strict=True)
    return boxes + [(at, line.label) for at, line in labels if at is not None and line.label is not None]


@given(graphs())
def test_no_two_boxes_or_labels_overlap(graph: Graph) -> None:
    found = layout(*graph)
    for ((x, y), (w, h)), ((a, b), (v, k)) in combinations(rectangles(graph, found), 2):
        assert abs(x - a) >= (w + v) / 2 - 0.2 or abs(y - b) >= (h + k) / 2 - 0.2


@given(graphs())
def test_edges_run_level_where_they_pass_columns_and_through_no_box(graph: Graph) -> None:
    sizes, _ = graph
    found = layout(*graph)
    for way in found.edges:
        assert len(way) % 2 == 0
        for (x, y), (a, b) in list(pairwise(way))[1::2]:
            assert y == b
            for (left, top), (w, h) in zip(found.boxes, sizes, strict=True):
                beside = max(x, a) <= left - w / 2 + 0.2 or min(x, a) >= left + w / 2 - 0.2
                assert beside or abs(y - top) >= h / 2


@given(graphs())
def test_an_edge_begins_and_ends_at_its_boxes(graph: Graph) -> None:
    sizes, lines = graph
    found = layout(sizes, lines)
    for line, way in zip(lines, found.edges, strict=True):
        for box, (x, y) in ((line.above, way[0]), (line.below, way[-1])):
            middle, height = found.boxes[box]
            assert abs(abs(x - middle) - sizes[box][0] / 2) < 0.2
            assert y == height


@given(graphs())
def test_everything_is_inside_and_stands_the_same_again(graph: Graph) -> None:
    found = layout(*graph)
    assert found == layout(*graph)
    for (x, y), (w, h) in rectangles(graph, found):
        assert x - w / 2 >= -0.2 and x + w / 2 <= found.width + 0.2
        assert y - h / 2 >= -0.2 and y + h / 2 <= found.height + 0.2


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
@example(3, [(0, 1), (1, 2), (2, 0)])
def test_turning_edges_leaves_no_cycle(count: int, pairs: list[tuple[int, int]]) -> None:
    pairs = [(a % count, b % count) for a, b in pairs if a % count != b % count]
    turned = without_cycles(count, pairs)
    edges = [Edge(b, a) if back else Edge(a, b) for (a, b), back in zip(pairs, turned, strict=True)]
    ranks = ranks_of(count, edges)  # fails on a cycle
    assert all(ranks[edge.below] > ranks[edge.above] for edge in edges)
    if all(a < b for a, b in pairs):
        assert not any(turned)


def test_a_tree_is_drawn_without_crossings_and_chains_level() -> None:
    lines = [Line(0, 1), Line(0, 2), Line(1, 3), Line(1, 4), Line(2, 5), Line(5, 6), Line(6, 7)]
    found = columns_of(8, [Edge(line.above, line.below) for line in lines])
    assert crossings(found.columns, found.after) == 0
    heights = [y for _, y in layout([(100.0, 40.0)] * 8, lines).boxes]
    assert heights[5] == heights[6] == heights[7]


def test_sweeps_undo_crossings() -> None:
    count = 8
    edges = [Edge(0, at) for at in (1, 2, 3)] + [Edge(1, 6), Edge(2, 5), Edge(3, 4), Edge(0, 7), Edge(7, 5)]
    found = columns_of(count, edges)
    assert crossings(found.columns, found.after) == 0


def test_six_hundred_boxes_take_less_than_two_seconds() -> None:
    """A graph that is not tidy: each box after one or two of the forty before it."""
    lines = [
        Line(at - 1 - at * 7 % min(at, 40), at, (60.0, 22.0) if at % 5 == 0 else None) for at in range(1, 600)
    ]
    lines += [Line(at - 1 - at * 13 % min(at, 40), at) for at in range(40, 600, 2)]
    begun = time.process_time()
    found = layout([(250.0, 64.0)] * 600, lines)
    assert time.process_time() - begun < 2 * SLOWNESS
    assert len(found.boxes) == 600


def test_nothing_takes_no_room() -> None:
    assert layout([], []) == Layout(0.0, 0.0, (), (), ())
