"""When a schedule runs: its next times, how often in a month, and the runs that changes of clocks skip or repeat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sfml.graph.model import CronSchedule, IntervalSchedule, Schedule
from sfml.plan.situation import next_runs
from sfml.review.model import ClockChange, Times
from sfml.semantics.cron import Cron, parse_cron

MONTH = timedelta(days=30)
AHEAD = timedelta(days=400)
"""How far ahead changes of clocks are looked for: every zone that has them has both within it."""
MOST_A_DAY = 12
"""A schedule that runs more often loses nothing that the next run does not make up for."""


@lru_cache(maxsize=256)  # many pipelines, and both sides of most, run at the same times
def times_of(schedule: Schedule, now: datetime) -> Times:
    """When it runs from `now` on."""
    match schedule:
        case CronSchedule(expression, timezone):
            cron = parse_cron(expression, timezone)
            runs = _runs_in_a_month(cron, now)
            return Times(schedule, next_runs(schedule, now), runs, tuple(_clock_changes(cron, now)))
        case IntervalSchedule(seconds):
            return Times(schedule, runs=int(MONTH.total_seconds()) // seconds)
        case _:
            return Times(schedule)


def _runs_in_a_month(cron: Cron, now: datetime) -> int:
    """In thirty whole days: days that it runs on, times the runs of such a day."""
    days = CronSim(" ".join(("0", "0", "0", *cron.expanded[2:])), _midnight(cron, now) - timedelta(seconds=1))
    end = _midnight(cron, now) + MONTH
    count = 0
    for day in days:
        if day >= end:
            break
        count += 1
    return count * _runs_a_day(cron)


def _runs_a_day(cron: Cron) -> int:
    minutes, hours = cron.expanded[:2]
    return (60 if minutes == "*" else len(minutes.split(","))) * (
        24 if hours == "*" else len(hours.split(","))
    )


def _midnight(cron: Cron, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(cron.timezone)).replace(tzinfo=None)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _clock_changes(cron: Cron, now: datetime) -> Iterator[ClockChange]:
    """The first run of each change of clocks that is left out, or that is made twice."""
    if _runs_a_day(cron) > MOST_A_DAY:
        return
    zone = ZoneInfo(cron.timezone)
    for at in _transitions(zone, now):
        before = (at - timedelta(seconds=1)).astimezone(zone).utcoffset()
        after = at.astimezone(zone).utcoffset()
        assert before is not None and after is not None
        start, end = sorted(((at + before).replace(tzinfo=None), (at + after).replace(tzinfo=None)))
        wall = next(CronSim(" ".join(("0", *cron.expanded)), start - timedelta(seconds=1)), None)
        if wall is not None and wall < end:
            yield ClockChange(wall.replace(tzinfo=zone), is_skipped=after > before)


def _transitions(zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """The moments at which the zone's clock is changed, to the minute."""
    day = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    end = day + AHEAD
    while day < end:
        low, high = day, day + timedelta(days=1)
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // 2
                is_before = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if is_before else (low, middle)
            yield high.replace(second=0, microsecond=0)
        day += timedelta(days=1)
