"""A dynamic table, its target lag, and one refresh of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sfml_local.core.errors import SqlError
from sfml_local.core.names import ObjectName

DOWNSTREAM = "DOWNSTREAM"
MINIMUM_LAG = 60
"""Seconds. https://docs.snowflake.com/en/user-guide/dynamic-tables/set-target-lag"""

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SHORT = {
    "s": "second",
    "sec": "second",
    "secs": "second",
    "m": "minute",
    "min": "minute",
    "mins": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "d": "day",
    "w": "week",
}
_LAG = re.compile(r"\s*(\d+)\s*([a-z]+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """An object that a query reads: `kind` is TABLE, VIEW, DYNAMIC_TABLE or STREAM; None if it does not exist."""

    name: ObjectName
    kind: str | None


@dataclass(frozen=True, slots=True)
class DynamicTable:
    """The current state of a dynamic table.

    `database` and `schema` are those in which the query's names are resolved; `target_lag` is in seconds, None for
    DOWNSTREAM; `data_timestamp` is None until the first refresh; `suspended` is the reason, None while it is active;
    `reads` are the tables and dynamic tables below it, also through views; `seen` holds their versions at the last
    refresh.
    """

    name: ObjectName
    id: str
    written: str
    query: str
    database: str | None
    schema: str | None
    owner: str
    created_on: datetime
    warehouse: str
    target_lag: int | None
    refresh_mode: str
    refresh_mode_reason: str | None
    valid_from: datetime
    is_scheduled: bool = True
    initialization_warehouse: str | None = None
    sources: tuple[Source, ...] = ()
    reads: tuple[ObjectName, ...] = ()
    suspended: str | None = None
    suspended_on: datetime | None = None
    resumed_on: datetime | None = None
    data_timestamp: datetime | None = None
    attempted_on: datetime | None = None
    errors: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def shown_lag(self) -> str:
        return DOWNSTREAM if self.target_lag is None else shown_lag(self.target_lag)

    @property
    def next_due(self) -> datetime | None:
        """When the next refresh is due by its own target lag; None if it has none, or is suspended."""
        if self.target_lag is None or self.suspended is not None or not self.is_scheduled:
            return None
        moments = (self.data_timestamp, self.attempted_on)
        last = max((moment for moment in moments if moment is not None), default=self.created_on)
        return last + timedelta(seconds=self.target_lag)


@dataclass(frozen=True, slots=True)
class Refresh:
    """One refresh. https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_refresh_history"""

    id: str
    table: str
    name: ObjectName
    state: str
    query_id: str
    data_timestamp: datetime
    started: datetime
    trigger: str
    target_lag: int | None
    valid_from: datetime
    ended: datetime | None = None
    completion_target: datetime | None = None
    action: str | None = None
    code: str = "SUCCESS"
    message: str | None = None
    statistics: dict[str, Any] | None = None


def parse_lag(text: str) -> int | None:
    """Seconds of a target lag such as `5 minutes`; None for DOWNSTREAM. Raises SqlError."""
    if text.strip().upper() == DOWNSTREAM:
        return None
    match = _LAG.fullmatch(text)
    word = match.group(2).lower() if match else ""
    unit = _UNITS.get(_SHORT.get(word, word.removesuffix("s")))
    if match is None or unit is None:
        raise SqlError(
            f"SQL compilation error:\ninvalid value [{text}] for parameter 'TARGET_LAG'", 1008, "22023"
        )
    seconds = int(match.group(1)) * unit
    if seconds < MINIMUM_LAG:
        raise SqlError(
            f"SQL compilation error:\nTarget lag '{text}' is below the minimum of {MINIMUM_LAG} seconds.",
            1008,
            "22023",
        )
    return seconds


def shown_lag(seconds: int) -> str:
    """A lag in the largest unit that divides it, as in SHOW: `1 day`, `90 minutes`."""
    word, size = next(
        (unit, size)
        for unit, size in reversed(_UNITS.items())
        if seconds % size == 0 and unit not in ("week",)
    )
    count = seconds // size
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
