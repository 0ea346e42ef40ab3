"""A drawing as SVG: a file of its own, or an element of a page in which each card links to its task's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfml.plan.model import Action
from sfml.render.page.drawing import Card, Drawing, NextRuns, Wire
from sfml.render.page.layout import Point
from sfml.render.page.places import (
    LABEL_HEIGHT,
    LEADING,
    MARGIN,
    MORE,
    NAME,
    RIGHT,
    TEXT,
    PlacedDrawing,
    card_height,
    label_text,
    label_width,
    placed_of,
)
from sfml.render.page.shapes import (
    KIND_WORDS,
    KINDS,
    PLACE_WORDS,
    PLACES,
    POINT,
    SIGNS,
    outline,
)
from sfml.render.page.style import picture_style
from sfml.render.page.words import ended, escaped, shortened
from sfml.render.review_words import VERBS


def svg(drawing: Drawing) -> str:
    """The picture as a self-contained SVG file."""
    placed = placed_of(_without_next_runs(drawing))
    heading = 34.0 + 18 * len(drawing.about)
    legend = list(_legend(drawing))
    width = max(placed.width, 420.0)
    height = placed.height + heading + (26 if legend else 0)
    box = f"0 0 {width:g} {height:g}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="{box}" width="{width:g}"'
        f' height="{height:g}" role="img" aria-labelledby="title about">',
        f'<title id="title">{escaped(drawing.title)}</title>',
        f'<desc id="about">{escaped("; ".join(drawing.about))}</desc>',
        f"<style>\n{picture_style()}.ground {{ fill: var(--page); }}\n</style>",
        f'<rect class="ground" width="{width:g}" height="{height:g}"/>',
        f'<text class="title" x="{MARGIN:g}" y="28">{escaped(ended(drawing.title, 16, width - 40))}</text>',
    ]
    for at, text in enumerate(drawing.about):
        words = escaped(ended(text, 12, width - 40))
        lines.append(f'<text x="{MARGIN:g}" y="{48 + 18 * at}">{words}</text>')
    lines += [f'<g transform="translate(0 {heading:g})">', *_elements(placed, None), "</g>"]
    if legend:
        words = escaped(ended(f"{' · '.join(legend)}", 12, width - 40))
        lines.append(f'<text class="more" x="{MARGIN:g}" y="{height - 12:g}">{words}</text>')
    return "\n".join((*lines, "</svg>", ""))


def _without_next_runs(drawing: Drawing) -> Drawing:
    """The drawing without what only a page's script can tell."""
    return replace(drawing, cards=tuple(replace(card, next_runs=None) for card in drawing.cards))


def svg_in_page(placed: PlacedDrawing, prefix: str) -> str:
    """The picture as an SVG element. The card of task N has the id `<prefix>-nN` and links to `#<prefix>-tN`."""
    width, height = placed.width, placed.height
    return "\n".join(
        (
            f'<svg class="picture" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
            f' role="group" aria-label="{escaped(placed.drawing.title)}">',
            *_elements(placed, prefix),
            "</svg>",
        )
    )


def _elements(placed: PlacedDrawing, prefix: str | None) -> Iterator[str]:
    """The elements in drawing order: edges, end points, labels, cards."""
    wires = list(zip(placed.drawing.wires, placed.layout.edges, placed.layout.labels, strict=True))
    for wire, points, _ in wires:
        yield from _wire(wire, points)
    if placed.bar is not None:
        yield from _finally(placed)
    for wire, points, _ in wires:
        if wire.below is None:
            x, y = _moved(points[-1])
            yield f'<g class="end"><circle cx="{x + 6:g}" cy="{y:g}" r="5"/>'
            yield f'<text x="{x + 16:g}" y="{y + 4:g}">nothing</text></g>'
    for wire, _, label in wires:
        if label is not None:
            yield from _label(wire, label)
    for at, card in enumerate(placed.drawing.cards):
        yield from _card(placed, at, card, prefix)


def _moved(point: Point) -> Point:
    return round(point[0] + MARGIN, 1), round(point[1] + MARGIN, 1)


def _style(name: str, action: Action) -> str:
    return name if action is Action.UNCHANGED else f"{name} {action.value}"


def _wire(wire: Wire, points_of_edge: tuple[Point, ...]) -> Iterator[str]:
    points = list(map(_moved, points_of_edge))
    x, y = points[-1]
    # Two states of a graph merged into one may have a cycle; one of its edges then arrives from the right.
    back = -1 if points[-2][0] > x else 1
    if wire.below is not None:
        points[-1] = (x - 7 * back, y)
    parts = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for at in range(1, len(points)):
        (x0, y0), (x1, y1) = points[at - 1], points[at]
        middle = (x0 + x1) / 2
        parts.append(
            f"C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}"
            if at % 2 and y0 != y1
            else f"L{x1:g} {y1:g}"
        )
    yield f'<path class="{_style("wire", wire.action)}" d="{"".join(parts)}"/>'
    if wire.below is not None:
        yield (f'<path class="{_style("head", wire.action)}" d="M{x:g} {y:g}l{-8 * back:g} -4.5v9Z"/>')


def _label(wire: Wire, at: Point) -> Iterator[str]:
    x, y = _moved(at)
    width = label_width(wire)
    yield f'<g class="{_style("label", wire.action)}"><title>{escaped(wire.label)}</title>'
    yield (
        f'<rect x="{x - width / 2:g}" y="{y - LABEL_HEIGHT / 2:g}" width="{width:g}"'
        f' height="{LABEL_HEIGHT:g}" rx="11"/>'
    )
    yield f'<text x="{x:g}" y="{y + 4:g}">{escaped(label_text(wire))}</text></g>'


def _finally(placed: PlacedDrawing) -> Iterator[str]:
    """The line between the graph and its finalizers, which wait for all tasks, and the edges to the finalizers."""
    bar = placed.bar
    yield f'<path class="wire finally" d="M{bar:g} {MARGIN:g}V{placed.height - MARGIN:g}"/>'
    for card, (x, y) in zip(placed.drawing.cards, placed.cards, strict=True):
        if card.is_finalizer:
            middle = y + card_height(card) / 2
            yield f'<path class="{_style("wire", card.action)} finally" d="M{bar:g} {middle:g}H{x - 7:g}"/>'
            yield f'<path class="{_style("head", card.action)}" d="M{x:g} {middle:g}l-8 -4.5v9Z"/>'
            yield f'<g class="label"><rect x="{x - 68:g}" y="{middle - 11:g}" width="56" height="22" rx="11"/>'
            yield f'<text x="{x - 40:g}" y="{middle + 4:g}">finally</text></g>'


def _card(placed: PlacedDrawing, at: int, card: Card, prefix: str | None) -> Iterator[str]:
    x, y = placed.cards[at]
    width, height = placed.card_width, card_height(card)
    kinds = " ".join(
        (
            "card",
            card.kind,
            *(("branch",) if card.is_branch else ()),
            *(("finalizer",) if card.is_finalizer else ()),
        )
    )
    classes, where = _style(kinds, card.action), f'transform="translate({x:g} {y:g})"'
    if prefix is None:
        yield f'<g class="{classes}" {where}>'
    else:
        yield (
            f'<a class="{classes}" {where} id="{prefix}-n{at}" href="#{prefix}-t{at}"'
            f' aria-label="{escaped(screen_reader_text(card))}">'
        )
    yield f"<title>{escaped(card.name)}\n{escaped(screen_reader_text(card))}</title>"
    if card.place == "pool":
        yield f'<rect class="behind" x="4" y="4" width="{width:g}" height="{height:g}" rx="7"/>'
    yield outline(card.kind, width, height, is_branch=card.is_branch)
    shift = POINT / 2 if card.is_branch else 0.0
    yield f'<rect class="tile" x="{10 + shift:g}" y="11" width="26" height="26" rx="6"/>'
    yield f'<path class="icon" transform="translate({13 + shift:g} 14)" d="{KINDS[card.kind]}"/>'
    left = TEXT + shift
    room = width - left - RIGHT - shift
    yield f'<text class="name" x="{left:g}" y="21">{escaped(shortened(card.name, NAME, room))}</text>'
    base = 38.0 - LEADING
    for line, text in enumerate(card.lines):
        is_place = line == 0 and card.place is not None
        is_mark = line == len(card.lines) - 1 and card.action is not Action.UNCHANGED
        base += LEADING
        if is_place and card.place is not None:
            yield (
                f'<path class="icon" transform="translate({left:g} {base - 10:g})" d="{PLACES[card.place]}"/>'
            )
        start = left + 16 if is_place else left
        words = escaped(ended(text, MORE, room - (16 if is_place else 0)))
        yield f'<text class="more{" mark" if is_mark else ""}" x="{start:g}" y="{base:g}">{words}</text>'
    if card.next_runs is not None:
        base += LEADING
        words = escaped(ended(card.next_runs.words, MORE, room))
        yield f'<text class="more" x="{left:g}" y="{base:g}"{next_runs_data(card.next_runs)}>{words}</text>'
    if card.note is not None:
        base += LEADING
        words = escaped(ended(card.note, MORE, room))
        yield f'<text class="more note" x="{left:g}" y="{base:g}">{words}</text>'
    if card.action is not Action.UNCHANGED:
        yield f'<g class="badge"><circle cx="{width - 6:g}" cy="2" r="10"/>'
        yield f'<text x="{width - 6:g}" y="7">{SIGNS[card.action]}</text></g>'
    yield "</g>" if prefix is None else "</a>"


def next_runs_data(runs: NextRuns, count: int = 1) -> str:
    """The attributes by which the page's script writes that many next runs in place of the element's text."""
    fields, zone = escaped(runs.fields), escaped(runs.timezone)
    return f' data-next="{count}" data-cron="{fields}" data-zone="{zone}"'


def screen_reader_text(card: Card) -> str:
    """The card as text for screen readers: name, kind, place, conditions and action."""
    kind = KIND_WORDS[card.kind]
    if card.is_branch:
        kind = f"branch, {kind}"
    if card.is_finalizer:
        kind = f"finalizer, {kind}"
    return f"{card.name}: {kind}, {'; '.join((*card.lines, *((card.note,) if card.note else ())))}"


def _legend(drawing: Drawing) -> Iterator[str]:
    """The meaning of each sign that occurs in the picture."""
    for action, verb in VERBS.items():
        if any(card.action is action for card in drawing.cards):
            yield f"{SIGNS[action]} {verb}"
    if drawing.is_diff and any(wire.action is not Action.UNCHANGED for wire in drawing.wires):
        yield "thick edges are new, dashed ones are gone"


def legend_rows(drawing: Drawing) -> Iterator[tuple[str, str, int]]:
    """(SVG path, words, size of its square) for each kind and place that occurs in the picture."""
    for kind, path in KINDS.items():
        if any(card.kind == kind for card in drawing.cards):
            yield path, KIND_WORDS[kind], 20
    for place, path in PLACES.items():
        if any(card.place == place for card in drawing.cards):
            yield path, PLACE_WORDS[place], 12
