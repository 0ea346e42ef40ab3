"""Changes of clocks: when a time zone's clock is set forward or back, and which times of a cron that concerns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sfml.base.record import record
from sfml.semantics.cron import Cron


@record
class ClockChange:
    """A change of a clock at `at` (UTC), by which the local times from `first` to `last` are skipped or repeated."""

    at: datetime
    first: datetime
    last: datetime
    is_skipped: bool

    def times(self, cron: Cron) -> Iterator[datetime]:
        """The local times of the cron, without a zone, that the change skips or repeats."""
        moments = CronSim(" ".join(("0", *cron.expanded)), self.first - timedelta(seconds=1))
        return takewhile(lambda wall: wall < self.last, moments)


def clock_changes(zone: ZoneInfo, start: datetime, span: timedelta) -> Iterator[ClockChange]:
    """The changes of the zone's clock in the time after `start`."""
    for at in _transitions(zone, start, span):
        before = (at - timedelta(seconds=1)).astimezone(zone).utcoffset()
        after = at.astimezone(zone).utcoffset()
        assert before is not None and after is not None
        first, last = sorted(((at + before).replace(tzinfo=None), (at + after).replace(tzinfo=None)))
        yield ClockChange(at, first, last, is_skipped=after > before)


def _transitions(zone: ZoneInfo, start: datetime, span: timedelta) -> Iterator[datetime]:
    """The times, to the minute, at which the zone's clock is changed."""
    day = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    end = day + span
    while day < end:
        low, high = day, day + timedelta(days=1)
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // 2
                is_before = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if is_before else (low, middle)
            yield high.replace(second=0, microsecond=0)
        day += timedelta(days=1)
