"""Assigns each box of a graph to a column, and orders the boxes of each column.

These are the first two steps of the layered method of Sugiyama, Tagawa and Toda: longest paths give the columns,
barycentre sweeps give the order. Ties are broken by the order of boxes and edges in the input, so the same graph is
always drawn in the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from sfml.base.record import record

_SWEEPS = ((3_000, 12), (20_000, 4))
"""(number of edge pieces, number of sweeps) up to that size; larger graphs get one sweep."""


@record
class Edge:
    """An edge between two boxes, by their indices; `below` stands at least `span` columns after `above`."""

    above: int
    below: int
    span: int = 1


@record
class Columns:
    """Columns of nodes: indices below `count` are boxes; the others are points where an edge passes through a column.

    `columns` holds the nodes of each column from top to bottom. `chains` holds for each edge its nodes in order, both
    ends included. `before` and `after` hold for each node its neighbours in the previous and in the next column.
    """

    count: int
    columns: tuple[tuple[int, ...], ...]
    chains: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]


def columns_of(count: int, edges: Sequence[Edge]) -> Columns:
    """The columns of an acyclic graph, each in an order with few edge crossings."""
    ranks = ranks_of(count, edges)
    chains: list[tuple[int, ...]] = []
    number = count
    for edge in edges:
        between = ranks[edge.below] - ranks[edge.above] - 1
        chains.append((edge.above, *range(number, number + between), edge.below))
        ranks += range(ranks[edge.above] + 1, ranks[edge.below])
        number += between
    before: list[list[int]] = [[] for _ in range(number)]
    after: list[list[int]] = [[] for _ in range(number)]
    for chain in chains:
        for one, two in pairwise(chain):
            after[one].append(two)
            before[two].append(one)
    order = _ordered(_depth_first(ranks, after), before, after)
    return Columns(
        count,
        tuple(map(tuple, order)),
        tuple(chains),
        tuple(map(tuple, before)),
        tuple(map(tuple, after)),
    )


def without_cycles(count: int, pairs: Sequence[tuple[int, int]]) -> tuple[bool, ...]:
    """For each edge, whether it has to be reversed to make the graph acyclic.

    A task graph has no cycle, but two states of it merged into one drawing may have one.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    for at, (above, _) in enumerate(pairs):
        after[above].append(at)
    turned = [False] * len(pairs)
    state = [0] * count  # 1: on the current path, 2: done
    for first in range(count):
        path = [(first, iter(after[first]))] if not state[first] else []
        state[first] = state[first] or 1
        while path:
            box, edges = path[-1]
            for at in edges:
                below = pairs[at][1]
                turned[at] = state[below] == 1
                if not state[below]:
                    state[below] = 1
                    path.append((below, iter(after[below])))
                    break
            else:
                state[box] = 2
                path.pop()
    return tuple(turned)


def ranks_of(count: int, edges: Sequence[Edge]) -> list[int]:
    """The column of each box: the earliest that its edges allow.

    A box with more outgoing than incoming edges then moves as close to its successors as they allow.
    """
    into: list[list[Edge]] = [[] for _ in range(count)]
    out: list[list[Edge]] = [[] for _ in range(count)]
    for edge in edges:
        into[edge.below].append(edge)
        out[edge.above].append(edge)
    missing = [len(above) for above in into]
    order = [box for box in range(count) if not missing[box]]
    ranks = [0] * count
    for box in order:  # grows during the loop, as boxes become ready
        for edge in out[box]:
            ranks[edge.below] = max(ranks[edge.below], ranks[box] + edge.span)
            missing[edge.below] -= 1
            if not missing[edge.below]:
                order.append(edge.below)
    assert len(order) == count, "the edges make a cycle"
    for box in reversed(order):
        if into[box] and len(out[box]) > len(into[box]):
            ranks[box] = min(ranks[edge.below] - edge.span for edge in out[box])
    return ranks


def _depth_first(ranks: Sequence[int], after: Sequence[Sequence[int]]) -> list[list[int]]:
    """The columns, each in the order in which a depth-first walk reaches its boxes; a tree then has no crossings."""
    columns: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    seen = [False] * len(ranks)
    for first in sorted(range(len(ranks)), key=ranks.__getitem__):
        todo = [first]
        while todo:
            box = todo.pop()
            if not seen[box]:
                seen[box] = True
                columns[ranks[box]].append(box)
                todo += reversed(after[box])
    return columns


def _ordered(
    columns: list[list[int]], before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]
) -> list[list[int]]:
    """The order with the fewest crossings among those that forward and backward sweeps produce."""
    pieces = sum(map(len, after))
    sweeps = next((sweeps for most, sweeps in _SWEEPS if pieces <= most), 1)
    best, fewest = columns, crossings(columns, after)
    current = columns
    for sweep in range(2 * sweeps):
        if not fewest:
            break
        forward = sweep % 2 == 0
        current = _swept(current, before if forward else after, forward=forward)
        count = crossings(current, after)
        if count < fewest:
            best, fewest = current, count
    return best


def _swept(columns: list[list[int]], links: Sequence[Sequence[int]], *, forward: bool) -> list[list[int]]:
    """Each column sorted by the mean position of each box's neighbours in the column that was sorted before it."""
    place: dict[int, float] = {}
    swept = []
    for column in columns if forward else reversed(columns):
        keys: dict[int, float] = {}
        for at, box in enumerate(column):
            around = links[box]
            keys[box] = sum(place[neighbour] for neighbour in around) / len(around) if around else float(at)
        ordered = sorted(column, key=keys.__getitem__)
        place |= {box: float(at) for at, box in enumerate(ordered)}
        swept.append(ordered)
    return swept if forward else swept[::-1]


def crossings(columns: Iterable[Sequence[int]], after: Sequence[Sequence[int]]) -> int:
    """The number of pairs of edges that cross."""
    place = {box: at for column in columns for at, box in enumerate(column)}
    total = 0
    for column in columns:
        seen: list[int] = []
        for box in column:
            ends = sorted(place[predecessor] for predecessor in after[box])
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            for end in ends:
                seen.insert(bisect_right(seen, end), end)
    return total
