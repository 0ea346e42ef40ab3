"""When a schedule runs: its next times, its runs in a month, and runs that daylight saving time skips or repeats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sfml.graph.model import CronSchedule, IntervalSchedule, Schedule
from sfml.plan.run_activity import next_runs
from sfml.review.model import ClockChange, Times
from sfml.semantics.clock_changes import clock_changes
from sfml.semantics.cron import Cron, parse_cron

MONTH = timedelta(days=30)
AHEAD = timedelta(days=400)
"""How far ahead changes of clocks are searched; within that time every zone with daylight saving time has both."""
MOST_A_DAY = 12
"""The most runs a day for which skipped runs are reported; with more, the next run follows soon."""


@lru_cache(maxsize=256)  # many pipelines, and both sides of most, have the same schedule
def times_of(schedule: Schedule, now: datetime) -> Times:
    """The times of a schedule from `now` on."""
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
    """The number of runs in thirty whole days: the days on which it runs, times the runs of such a day."""
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
    """For each change of clocks, the first run that is skipped or repeated."""
    if _runs_a_day(cron) > MOST_A_DAY:
        return
    zone = ZoneInfo(cron.timezone)
    for change in clock_changes(zone, now, AHEAD):
        wall = next(change.times(cron), None)
        if wall is not None:
            yield ClockChange(wall.replace(tzinfo=zone), is_skipped=change.is_skipped)
