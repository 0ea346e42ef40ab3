"""Where boxes stand and edges run, from left to right: the layered method, in plain functions.

`layers` says which column and order; here columns become coordinates. Heights are found by isotonic regression: each
column is brought as near as its order and distances allow to the mean heights of what its boxes hang on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sfml.base.record import record
from sfml.render.page.layers import Columns, Edge, columns_of, without_cycles

GAP = 44.0
"""Between columns; where edges rise steeply it grows, up to `_WIDEST`."""
_WIDEST = 150.0
SPACE = 18.0
"""Between boxes of a column."""
_WIRE = 10.0
"""The height that an edge takes where it passes a column."""
_ROUNDS = (8, 60)
"""Of bringing columns nearer to each other: for large graphs, and for small ones, where they cost nothing."""

_FREE = 0.001
"""The weight of a box that nothing pulls."""

Point = tuple[float, float]
Size = tuple[float, float]


@record
class Line:
    """An edge to draw; a label gets a place of its own on it."""

    above: int
    below: int
    label: Size | None = None


@record
class Layout:
    """Centres of the boxes and labels, and the points that each edge passes, from its first box to its second.

    Between an odd and the next point an edge bends, else it runs level.
    """

    width: float
    height: float
    boxes: tuple[Point, ...]
    edges: tuple[tuple[Point, ...], ...]
    labels: tuple[Point | None, ...]


def layout(sizes: Sequence[Size], lines: Sequence[Line]) -> Layout:
    """Everything placed so that no two boxes or labels overlap, and no edge runs through a box."""
    turned = without_cycles(len(sizes), [(line.above, line.below) for line in lines])
    edges = tuple(
        Edge(*((line.below, line.above) if back else (line.above, line.below)), 2 if line.label else 1)
        for line, back in zip(lines, turned, strict=True)
    )
    found = columns_of(len(sizes), edges)
    extents = _extents(sizes, lines, turned, found)
    heights = _heights(found, extents)
    lefts, rights = _sides(found, extents, heights)
    column = {box: at for at, boxes in enumerate(found.columns) for box in boxes}
    places = tuple(
        ((lefts[column[box]] + rights[column[box]]) / 2, heights[box]) for box in range(len(extents))
    )
    return Layout(
        _rounded(rights[-1] if rights else 0.0),
        _rounded(max((heights[box] + extents[box][1] / 2 for box in range(len(extents))), default=0.0)),
        tuple(map(_point, places[: len(sizes)])),
        tuple(
            _way(chain, back, places, extents, column, lefts, rights)
            for chain, back in zip(found.chains, turned, strict=True)
        ),
        tuple(
            None if line.label is None else _point(places[_label(chain, back)])
            for line, chain, back in zip(lines, found.chains, turned, strict=True)
        ),
    )


def _label(chain: Sequence[int], back: bool) -> int:
    """The point of an edge that carries its label: the first on its way."""
    return chain[-2] if back else chain[1]


def _extents(
    sizes: Sequence[Size], lines: Sequence[Line], turned: Sequence[bool], found: Columns
) -> list[Size]:
    extents = [*sizes, *((0.0, _WIRE),) * (len(found.before) - len(sizes))]
    for line, chain, back in zip(lines, found.chains, turned, strict=True):
        if line.label is not None:
            extents[_label(chain, back)] = line.label
    return extents


def _heights(found: Columns, extents: Sequence[Size]) -> list[float]:
    """The height of each box's centre; the topmost box begins at 0."""
    heights = [0.0] * len(extents)
    offsets = [_offsets(column, extents, found.count) for column in found.columns]
    for column, below in zip(found.columns, offsets, strict=True):
        middle = (below[-1] if below else 0.0) / 2
        for box, offset in zip(column, below, strict=True):
            heights[box] = offset - middle
    before, after = _pulls(found.before, found.after), _pulls(found.after, found.before)
    both = [(*one, *two) for one, two in zip(before, after, strict=True)]
    forward = [*zip(found.columns, offsets, strict=True)]
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


Pulls = Sequence[tuple[tuple[int, float], ...]]
"""For each box what it hangs on, and how strongly."""


def _pulls(links: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> Pulls:
    """How much each edge wants to run level: one of many at either end gives way to one that is alone."""
    return [tuple((one, 1.0 / max(len(around), len(others[one])) ** 3) for one in around) for around in links]


def _offsets(column: Sequence[int], extents: Sequence[Size], count: int) -> list[float]:
    """How far each box's centre is from the first one's when they stand as close as they may."""
    offsets = [0.0] if column else []
    for one, two in pairwise(column):
        space = SPACE if one < count or two < count else SPACE / 3
        offsets.append(offsets[-1] + (extents[one][1] + extents[two][1]) / 2 + space)
    return offsets


def _settle(column: Sequence[int], offsets: Sequence[float], pulls: Pulls, heights: list[float]) -> None:
    """Bring the boxes of a column as near to their neighbours' height as they get without changing places."""
    wanted, weights = [], []
    for box, offset in zip(column, offsets, strict=True):
        share = sum([pull for _, pull in pulls[box]])
        total = sum([heights[one] * pull for one, pull in pulls[box]])
        wanted.append((total / share if share else heights[box]) - offset)
        # The weight of what pulls: each step makes the same sum of squares smaller, and the steps come to rest.
        weights.append(share or _FREE)
    for box, offset, height in zip(column, offsets, _isotonic(wanted, weights), strict=True):
        heights[box] = height + offset


def _isotonic(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The numbers that never fall and are nearest to the wanted ones, by least squares: pools of violators."""
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
    found: Columns, extents: Sequence[Size], heights: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Where each column begins and ends."""
    lefts: list[float] = []
    rights: list[float] = []
    for column in found.columns:
        left = 0.0
        if rights:
            rise = max(
                (abs(heights[box] - heights[one]) for box in column for one in found.before[box]), default=0
            )
            left = rights[-1] + min(GAP + rise / 12, _WIDEST)
        lefts.append(left)
        rights.append(left + max(extents[box][0] for box in column))
    return lefts, rights


def _way(
    chain: Sequence[int],
    back: bool,
    places: Sequence[Point],
    extents: Sequence[Size],
    column: dict[int, int],
    lefts: Sequence[float],
    rights: Sequence[float],
) -> tuple[Point, ...]:
    """The points of an edge: out of its first box, level through columns, into its last box."""
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
