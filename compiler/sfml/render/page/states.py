"""The states of tasks over a picture of their graph: a frame and a sign on each card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.base.record import record
from sfml.render.page.places import PlacedDrawing, card_height
from sfml.render.page.shapes import outline
from sfml.render.page.words import escaped


@record
class CardState:
    """A state: `name` is the class of its colours, `sign` its symbol, `words` what it is called."""

    name: str
    sign: str
    words: str


def states_svg(placed: PlacedDrawing, states: Mapping[str, CardState]) -> str:
    """A group that lies over the picture. Cards whose task has no state are left as they are."""
    return "".join(_marks(placed, states))


def _marks(placed: PlacedDrawing, states: Mapping[str, CardState]) -> Iterator[str]:
    width = placed.card_width
    for card, (x, y) in zip(placed.drawing.cards, placed.cards, strict=True):
        state = states.get(card.name) if card.kind != "root" else None
        if state is None:
            continue
        height = card_height(card)
        yield f'<g class="state {state.name}" transform="translate({x:g} {y:g})">'
        yield f"<title>{escaped(card.name)}: {escaped(state.words)}</title>"
        yield outline(card.kind, width, height, is_branch=card.is_branch)
        yield f'<circle cx="{width - 6:g}" cy="2" r="10"/>'
        yield f'<text x="{width - 6:g}" y="7">{escaped(state.sign)}</text></g>'
