"""Snowflake's limits and defaults for tasks and task graphs.

https://docs.snowflake.com/en/sql-reference/sql/create-task, …/user-guide/tasks-graphs
"""

from __future__ import annotations

from collections.abc import Mapping

MAX_TASKS_PER_GRAPH = 1000
MAX_PREDECESSORS = 100
MAX_CHILDREN = 100
MAX_RETURN_VALUE_BYTES = 10_000
MAX_IDENTIFIER_LENGTH = 255
MAX_TAG_VALUE = 256
DEFAULT_TIMEOUT_MS = 3_600_000
MAX_TIMEOUT_MS = 604_800_000
DEFAULT_SUSPEND_AFTER_FAILURES = 10

INTEGER_RANGES: Mapping[str, tuple[int, int | None]] = {
    "USER_TASK_TIMEOUT_MS": (0, MAX_TIMEOUT_MS),
    "SUSPEND_TASK_AFTER_NUM_FAILURES": (0, None),
    "TASK_AUTO_RETRY_ATTEMPTS": (0, 30),
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": (10, 604_800),
}
"""Parameter → smallest and largest value (None: no upper bound)."""

WAREHOUSE_SIZES = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE")
"""The sizes that a serverless task takes, from small to large."""

_SIZE_ALIASES = {"X-SMALL": "XSMALL", "X-LARGE": "XLARGE", "X2LARGE": "XXLARGE", "2X-LARGE": "XXLARGE"}


def warehouse_size(text: str) -> str | None:
    """The warehouse size as `WAREHOUSE_SIZES` spells it, or None when a serverless task does not take it."""
    size = _SIZE_ALIASES.get(text.upper(), text.upper())
    return size if size in WAREHOUSE_SIZES else None


def timeout_seconds(milliseconds: int | None) -> float:
    """USER_TASK_TIMEOUT_MS in seconds: one hour where it is not set, and for 0 the maximum of seven days."""
    if milliseconds is None:
        return DEFAULT_TIMEOUT_MS / 1000
    return (milliseconds or MAX_TIMEOUT_MS) / 1000
