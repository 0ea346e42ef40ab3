"""A task's SCHEDULE, which is `USING CRON …` or an interval, and the times at which it fires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TypeAlias

from sfml.base.record import record
from sfml.semantics import cron
from sfml.semantics.cron import Cron, parse_cron
from sfml.semantics.interval import INVALID_SCHEDULE, ScheduleError, parse_interval

__all__ = ["Cron", "Interval", "Schedule", "ScheduleError", "fires", "next_fire", "parse_schedule"]


@record
class Interval:
    """A SCHEDULE that is an interval."""

    seconds: int


Schedule: TypeAlias = Cron | Interval


@lru_cache(maxsize=256)
def parse_schedule(text: str) -> Schedule:
    """The schedule in a SCHEDULE string; raises `ScheduleError` with Snowflake's sentence.

    >>> parse_schedule("10 MINUTES")
    Interval(seconds=600)
    """
    words = text.split()
    if [word.upper() for word in words[:2]] == ["USING", "CRON"]:
        if len(words) < 3:
            raise ScheduleError(INVALID_SCHEDULE)
        if len(words) == 7:  # the zone is missing: Snowflake reads the last field as one
            raise ScheduleError(cron.unknown_zone(words[-1]))
        return parse_cron(" ".join(words[2:-1]), words[-1])
    return Interval(parse_interval(text))


def next_fire(schedule: Schedule, after: datetime, base: datetime) -> datetime | None:
    """The next time at which the schedule fires, strictly after `after`; None where it never fires again.

    `base` is the time of RESUME or SET SCHEDULE: an interval fires one interval after it, and then every interval.
    https://docs.snowflake.com/en/sql-reference/sql/create-task
    """
    if isinstance(schedule, Cron):
        return cron.next_fire(schedule, after)
    step = timedelta(seconds=schedule.seconds)
    elapsed = max((after - base) // step, 0)
    return base + (elapsed + 1) * step


def fires(schedule: Schedule, after: datetime, until: datetime, base: datetime) -> Iterator[datetime]:
    """Every time after `after` up to and including `until`, in order."""
    if isinstance(schedule, Cron):
        last = until.astimezone(UTC)
        yield from takewhile(lambda moment: moment <= last, cron.fires_after(schedule, after))
        return
    moment = next_fire(schedule, after, base)
    while moment is not None and moment <= until:
        yield moment
        moment = next_fire(schedule, moment, base)
