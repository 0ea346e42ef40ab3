"""Coordinates of boxes and edges, from left to right, by the layered method.

`layers` gives the columns and their order; this module turns them into coordinates, in pixels. Isotonic regression
gives the heights: each box is moved towards the mean height of its neighbours, as far as the order and the distances
in its column allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sfml.base.record import record
from sfml.render.page.layers import Columns, Edge, columns_of, without_cycles

GAP = 44.0
"""The distance between columns; it grows with the steepness of the edges between them, up to `_WIDEST`."""
_WIDEST = 150.0
SPACE = 18.0
"""The distance between boxes of a column."""
_WIRE = 10.0
"""The height that is reserved for an edge where it passes through a column."""
_ROUNDS = (8, 60)
"""The number of rounds that align columns: the minimum, for large graphs, and the maximum, for small ones."""

_FREE = 0.001
"""The weight of a box without neighbours."""

Point = tuple[float, float]
Size = tuple[float, float]


@record
class Line:
    """An edge to draw, between two boxes by their indices; `label` is the size of its label."""

    above: int
    below: int
    label: Size | None = None


@record
class Layout:
    """Centres of the boxes and labels, and the points of each edge from its first box to its second.

    An edge bends between its first and second point, its third and fourth, and so on; elsewhere it is horizontal.
    """

    width: float
    height: float
    boxes: tuple[Point, ...]
    edges: tuple[tuple[Point, ...], ...]
    labels: tuple[Point | None, ...]


def layout(sizes: Sequence[Size], lines: Sequence[Line]) -> Layout:
    """Place boxes, labels and edges so that no boxes or labels overlap and no edge runs through a box."""
    reversed_edges = without_cycles(len(sizes), [(line.above, line.below) for line in lines])
    edges = tuple(
        Edge(*((line.below, line.above) if back else (line.above, line.below)), 2 if line.label else 1)
        for line, back in zip(lines, reversed_edges, strict=True)
    )
    columns = columns_of(len(sizes), edges)
    extents = _extents(sizes, lines, reversed_edges, columns)
    heights = _heights(columns, extents)
    lefts, rights = _sides(columns, extents, heights)
    column = {box: at for at, boxes in enumerate(columns.columns) for box in boxes}
    places = tuple(
        ((lefts[column[box]] + rights[column[box]]) / 2, heights[box]) for box in range(len(extents))
    )
    return Layout(
        _rounded(rights[-1] if rights else 0.0),
        _rounded(max((heights[box] + extents[box][1] / 2 for box in range(len(extents))), default=0.0)),
        tuple(map(_point, places[: len(sizes)])),
        tuple(
            _edge_points(chain, back, places, extents, column, lefts, rights)
            for chain, back in zip(columns.chains, reversed_edges, strict=True)
        ),
        tuple(
            None if line.label is None else _point(places[_label(chain, back)])
            for line, chain, back in zip(lines, columns.chains, reversed_edges, strict=True)
        ),
    )


def _label(chain: Sequence[int], back: bool) -> int:
    """The node of an edge that carries its label: the first one after its start."""
    return chain[-2] if back else chain[1]


def _extents(
    sizes: Sequence[Size], lines: Sequence[Line], reversed_edges: Sequence[bool], columns: Columns
) -> list[Size]:
    extents = [*sizes, *((0.0, _WIRE),) * (len(columns.before) - len(sizes))]
    for line, chain, back in zip(lines, columns.chains, reversed_edges, strict=True):
        if line.label is not None:
            extents[_label(chain, back)] = line.label
    return extents


def _heights(columns: Columns, extents: Sequence[Size]) -> list[float]:
    """The vertical position of each node's centre; the top of the topmost one is at 0."""
    heights = [0.0] * len(extents)
    offsets = [_offsets(column, extents, columns.count) for column in columns.columns]
    for column, below in zip(columns.columns, offsets, strict=True):
        middle = (below[-1] if below else 0.0) / 2
        for box, offset in zip(column, below, strict=True):
            heights[box] = offset - middle
    before, after = _pulls(columns.before, columns.after), _pulls(columns.after, columns.before)
    both = [_summed((*one, *two)) for (_, one), (_, two) in zip(before, after, strict=True)]
    forward = [*zip(columns.columns, offsets, strict=True)]
    rounds = min(max(_ROUNDS[0], 6_000 // len(extents)), _ROUNDS[1]) if extents else 0
    for _ in range(rounds):
        for column, below in forward:
            _settle(column, below, before, heights)
        for column, below in reversed(forward):
            _settle(column, below, after, heights)
    for _ in range(rounds):
        for column, below in (*forward, *reversed(forward)):
            _settle(column, below, both, heights)
    top = min((heights[box] - extents[box][1] / 2 for box in range(len(extents))), default=0.0)
    return [height - top for height in heights]


Pulls = Sequence[tuple[float, tuple[tuple[int, float], ...]]]
"""For each node the sum of the pulls on it, and its neighbours, each with the strength of its pull."""


def _pulls(links: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> Pulls:
    """The strength with which each edge pulls towards horizontal: weaker the more edges its ends have."""
    pulls = [
        tuple((neighbour, 1.0 / max(len(around), len(others[neighbour])) ** 3) for neighbour in around)
        for around in links
    ]
    return [_summed(neighbours) for neighbours in pulls]


def _summed(neighbours: tuple[tuple[int, float], ...]) -> tuple[float, tuple[tuple[int, float], ...]]:
    return sum(pull for _, pull in neighbours), neighbours


def _offsets(column: Sequence[int], extents: Sequence[Size], count: int) -> list[float]:
    """The distance of each node's centre from the first one's when the nodes stand as close as allowed."""
    offsets = [0.0] if column else []
    for one, two in pairwise(column):
        space = SPACE if one < count or two < count else SPACE / 3
        offsets.append(offsets[-1] + (extents[one][1] + extents[two][1]) / 2 + space)
    return offsets


def _settle(column: Sequence[int], offsets: Sequence[float], pulls: Pulls, heights: list[float]) -> None:
    """Move the nodes of a column as near to their neighbours' heights as possible without changing their order."""
    wanted, weights = [], []
    for box, offset in zip(column, offsets, strict=True):
        share, neighbours = pulls[box]
        total = sum([heights[one] * pull for one, pull in neighbours])
        wanted.append((total / share if share else heights[box]) - offset)
        # Weighted by the pulls, every step reduces the same sum of squares, so the iteration converges.
        weights.append(share or _FREE)
    for box, offset, height in zip(column, offsets, _isotonic(wanted, weights), strict=True):
        heights[box] = height + offset


def _isotonic(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing numbers nearest to `wanted` by weighted least squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        count = 1
        while pools and pools[-1][0] > value:
            other, more, members = pools.pop()
            value = (value * weight + other * more) / (weight + more)
            weight += more
            count += members
        pools.append((value, weight, count))
    return [value for value, _, count in pools for _ in range(count)]


def _sides(
    columns: Columns, extents: Sequence[Size], heights: Sequence[float]
) -> tuple[list[float], list[float]]:
    """The left and right edges of each column."""
    lefts: list[float] = []
    rights: list[float] = []
    for column in columns.columns:
        left = 0.0
        if rights:
            rise = max(
                (
                    abs(heights[box] - heights[neighbour])
                    for box in column
                    for neighbour in columns.before[box]
                ),
                default=0,
            )
            left = rights[-1] + min(GAP + rise / 12, _WIDEST)
        lefts.append(left)
        rights.append(left + max(extents[box][0] for box in column))
    return lefts, rights


def _edge_points(
    chain: Sequence[int],
    back: bool,
    places: Sequence[Point],
    extents: Sequence[Size],
    column: dict[int, int],
    lefts: Sequence[float],
    rights: Sequence[float],
) -> tuple[Point, ...]:
    """The points of an edge: from its first box, horizontally through columns, to its last box."""
    first, *between, last = chain
    points = [(places[first][0] + extents[first][0] / 2, places[first][1])]
    for box in between:
        points += [(lefts[column[box]], places[box][1]), (rights[column[box]], places[box][1])]
    points.append((places[last][0] - extents[last][0] / 2, places[last][1]))
    return tuple(map(_point, reversed(points) if back else points))


def _point(point: Point) -> Point:
    return _rounded(point[0]), _rounded(point[1])


def _rounded(number: float) -> float:
    return round(number, 1) + 0.0  # no -0.0
