"""When a graph that is triggered by streams runs: https://docs.snowflake.com/en/user-guide/tasks-triggered."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfml.semantics.conditions import reads_streams

DEFAULT_MINIMUM_INTERVAL = 30
"""USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS where it is not set."""

HEALTH_CHECK = timedelta(hours=12)
"""How long a triggered task stays without a run: then Snowflake starts one, which its condition may skip."""


def is_triggered(schedule: str | None, condition: str | None) -> bool:
    """Whether streams trigger a root task: it has no schedule, and its WHEN reads a stream."""
    return not schedule and reads_streams(condition)


def next_trigger(
    *, has_data: bool, resumed: datetime, last: datetime | None, minimum_interval: int | None
) -> datetime:
    """When the next run begins if nothing changes until then; a time in the past means now.

    With data it begins at once, but not before `minimum_interval` seconds after `last`, the last time the graph was
    triggered. Without data it begins at the health check.
    """
    if not has_data:
        return max(resumed, last or resumed) + HEALTH_CHECK
    if last is None:
        return resumed
    seconds = DEFAULT_MINIMUM_INTERVAL if minimum_interval is None else minimum_interval
    return last + timedelta(seconds=seconds)
