"""Which column each box of a graph stands in, and in which order the boxes of a column stand.

The first two steps of the layered method of Sugiyama, Tagawa and Toda: longest paths give the columns, sweeps of
barycentres the order. Everything is decided by the order in which boxes and edges are given, so that the same graph is
drawn the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from sfml.base.record import record

_SWEEPS = ((3_000, 12), (20_000, 4))
"""Up to so many pieces of edges, so many sweeps; larger graphs get one."""


@record
class Edge:
    """From one box to another, by their numbers; `span` is how many columns lie between them at least."""

    above: int
    below: int
    span: int = 1


@record
class Columns:
    """Boxes from 0 to `count`, and after them a point for each column that an edge passes through.

    `chains` has for each edge everything on its way, both ends included; the links lead to the column before and
    after.
    """

    count: int
    columns: tuple[tuple[int, ...], ...]
    chains: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]


def columns_of(count: int, edges: Sequence[Edge]) -> Columns:
    """The columns of an acyclic graph, each in an order with few crossings."""
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
    order = _ordered(_as_met(ranks, after), before, after)
    return Columns(
        count,
        tuple(map(tuple, order)),
        tuple(chains),
        tuple(map(tuple, before)),
        tuple(map(tuple, after)),
    )


def without_cycles(count: int, pairs: Sequence[tuple[int, int]]) -> tuple[bool, ...]:
    """For each edge whether it has to be turned around, so that the others make no cycle with it.

    A graph has none; two states of a graph drawn as one may.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    for at, (above, _) in enumerate(pairs):
        after[above].append(at)
    turned = [False] * len(pairs)
    state = [0] * count  # 1: on the way, 2: done
    for first in range(count):
        way = [(first, iter(after[first]))] if not state[first] else []
        state[first] = state[first] or 1
        while way:
            here, edges = way[-1]
            for at in edges:
                below = pairs[at][1]
                turned[at] = state[below] == 1
                if not state[below]:
                    state[below] = 1
                    way.append((below, iter(after[below])))
                    break
            else:
                state[here] = 2
                way.pop()
    return tuple(turned)


def ranks_of(count: int, edges: Sequence[Edge]) -> list[int]:
    """The column of each box: as early as its edges allow, then as near as can be to what most edges lead to."""
    into: list[list[Edge]] = [[] for _ in range(count)]
    out: list[list[Edge]] = [[] for _ in range(count)]
    for edge in edges:
        into[edge.below].append(edge)
        out[edge.above].append(edge)
    missing = [len(found) for found in into]
    order = [box for box in range(count) if not missing[box]]
    ranks = [0] * count
    for box in order:  # grows as boxes become ready
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


def _as_met(ranks: Sequence[int], after: Sequence[Sequence[int]]) -> list[list[int]]:
    """The columns in the order in which a walk through the graph meets their boxes: a tree has no crossing then."""
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
    """The order with the fewest crossings that sweeps to and fro find."""
    pieces = sum(map(len, after))
    sweeps = next((sweeps for most, sweeps in _SWEEPS if pieces <= most), 1)
    best, fewest = columns, crossings(columns, after)
    current = columns
    for sweep in range(2 * sweeps):
        if not fewest:
            break
        forward = sweep % 2 == 0
        current = _swept(current, before if forward else after, forward=forward)
        found = crossings(current, after)
        if found < fewest:
            best, fewest = current, found
    return best


def _swept(columns: list[list[int]], links: Sequence[Sequence[int]], *, forward: bool) -> list[list[int]]:
    """Each column sorted by the mean place of what its boxes hang on in the column that was sorted before it."""
    place: dict[int, float] = {}
    swept = []
    for column in columns if forward else reversed(columns):
        keys: dict[int, float] = {}
        for at, box in enumerate(column):
            around = links[box]
            keys[box] = sum(place[one] for one in around) / len(around) if around else float(at)
        ordered = sorted(column, key=keys.__getitem__)
        place |= {box: float(at) for at, box in enumerate(ordered)}
        swept.append(ordered)
    return swept if forward else swept[::-1]


def crossings(columns: Iterable[Sequence[int]], after: Sequence[Sequence[int]]) -> int:
    """How many pairs of edges cross."""
    place = {box: at for column in columns for at, box in enumerate(column)}
    total = 0
    for column in columns:
        seen: list[int] = []
        for box in column:
            ends = sorted(place[one] for one in after[box])
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            for end in ends:
                seen.insert(bisect_right(seen, end), end)
    return total
