"""A simulated month as a picture: a heat map by hour and day, as SVG, and a page with it and what it shows in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfml.month.grid import Cell, Day, days_of, quiet_of
from sfml.month.model import Month
from sfml.render.month import LEGEND, UNKNOWN, headline, quiet_lines, sections, span_text
from sfml.render.page.html import document
from sfml.render.page.style import month_style
from sfml.render.page.words import ended, escaped
from sfml.render.units import duration

_LEFT, _TOP, _CELL, _GAP = 92, 92, 22, 2
_WIDTH = _LEFT + 24 * (_CELL + _GAP) + 170
_SIGNS = (("missed", "×"), ("delayed", "…"), ("cut", "!"))
_SIGN_WORDS = ("a run is missed", "a task waits", "a run is cut off")


def month_svg(month: Month, machine: str = "") -> str:
    """The heat map as a self-contained SVG file; `machine` limits it to one warehouse or pool."""
    return "\n".join(_svg(month, machine, style=month_style())) + "\n"


def month_page(month: Month) -> str:
    """A page with the heat map of everything, one of each warehouse and pool, and the findings in words."""
    parts = [
        "<main class='month'>",
        f"<h1>{escaped(headline(month))}</h1>",
        f"<p class='about'>{escaped(span_text(month))}; as if tasks take the most that is expected</p>",
        *_svg(month, "", style=None),
        *_words(month),
    ]
    for machine in month.machines:
        parts += [f"<h2>{escaped(machine)}</h2>", *_svg(month, machine, style=None)]
    return document(f"sfml simulate --month: {month.target}", [*parts, "</main>"], month_style())


def _words(month: Month) -> Iterator[str]:
    days = days_of(month, month.most)
    quiet = quiet_of(month, days, month.most)
    lines = list(quiet_lines(month, quiet.hours, quiet.always, quiet.longest))
    for title, found in (
        *sections(month),
        ("quiet", lines),
        ("not known", list(month.unknowns)),
        ("assumed", list(month.assumptions)),
    ):
        if found:
            yield f"<h2>{escaped(title)}</h2><ul>"
            yield from (f"<li>{escaped(line)}</li>" for line in found)
            yield "</ul>"


def _svg(month: Month, machine: str, *, style: str | None) -> Iterator[str]:
    days = days_of(month, month.most, machine)
    height = _TOP + len(days) * (_CELL + _GAP) + 64
    title = f"Hours at work{f' on {machine}' if machine else ''}: {month.target}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture heat" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img" aria-label="{escaped(title)}">'
    )
    yield f"<title>{escaped(title)}</title><desc>{escaped(headline(month))}</desc>"
    if style is not None:
        yield f"<style>\n{style}.ground {{ fill: var(--page); }}\n</style>"
        yield f'<rect class="ground" width="{_WIDTH}" height="{height}"/>'
    yield f'<text class="title" x="12" y="26">{escaped(ended(title, 16, _WIDTH - 24))}</text>'
    yield f'<text x="12" y="46">{escaped(ended(span_text(month), 12, _WIDTH - 24))}</text>'
    for hour in range(24):
        yield f'<text class="hour" x="{_x(hour) + _CELL / 2:g}" y="{_TOP - 10}">{hour:02}</text>'
    for row, day in enumerate(days):
        yield from _row(row, day)
    yield from _legend(_TOP + len(days) * (_CELL + _GAP) + 22)
    yield "</svg>"


def _x(hour: int) -> int:
    return _LEFT + hour * (_CELL + _GAP)


def _row(row: int, day: Day) -> Iterator[str]:
    y = _TOP + row * (_CELL + _GAP)
    weekend = " weekend" if day.day.weekday() >= 5 else ""
    label = f"{day.day:%a} {day.day.day} {day.day:%b}"
    yield f'<text class="day{weekend}" x="{_LEFT - 10}" y="{y + 16}">{label}</text>'
    for hour, cell in enumerate(day.cells):
        if cell is not None:
            yield from _cell(cell, hour, y, label)
    count = sum(getattr(cell, name) for cell in day.cells if cell is not None for name, _ in _SIGNS)
    if count:
        text = ", ".join(_remarks(day.cells))
        yield f'<text class="remark" x="{_x(24) + 8}" y="{y + 16}">{escaped(ended(text, 12, 160))}</text>'


def _remarks(cells: Sequence[Cell | None]) -> Iterator[str]:
    for name, _ in _SIGNS:
        count = sum(getattr(cell, name) for cell in cells if cell is not None)
        if count:
            yield f"{count} {'cut off' if name == 'cut' else name}"


def _cell(cell: Cell, hour: int, y: int, label: str) -> Iterator[str]:
    x = _x(hour)
    words = f"{duration(cell.seconds * 1000)} of work" if cell.seconds else "nothing at work"
    if cell.is_unknown:
        words = f"{words}, {UNKNOWN}" if cell.seconds else UNKNOWN
    troubles = list(_remarks((cell,)))
    told = f"{label} {hour:02}:00: {', '.join([words, *troubles])}"
    yield f"<g><title>{escaped(told)}</title>"
    yield f'<rect class="l{cell.level}" x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" rx="3"/>'
    sign = next((sign for name, sign in _SIGNS if getattr(cell, name)), "?" if cell.is_unknown else None)
    if sign is not None:
        dark = " on" if cell.level >= 3 else ""
        yield f'<text class="sign{dark}" x="{x + _CELL / 2:g}" y="{y + 16}">{sign}</text>'
    yield "</g>"


def _legend(y: int) -> Iterator[str]:
    x = _LEFT
    for level, words in enumerate(LEGEND):
        yield f'<rect class="l{level}" x="{x}" y="{y}" width="14" height="14" rx="3"/>'
        yield f'<text class="more" x="{x + 20}" y="{y + 12}">{words}</text>'
        x += 44 + round(len(words) * 6.6)
    signs = " · ".join(f"{sign} {words}" for (_, sign), words in zip(_SIGNS, _SIGN_WORDS, strict=True))
    signs += f" · ? {UNKNOWN}"
    yield f'<text class="more" x="{_LEFT}" y="{y + 34}">{escaped(signs)}</text>'
