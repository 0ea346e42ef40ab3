"""Positions and sizes of the cards and labels of a drawing, in pixels."""

from __future__ import annotations

from math import ceil

from sfml.base.record import record
from sfml.plan.model import Action
from sfml.render.page.drawing import Card, Drawing, Wire
from sfml.render.page.layout import Layout, Line, Point, layout
from sfml.render.page.shapes import POINT
from sfml.render.page.words import ended, mono_width, sans_width

_NARROWEST, _WIDEST = 110.0, 290.0
TEXT = 46.0
"""The left edge of the text in a card."""
RIGHT = 16.0
NAME, MORE = 14.0, 12.0
LEADING = 16.0
LABEL_HEIGHT, _LABEL_WIDEST = 22.0, 180.0
_END = (64.0, 20.0)
"""The size of the end point for an outcome that starts no task."""
MARGIN = 18.0
_NEXT = "next Wed 30 Nov 00:00"
"""As wide as any text that the page's script writes on the root's card."""
_FINALLY = 92.0
"""The distance between the last column and a finalizer."""


@record
class PlacedDrawing:
    """A drawing with positions. `cards` holds the top left corner of each card.

    `bar` is the horizontal position of the line between the graph and its finalizers; None without a finalizer.
    """

    drawing: Drawing
    width: float
    height: float
    card_width: float
    cards: tuple[Point, ...]
    layout: Layout
    bar: float | None


def placed_of(drawing: Drawing) -> PlacedDrawing:
    """Lay out the drawing from left to right: the root first, the finalizers after everything else."""
    width = _card_width(drawing)
    flow = [at for at, card in enumerate(drawing.cards) if not card.is_finalizer]
    number = {card: at for at, card in enumerate(flow)}
    sizes = [(width, card_height(drawing.cards[card])) for card in flow]
    lines = []
    for wire in drawing.wires:
        label = (label_width(wire), LABEL_HEIGHT) if wire.label else None
        if wire.below is None:
            lines.append(Line(number[wire.above], len(sizes), label))
            sizes.append(_END)
        else:
            lines.append(Line(number[wire.above], number[wire.below], label))
    result = layout(sizes, lines)
    corners = {
        card: (result.boxes[at][0] - width / 2, result.boxes[at][1] - sizes[at][1] / 2)
        for at, card in enumerate(flow)
    }
    finalizers = [at for at, card in enumerate(drawing.cards) if card.is_finalizer]
    left, right, top = result.width, result.width, result.boxes[0][1] if finalizers else 0.0
    height = result.height
    for at in finalizers:
        tall = card_height(drawing.cards[at])
        corners[at] = (left + _FINALLY, max(top - tall / 2, 0.0))
        top += tall + 24
        right = left + _FINALLY + width
        height = max(height, corners[at][1] + tall)
    cards = tuple(
        (round(x + MARGIN, 1), round(y + MARGIN, 1)) for x, y in (corners[at] for at in sorted(corners))
    )
    bar = round(left + 22 + MARGIN, 1) if finalizers else None
    return PlacedDrawing(drawing, right + 2 * MARGIN, height + 2 * MARGIN, width, cards, result, bar)


def card_height(card: Card) -> float:
    return 48.0 + LEADING * (len(card.lines) - 1 + (card.next_runs is not None) + (card.note is not None))


def label_width(wire: Wire) -> float:
    return min(sans_width(label_text(wire), MORE) + 14, _LABEL_WIDEST)


def label_text(wire: Wire) -> str:
    sign = {Action.CREATE: "+ ", Action.DROP: "✗ "}.get(wire.action, "")
    return ended(f"{sign}{wire.label}", MORE, _LABEL_WIDEST - 14)


def _card_width(drawing: Drawing) -> float:
    """The width of the widest text, within limits. All cards have the same width, so that columns are aligned."""
    needed = [
        max(
            mono_width(card.name, NAME),
            *(sans_width(line, MORE) + 16 for line in card.lines),
            sans_width(_NEXT, MORE) if card.next_runs is not None else 0.0,
        )
        + (POINT if card.is_branch else 0)
        for card in drawing.cards
    ]
    return min(ceil(max(_NARROWEST, *needed) + TEXT + RIGHT) + 2, _WIDEST)
