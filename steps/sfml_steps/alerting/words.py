"""Texts of alerts: the reason of an error in one line, durations, times, and what is safe on one line."""

from __future__ import annotations

import datetime
import re
from typing import Any

REASON_LIMIT = 300
"""The most characters of a reason."""

_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:: .*|$)")
_HANDLER = re.compile(r"\s*\bin function [\w$.\"]+ with handler [\w.]+\s*$")
_UNCAUGHT = re.compile(
    r"^(?:\d{6} \(\w{5}\): )?Uncaught exception of type '(?:STATEMENT|EXPRESSION)_ERROR'"
    r"(?: on line \d+ at position \d+)? ?: "
)
_LOGGED = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d+ - (?:\S+ - )?(?:DEBUG|INFO|WARNING) - |\[local server\] "
)
_LAUNCHER = re.compile(r'\s*(?:"[\w. ]+" : |-{5,}$|\+(?:-\+)?-{4,}|ML job (?:started|finished|completed)\b)')
"""Lines that the connector and the launcher of ML Jobs write to the same log as a script, and rules in a drawn tree."""
_TRUNK = re.compile(r"\s*\| ")
"""What an exception group is drawn with, where the log begins in the middle of its traceback."""
_EXIT = re.compile(r"exit code (-?\d+), last lines of its log:")
_MODULE = re.compile(r"^(?:[a-z_]\w*\.)+(?=[A-Z])")


def reason_of(error: object) -> str:
    """Return the most telling part of an error, on one line: of a traceback, the exception; of a job, its last word.

    >>> reason_of('Traceback (most recent call last):\\n  File "a.py", line 1, in f\\nbuiltins.ValueError: no rows')
    'ValueError: no rows'
    """
    text = _UNCAUGHT.sub("", str(error or "").strip())
    every = [line.rstrip() for line in _HANDLER.sub("", text).splitlines() if line.strip()]
    lines = [line for line in every if not _LOGGED.match(line)] or every
    found = _last_word(lines) or " ".join(line.strip() for line in lines)
    if _TRACEBACK in text:
        after = [at for at, line in enumerate(lines) if _TRACEBACK in line][-1] + 1
        heads = [at for at in range(after, len(lines)) if _EXCEPTION.match(lines[at])]
        if heads:
            found = " ".join(line.strip() for line in lines[heads[-1] :])
    return shortened(one_line(_MODULE.sub("", found)), REASON_LIMIT)


def _last_word(lines: list[str]) -> str:
    """Return the last line that a job's script printed, from an error that holds the end of its log."""
    heads = [at for at, line in enumerate(lines) if _EXIT.match(line)]
    if not heads:
        return ""
    code = _EXIT.match(lines[heads[-1]])
    printed = [_TRUNK.sub("", line).strip() for line in lines[heads[-1] + 1 :] if not _LAUNCHER.match(line)]
    number = code[1] if code else "1"
    if not printed:
        return f"exit code {number}"
    return printed[-1] if number == "1" else f"{printed[-1]} (exit code {number})"


def one_line(text: object) -> str:
    """Return the text with a blank for each line end and each character that cannot be printed."""
    return " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def time_text(at: object) -> str:
    """Return a time as `2026-11-22 00:00 UTC`; a text that is no time as it is.

    >>> time_text("2026-11-22T01:30:59.5+01:00")
    '2026-11-22 00:30 UTC'
    """
    moment = moment_of(at)
    return one_line(at) if moment is None else moment.strftime("%Y-%m-%d %H:%M UTC")


def moment_of(at: object) -> datetime.datetime | None:
    """Return a time in UTC from a datetime or from ISO text; None for anything else."""
    if isinstance(at, str):
        text = at.strip().replace("Z", "+00:00")
        try:
            at = datetime.datetime.fromisoformat(text)
        except ValueError:
            return None
    if not isinstance(at, datetime.datetime):
        return None
    zoned = at if at.tzinfo is not None else at.replace(tzinfo=datetime.timezone.utc)
    return zoned.astimezone(datetime.timezone.utc)


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units.

    >>> duration_text(4.2), duration_text(190), duration_text(7320), duration_text(180000)
    ('4 s', '3 min 10 s', '2 h 2 min', '2 d 2 h')
    """
    rest = round(seconds)
    words: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count or (unit == "s" and not words):
            words.append(f"{count} {unit}")
    return " ".join(words[:2])


def row_value(row: Any, name: str) -> Any:
    """Return a column of a row as Snowpark gives it, by its name in either case."""
    for key, value in row.items():
        if key.strip('"').upper() == name:
            return value
    return None
