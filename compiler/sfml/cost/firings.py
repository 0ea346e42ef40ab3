"""When runs begin in a year, from the schedule and the rule for runs that overlap."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from sfml.base.record import record
from sfml.cost.amount import Amount
from sfml.graph.expectations import ExpectedRuns
from sfml.graph.model import CronSchedule, GraphSettings, IntervalSchedule, Manual
from sfml.semantics.cron import fire_seconds, parse_cron
from sfml.semantics.interval import MIN_SECONDS
from sfml.semantics.limits import timeout_seconds

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the year begins that is simulated: always the same, so that the same specs cost the same."""
YEAR = 365 * 86_400
MONTHS = 12


@record
class Firings:
    """The seconds after `START` at which runs begin: fewest, and most; `most` is None where nothing says how often.

    `one_at_a_time` says that no run begins while another goes on, so that no task works for more than the whole year.
    """

    fewest: Sequence[int]
    most: Sequence[int] | None
    one_at_a_time: bool = False

    @property
    def per_month(self) -> Amount:
        return Amount(len(self.fewest) / MONTHS, None if self.most is None else len(self.most) / MONTHS)


def firings_of(settings: GraphSettings, takes: Amount) -> Firings:
    """The beginnings of the runs of a graph, of which each takes so many seconds.

    One of unknown duration may go on until its timeout.
    """
    schedule = settings.schedule
    match schedule:
        case CronSchedule(cron, timezone):
            times: Sequence[int] = _fires_of_year(cron, timezone)
        case IntervalSchedule(seconds):
            times = range(0, YEAR, seconds)
        case _:
            return _expected(settings.expected_runs, is_manual=isinstance(schedule, Manual))
    if settings.overlap != "NO_OVERLAP":
        return Firings(times, times)
    limit = timeout_seconds(None if settings.timeout is None else settings.timeout * 1000)
    longest = max(limit, takes.low) if takes.high is None else takes.high
    fewest, most = _one_after_the_other(times, longest), _one_after_the_other(times, takes.low)
    return Firings(fewest, most, one_at_a_time=True)


@lru_cache(maxsize=16)
def _fires_of_year(cron: str, timezone: str) -> Sequence[int]:
    """The same for all pipelines with one schedule; at most half a million numbers."""
    return array("l", fire_seconds(parse_cron(cron, timezone), START, YEAR // 86_400))


def _expected(expected: ExpectedRuns | None, *, is_manual: bool) -> Firings:
    """Runs evenly over the year; without a word, none of a graph that people start, and of others nobody knows."""
    if expected is None:
        return Firings((), () if is_manual else None)
    return Firings(_evenly(round(expected.per_year.low)), _evenly(round(expected.per_year.high)))


def _evenly(count: int) -> Sequence[int]:
    """So many beginnings over the year, at most one in the shortest interval between runs that Snowflake takes."""
    most = min(count, YEAR // MIN_SECONDS)
    return array("q", (at * YEAR // most for at in range(most)))


def _one_after_the_other(times: Sequence[int], takes: float) -> Sequence[int]:
    """The times at which no earlier run is going on: Snowflake leaves the others out."""
    if isinstance(times, range) and takes <= times.step:
        return times
    begun: list[int] = []
    free = 0.0
    for at in times:
        if at >= free:
            begun.append(at)
            free = at + takes
    return begun
