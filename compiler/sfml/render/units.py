"""Durations, sizes, times and counts as text for people."""

from __future__ import annotations

from datetime import datetime, timedelta


def duration(milliseconds: float) -> str:
    """`0.3 s`, `41 s`, `4 min 10 s`, `1 h 12 min`, `6 d 16 h`."""
    seconds = milliseconds / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, unit, small, small_unit in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{whole} s"


def interval(span: timedelta) -> str:
    return duration(span.total_seconds() * 1000)


def size(count: int) -> str:
    """`812 B`, `12 kB`, `3.4 MB`."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"


def moment(at: datetime) -> str:
    """`Sun 29 Nov 00:00 UTC`; with the time zone, if the time has one."""
    return f"{at:%a} {at.day} {at:%b %H:%M} {at.tzname() or ''}".rstrip()


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
