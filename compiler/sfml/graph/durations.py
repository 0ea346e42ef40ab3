"""Durations such as `90s`, `30m`, `1h30m` and `2 days`, to and from seconds."""

from __future__ import annotations

import re

_PART = re.compile(r"\s*([0-9]{1,12})\s*([A-Za-z]+)\s*")

_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}


def seconds(text: str) -> int | None:
    """The duration in seconds, or None when the text is not a duration.

    >>> seconds("1h30m"), seconds("2 days"), seconds("soon")
    (5400, 172800, None)
    """
    text = text.strip().removeprefix("+")
    total, position = 0, 0
    while position < len(text):
        part = _PART.match(text, position)
        unit = _SECONDS.get(part[2].lower()) if part else None
        if part is None or unit is None:
            return None
        total += int(part[1]) * unit
        position = part.end()
    return total if position else None


def in_words(duration: int) -> str:
    """A duration in seconds as text, in days, hours, minutes and seconds: `1h30m`.

    >>> in_words(5400), in_words(0)
    ('1h30m', '0s')
    """
    rest, words = duration, ""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            words += f"{count}{unit}"
    return words or "0s"
