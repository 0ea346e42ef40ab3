"""The page of one pipeline: its graph with the states of the last run, its schedule and its problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from markupsafe import Markup

from sfml.account.history import Run
from sfml.base.errors import InvalidSpec, SfmlError
from sfml.base.record import record
from sfml.plan.provenance import origin_text
from sfml.render.page.drawing import Drawing
from sfml.render.page.places import PlacedDrawing
from sfml.render.page.shapes import KIND_WORDS
from sfml.render.page.states import CardState, states_svg
from sfml.render.page.svg import svg_in_page
from sfml.render.status import PipelineStatus
from sfml.render.text import diagnostics_text
from sfml.render.units import duration, moment
from sfml.ui.fleet_view import is_on, next_fires, schedule_words
from sfml.ui.marks import SYMBOLS, task_mark
from sfml.ui.specs import Spec

PREFIX = "g"
"""The beginning of the ids in the picture."""

SMALL = 2_600.0
"""The width up to which a picture is at first shrunk to the width of the page; a wider one is scrolled."""

_NEXT_SHOWN = 3


@record
class CardRow:
    """A task in the list below the graph."""

    at: int
    name: str
    kind: str
    where: str
    about: tuple[str, ...]
    written: str


def card_rows(drawing: Drawing | None) -> tuple[CardRow, ...]:
    if drawing is None:
        return ()
    return tuple(
        CardRow(
            at,
            card.name,
            f"{'branch, ' if card.is_branch else 'finalizer, ' if card.is_finalizer else ''}{KIND_WORDS[card.kind]}",
            card.lines[0] if card.lines else "",
            card.about,
            card.written or "",
        )
        for at, card in enumerate(drawing.cards)
    )


def picture_opening(picture: PlacedDrawing) -> Markup:
    """The picture without its end, so that the states can be put over it."""
    return Markup(svg_in_page(picture, PREFIX).removesuffix("</svg>"))


def states_markup(picture: PlacedDrawing | None, run: Run | None) -> Markup:
    """The states of a run's tasks over the picture."""
    if picture is None or run is None:
        return Markup("")
    return Markup(states_svg(picture, _states(run)))


def _states(run: Run) -> Mapping[str, CardState]:
    states = {}
    for task in run.tasks:
        mark = task_mark(task, run)
        took = f", {duration(task.duration_ms)}" if task.duration_ms is not None else ""
        states[task.name] = CardState(mark.name, mark.sign, mark.words + took)
    return states


def progress_words(run: Run | None, usual_ms: float | None, now: datetime) -> str:
    """How far a run is: `3 of 5 tasks, 2 min 4 s of usually 9 min`."""
    if run is None or run.is_over or run.started_at is None:
        return ""
    ended = sum(task.state not in (None, "EXECUTING", "SCHEDULED") for task in run.tasks)
    usual = f" of usually {duration(usual_ms)}" if usual_ms is not None else ""
    since = duration(max((now - run.started_at).total_seconds(), 0) * 1000)
    return f"{ended} of {len(run.tasks)} tasks ended, since {since}{usual}"


def deployed_words(status: PipelineStatus | None) -> str:
    if status is None:
        return "?"
    if not status.is_deployed:
        return f"no: {status.absent}" if status.absent else "no"
    record_of = status.health.record if status.health is not None else None
    origin = origin_text(record_of)
    fingerprint = (status.recorded("fingerprint") or "")[:12]
    return " ".join(part for part in (origin or "yes", f"({fingerprint})" if fingerprint else "") if part)


def next_words(spec: Spec, status: PipelineStatus | None, now: datetime) -> str:
    placed = spec.placed
    if placed is None or status is None:
        return "?"
    if not is_on(status):
        return SYMBOLS["never"]
    fires = next_fires(status, placed.desired, now, _NEXT_SHOWN)
    if fires:
        return f" {SYMBOLS['dot']} ".join(map(moment, fires))
    return SYMBOLS["never"] if status.schedule is None else schedule_words(status, placed.desired)


def differs_words(status: PipelineStatus | None) -> str:
    """That the files differ from what is deployed, unless an unfinished apply explains it."""
    health = status.health if status is not None else None
    if status is None or health is None or not health.differs or health.unfinished is not None:
        return ""
    return f"What is deployed differs from the files, which this page draws. The difference: sfml plan {status.where}"


def findings_text(spec: Spec) -> str:
    """Why the spec does not compile, with the places in its files."""
    error = spec.error
    if isinstance(error, InvalidSpec) and spec.reading is not None:
        return diagnostics_text(error.diagnostics, spec.reading.sources)
    return "\n".join(_error_lines(error)) if error is not None else ""


def _error_lines(error: SfmlError) -> Iterator[str]:
    yield error.message
    if error.help:
        yield f"help: {error.help}"
