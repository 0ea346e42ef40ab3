"""The syntax of intervals such as `'10 MINUTES'` in SCHEDULE and TARGET_COMPLETION_INTERVAL.

https://docs.snowflake.com/en/sql-reference/sql/create-task
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MIN_SECONDS, MAX_SECONDS = 10, 691_200
INVALID_SCHEDULE = (
    "Invalid schedule was specified. Please refer to the docs on what constitutes a valid schedule."
)
TOO_SHORT = "Cannot set schedule less than 10 seconds."
TOO_LONG = "Cannot set schedule greater than 11,520 minutes."

_UNITS: Mapping[str, int] = {
    **dict.fromkeys(("S", "SECOND", "SECONDS"), 1),
    **dict.fromkeys(("M", "MINUTE", "MINUTES"), 60),
    **dict.fromkeys(("H", "HOUR", "HOURS"), 3600),
}


class ScheduleError(ValueError):
    """A schedule that Snowflake refuses; the message is Snowflake's."""


_INTERVAL = re.compile(r"\+?([0-9]+)[ \t\n\r]([A-Za-z]+)[ \t\n\r]*")
_LONGEST = 2**63


def interval_seconds(text: str) -> int | None:
    """The seconds of an interval of any length, or None when the text is not an interval.

    A leading `+` is allowed. Between number and unit stands one space, tab or line break; after the unit, any number.
    Units are in any case; there is no unit for days. Snowflake counts milliseconds in 64 bits: a longer interval in
    minutes or seconds wraps around.

    >>> interval_seconds("+5 minute")
    300
    """
    match = _INTERVAL.fullmatch(text)
    if match is None or match[2].upper() not in _UNITS or int(match[1]) >= _LONGEST:
        return None
    size = _UNITS[match[2].upper()]
    milliseconds = int(match[1]) * size * 1000
    if size < _UNITS["HOUR"]:
        milliseconds = (milliseconds + _LONGEST) % (2 * _LONGEST) - _LONGEST
    return milliseconds // 1000 if milliseconds > 0 else None


def parse_interval(text: str) -> int:
    """The seconds of a SCHEDULE interval, 10 s to 8 days; raises `ScheduleError`."""
    seconds = interval_seconds(text)
    if seconds is None:
        raise ScheduleError(INVALID_SCHEDULE)
    return checked_interval(seconds)


def checked_interval(seconds: int) -> int:
    """The same number of seconds; raises `ScheduleError` when it is below 10 seconds or above 8 days."""
    if seconds < MIN_SECONDS:
        raise ScheduleError(TOO_SHORT)
    if seconds > MAX_SECONDS:
        raise ScheduleError(TOO_LONG)
    return seconds


def interval_text(seconds: int) -> str:
    """The interval in Snowflake's syntax, in the largest unit that divides it: `12 HOURS`, `90 SECONDS`."""
    for unit, size in (("HOUR", 3600), ("MINUTE", 60), ("SECOND", 1)):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 'S'}"
    raise AssertionError("every number of seconds is divisible by 1")
