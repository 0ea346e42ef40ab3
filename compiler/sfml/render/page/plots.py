"""Plots as SVG elements of a page: durations of runs, outcomes of gates, metrics over versions. They need no script.

Everything that a plot shows stands in a table beside it as well; the element itself has one sentence for who does not
see it. Colours are roles of the palette, and each mark has a sign or a place of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10

from sfml.base.record import record
from sfml.render.page.words import ended, escaped
from sfml.render.units import duration

_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 14.0, 16.0, 30.0
_HEIGHT = 190.0
_ROW = 24.0
_BAR = 18.0
_WIDEST_BAR = 34.0


@record
class Bar:
    """A run: its duration in milliseconds, None while it goes on; `state` is the class of its colour, `sign` its sign.

    `words` is the text of a pointer or screen reader; `link` leads to the run.
    """

    value: float | None
    state: str
    sign: str
    words: str
    link: str
    label: str


@record
class Point:
    """A version: its value, its name, and whether it is the default one."""

    value: float
    label: str
    words: str
    is_default: bool = False


def durations_svg(bars: Sequence[Bar], usual: float | None, about: str) -> str:
    """Durations of runs as bars, the oldest on the left, with a line at the usual duration."""
    return "\n".join(_durations(bars, usual, about))


def _durations(bars: Sequence[Bar], usual: float | None, about: str) -> Iterator[str]:
    step = max(_BAR + 4, min(_WIDEST_BAR, 640 / max(len(bars), 1)))
    width = _LEFT + step * len(bars) + _RIGHT + (90 if usual is not None else 0)
    most = max([bar.value or 0.0 for bar in bars] + [usual or 0.0, 1.0])
    ticks = duration_ticks(most)
    top = ticks[-1]
    yield _opening(width, _HEIGHT, about)
    for tick in ticks:
        y = _y(tick, top)
        yield f'<path class="grid" d="M{_LEFT:g} {y:g}H{width - _RIGHT:g}"/>'
        yield f'<text class="tick" x="{_LEFT - 8:g}" y="{y + 4:g}">{duration(tick) if tick else 0}</text>'
    for at, bar in enumerate(bars):
        yield from _bar(bar, _LEFT + step * at, step, top)
    if usual is not None:
        y = _y(usual, top)
        yield f'<path class="usual" d="M{_LEFT:g} {y:g}H{width - _RIGHT:g}"/>'
        yield f'<text class="usual" x="{width - _RIGHT:g}" y="{y - 5:g}">usual {duration(usual)}</text>'
    yield "</svg>"


def _bar(bar: Bar, x: float, step: float, top: float) -> Iterator[str]:
    y = _y(bar.value or 0.0, top)
    floor_y = _HEIGHT - _BOTTOM
    yield f'<a href="{escaped(bar.link)}" aria-label="{escaped(bar.words)}"><title>{escaped(bar.words)}</title>'
    yield f'<rect class="hit" x="{x:g}" y="{_TOP:g}" width="{step:g}" height="{_HEIGHT - _TOP:g}"/>'
    yield (
        f'<rect class="bar {bar.state}" x="{x + 2:g}" y="{y:g}" width="{step - 4:g}"'
        f' height="{max(floor_y - y, 2):g}" rx="2"/>'
    )
    yield f'<text class="sign {bar.state}" x="{x + step / 2:g}" y="{floor_y + 16:g}">{escaped(bar.sign)}</text></a>'


def outcomes_svg(rows: Sequence[tuple[str, Sequence[int]]], bars: Sequence[Bar], about: str) -> str:
    """Which outcome a gate chose in each run: a row for each outcome, the oldest run on the left.

    Each row names an outcome, and the runs, by their place among `bars`, in which it was chosen.
    """
    return "\n".join(_outcomes(rows, bars, about))


def _outcomes(rows: Sequence[tuple[str, Sequence[int]]], bars: Sequence[Bar], about: str) -> Iterator[str]:
    left = 170.0
    step = max(_BAR + 4, min(_WIDEST_BAR, 560 / max(len(bars), 1)))
    width, height = left + step * len(bars) + _RIGHT, _ROW * len(rows) + 10
    yield _opening(width, height, about)
    for row, (name, runs) in enumerate(rows):
        middle = 5 + _ROW * row + _ROW / 2
        yield f'<text class="tick" x="{left - 10:g}" y="{middle + 4:g}">{escaped(ended(name, 12, left - 16))}</text>'
        yield f'<path class="grid" d="M{left:g} {middle:g}H{width - _RIGHT:g}"/>'
        for at in runs:
            words = f"{bars[at].label}: {name}"
            yield f'<a href="{escaped(bars[at].link)}" aria-label="{escaped(words)}"><title>{escaped(words)}</title>'
            yield f'<circle class="dot d{row % 4}" cx="{left + step * (at + 0.5):g}" cy="{middle:g}" r="7"/></a>'
    yield "</svg>"


def metric_svg(points: Sequence[Point], about: str) -> str:
    """A metric over versions, the oldest on the left; the default version is marked."""
    return "\n".join(_metric(points, about))


def _metric(points: Sequence[Point], about: str) -> Iterator[str]:
    step = max(46.0, min(90.0, 640 / max(len(points), 1)))
    width = _LEFT + step * len(points) + _RIGHT
    values = [point.value for point in points]
    ticks = number_ticks(min(values), max(values))
    low, high = ticks[0], ticks[-1]

    def place(at: int) -> tuple[float, float]:
        span = high - low or 1.0
        share = (points[at].value - low) / span
        y = _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
        return round(_LEFT + step * (at + 0.5), 1), round(y, 1)

    yield _opening(width, _HEIGHT, about)
    for tick in ticks:
        share = (tick - low) / (high - low or 1.0)
        y = _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
        yield f'<path class="grid" d="M{_LEFT:g} {y:.1f}H{width - _RIGHT:g}"/>'
        yield f'<text class="tick" x="{_LEFT - 8:g}" y="{y + 4:.1f}">{tick:.4g}</text>'
    line = "L".join(f"{x:g} {y:g}" for x, y in map(place, range(len(points))))
    yield f'<path class="line" d="M{line}"/>'
    for at, point in enumerate(points):
        x, y = place(at)
        yield f"<g><title>{escaped(point.words)}</title>"
        if point.is_default:
            yield f'<circle class="ring" cx="{x:g}" cy="{y:g}" r="9"/>'
        yield f'<circle class="dot d0" cx="{x:g}" cy="{y:g}" r="4.5"/>'
        label = escaped(ended(point.label, 11, step - 6))
        yield f'<text class="under" x="{x:g}" y="{_HEIGHT - 10:g}">{label}</text></g>'
    yield "</svg>"


def _opening(width: float, height: float, about: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="group"'
        f' aria-label="{escaped(about)}">'
    )


def _y(value: float, top: float) -> float:
    return round(_HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM), 1)


_STEPS_MS = (
    *(100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000),
    *(1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000),
)


def duration_ticks(most: float) -> tuple[float, ...]:
    """From 0 in round steps to at least `most`, in milliseconds: three to six numbers."""
    step = next((step for step in _STEPS_MS if most / step <= 4), most / 4)
    return tuple(float(step * at) for at in range(ceil(most / step) + 1))


_NEAR = 1e-9
"""Numbers that are nearer to each other are the same on a plot."""
_LEAST = 1e-3


def number_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers that enclose both: two to six of them."""
    if high - low <= max(_NEAR, _NEAR * max(abs(low), abs(high))):
        around = max(abs(low) * 0.1, _LEAST)
        low, high = low - around, high + around
    raw = (high - low) / 3
    size = 10.0 ** floor(log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw)
    first, last = floor(low / step), ceil(high / step)
    return tuple(float(f"{at * step:.12g}") for at in range(first, last + 1))
