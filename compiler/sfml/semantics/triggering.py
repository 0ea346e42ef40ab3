"""When a graph that streams trigger is looked at: https://docs.snowflake.com/en/user-guide/tasks-triggered."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfml.semantics.conditions import reads_streams

DEFAULT_MINIMUM_INTERVAL = 30
"""USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS where it is not set."""

HEALTH_CHECK = timedelta(hours=12)
"""A triggered task without a run for so long gets one, which its condition may skip."""


def is_triggered(schedule: str | None, condition: str | None) -> bool:
    """Whether a root runs when a stream has data: no schedule, and a WHEN that asks for streams."""
    return not schedule and reads_streams(condition)


def next_trigger(
    *, has_data: bool, resumed: datetime, last: datetime | None, minimum_interval: int | None
) -> datetime:
    """When the graph is to begin its next run if nothing changes until then; a moment that is past means now.

    With data at once, but never sooner than the minimum interval after the last run; without data at the
    health check. `last` is when it was triggered last.
    """
    if not has_data:
        return max(resumed, last or resumed) + HEALTH_CHECK
    if last is None:
        return resumed
    seconds = DEFAULT_MINIMUM_INTERVAL if minimum_interval is None else minimum_interval
    return last + timedelta(seconds=seconds)
