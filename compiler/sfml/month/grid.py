"""The month by hour and day: how much is at work in each hour, in the month's time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from sfml.base.record import record
from sfml.month.model import Course, Month

HOUR = 3600
LEVELS = (0.0, 900.0, 2700.0, 3600.0)
"""Seconds at work in an hour up to which a cell has the levels 0 to 3; more is level 4: several tasks at once."""


@record
class Cell:
    """An hour of a day: the seconds that tasks are at work in it, and how many runs are missed, delayed or cut off.

    `is_unknown` if a run may go on in it that takes a time which nobody said.
    """

    seconds: float = 0.0
    missed: int = 0
    delayed: int = 0
    cut: int = 0
    is_unknown: bool = False

    @property
    def is_quiet(self) -> bool:
        return self.seconds == 0 and not self.is_unknown

    @property
    def level(self) -> int:
        return next((level for level, most in enumerate(LEVELS) if self.seconds <= most), len(LEVELS))


@record
class Day:
    """A day of the month; a cell is None where its hour is not in the month, or is skipped by a change of clocks."""

    day: date
    cells: tuple[Cell | None, ...]


@record
class Quiet:
    """Hours with nothing at work: their number, the hours of the day that are quiet every day, the longest stretch."""

    hours: int
    always: tuple[int, ...]
    longest: tuple[datetime, datetime] | None


def days_of(month: Month, course: Course, machine: str = "") -> tuple[Day, ...]:
    """A row for each day, with 24 cells; an hour that a change of clocks repeats has both in one cell."""
    seconds: dict[tuple[date, int], float] = {}
    unknown = set()
    for hour, work in enumerate(course.work.get(machine, (0.0,) * month.hours)):
        at = _moment(month.start, hour)
        if at < month.end:
            seconds[at.date(), at.hour] = seconds.get((at.date(), at.hour), 0.0) + work
            if hour in course.unknown:
                unknown.add((at.date(), at.hour))
    missed = _counts(run.due for run in course.missed if not machine)
    delayed = _counts(wait.at for wait in course.waits if machine in ("", wait.machine))
    cut = _counts(run.at for run in course.cut if not machine)
    return tuple(
        Day(
            day,
            tuple(
                Cell(
                    seconds[day, hour],
                    missed.get((day, hour), 0),
                    delayed.get((day, hour), 0),
                    cut.get((day, hour), 0),
                    (day, hour) in unknown,
                )
                if (day, hour) in seconds
                else None
                for hour in range(24)
            ),
        )
        for day in sorted({day for day, _ in seconds})
    )


def quiet_of(month: Month, days: Sequence[Day], course: Course) -> Quiet:
    """The hours in which nothing is at work."""
    always = tuple(
        hour
        for hour in range(24)
        if all(cell is None or cell.is_quiet for day in days for cell in (day.cells[hour],))
    )
    return Quiet(course.quiet_hours, always, _longest(month, course))


def _longest(month: Month, course: Course) -> tuple[datetime, datetime] | None:
    best = (0, 0)
    begin = None
    for hour, seconds in enumerate((*course.work[""], 1.0)):
        is_quiet = seconds == 0 and hour not in course.unknown
        if is_quiet and begin is None:
            begin = hour
        elif not is_quiet and begin is not None:
            best = max(best, (hour - begin, -begin))
            begin = None
    length, start = best[0], -best[1]
    return (
        (_moment(month.start, start), min(_moment(month.start, start + length), month.end))
        if length
        else None
    )


def _moment(start: datetime, hours: int) -> datetime:
    return (start.astimezone(UTC) + timedelta(hours=hours)).astimezone(start.tzinfo)


def _counts(moments: Iterable[datetime]) -> Mapping[tuple[date, int], int]:
    counts: dict[tuple[date, int], int] = {}
    for at in moments:
        counts[at.date(), at.hour] = counts.get((at.date(), at.hour), 0) + 1
    return counts


def hours_in_words(hours: Sequence[int]) -> str:
    """`04–06, 13`: hours of a day as ranges.

    >>> hours_in_words((4, 5, 6, 13))
    '04–06, 13'
    """
    ranges: list[list[int]] = []
    for hour in hours:
        if ranges and hour == ranges[-1][1] + 1:
            ranges[-1][1] = hour
        else:
            ranges.append([hour, hour])
    return ", ".join(f"{low:02}" if low == high else f"{low:02}–{high:02}" for low, high in ranges)
