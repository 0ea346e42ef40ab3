"""The runs of a graph while a plan is made: executing, failed, and due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sfml.base.record import record
from sfml.graph.model import CronSchedule, Schedule
from sfml.semantics.cron import next_fire, parse_cron

RUNS_SHOWN = 5


@record
class RunActivity:
    """The runs of a graph while a plan is made.

    `running_since` is when an executing run began. `retryable` is when the last run began, if it failed or was
    cancelled and can be retried.
    """

    running_since: datetime | None = None
    retryable: datetime | None = None
    retryable_run: str = ""
    """The id of that run."""


def next_runs(schedule: Schedule | None, now: datetime, count: int = RUNS_SHOWN) -> tuple[datetime, ...]:
    """The next times of a cron schedule, in its time zone; empty for others, whose times depend on when they begin."""
    return tuple(_next_runs(schedule, now, count)) if isinstance(schedule, CronSchedule) else ()


def _next_runs(schedule: CronSchedule, now: datetime, count: int) -> Iterator[datetime]:
    cron = parse_cron(schedule.cron, schedule.timezone)
    at: datetime | None = now
    for _ in range(count):
        at = next_fire(cron, at) if at is not None else None
        if at is None:
            return
        yield at.astimezone(ZoneInfo(schedule.timezone))
