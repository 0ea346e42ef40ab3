"""Schedules against an independent model that walks through time minute by minute."""

from __future__ import annotations

import calendar
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_speed import SLOWNESS

from sfml.semantics.cron import NEVER_FIRES
from sfml.semantics.interval import ScheduleError
from sfml.semantics.schedule import Interval, fires, next_fire, parse_schedule

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana")
LOWS, HIGHS = (0, 0, 1, 1, 0), (59, 23, 31, 12, 6)


@cache
def matches(field: str, value: int, low: int, high: int) -> bool:
    """Whether a field of numbers, lists, ranges and steps takes a value: tried out, not computed."""
    for item in field.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (int(part) for part in span.split("-"))
        else:
            first, last = int(span), high if step else int(span)
        if first <= value <= last and (value - first) % int(step or 1) == 0:
            return True
    return False


def is_last(day: datetime, weekday: int | None = None) -> bool:
    """The last day of its month, or its month's last such weekday."""
    days = calendar.monthrange(day.year, day.month)[1]
    if weekday is None:
        return day.day == days
    return day.isoweekday() % 7 == weekday and day.day + 7 > days


def walked(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """Every minute after `start` and not after `end` whose local time the five fields take."""
    minute, hour, day, month, weekday = expression.split()

    def takes_day(local: datetime) -> bool:
        by_day = is_last(local) if day == "L" else matches(day, local.day, 1, 31)
        if weekday.endswith("L"):
            by_weekday = is_last(local, int(weekday[:-1]))
        else:
            by_weekday = matches(weekday, local.isoweekday() % 7, 0, 6)
        # Two restricted fields: either is enough. `*/2` is restricted, `*` is not.
        return (by_day or by_weekday) if day != "*" and weekday != "*" else (by_day and by_weekday)

    found = []
    region = ZoneInfo(zone)
    moment = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while moment <= end:
        local = moment.astimezone(region)
        if (
            matches(minute, local.minute, 0, 59)
            and matches(hour, local.hour, 0, 23)
            and matches(month, local.month, 1, 12)
            and takes_day(local)
        ):
            found.append(moment)
        moment += timedelta(minutes=1)
    return found


VALUES = [st.integers(low, high) for low, high in zip(LOWS, HIGHS, strict=True)]
STEPS = [st.integers(1, high + 2) for high in HIGHS]
KINDS = st.sampled_from(("value", "range", "step", "stepped range", "steps from"))
CHOICES = [st.sampled_from(["*", "*", "items"] + (["last"] if at in (2, 4) else [])) for at in range(5)]
COUNTS = st.integers(1, 3)


@st.composite
def fields(draw: st.DrawFn, at: int) -> str:
    value = VALUES[at]

    def item() -> str:
        kind = draw(KINDS)
        first, last = sorted((draw(value), draw(value)))
        step = draw(STEPS[at])
        return {
            "value": f"{first}",
            "range": f"{first}-{last}",
            "step": f"*/{step}",
            "stepped range": f"{first}-{last}/{step}",
            "steps from": f"{first}/{step}",
        }[kind]

    match draw(CHOICES[at]):
        case "items":
            return ",".join(item() for _ in range(draw(COUNTS)))
        case "last":
            return "L" if at == 2 else f"{draw(value)}L"
    return "*"


EXPRESSIONS = st.tuples(*(fields(at) for at in range(5))).map(" ".join)
STARTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(EXPRESSIONS, st.sampled_from(ZONES), STARTS)
def test_cron_fires_when_the_walk_does(expression: str, zone: str, start: datetime) -> None:
    end = start + timedelta(days=2)
    try:
        schedule = parse_schedule(f"USING CRON {expression} {zone}")
    except ScheduleError as refused:
        assert str(refused) == NEVER_FIRES
        assert walked(expression, zone, start, end) == []
        return
    found = [moment.astimezone(UTC) for moment in fires(schedule, start, end, start)]
    assert found == walked(expression, zone, start, end)


@pytest.mark.parametrize(
    ("expression", "zone", "day"),
    [
        # Both clock changes of a year, of an hour and of half an hour, and one at midnight.
        *(
            ("*/15 * * * *", zone, day)
            for zone, day in (
                ("America/New_York", "2026-03-07"),
                ("America/New_York", "2026-10-31"),
                ("Europe/Berlin", "2026-03-28"),
                ("Europe/Berlin", "2026-10-24"),
                ("Australia/Lord_Howe", "2026-04-04"),
                ("Australia/Lord_Howe", "2026-10-03"),
                ("America/Havana", "2026-03-07"),
                ("America/Havana", "2026-10-31"),
            )
        ),
        ("30 1,2 * * *", "America/New_York", "2026-03-07"),
        ("30 1,2 * * *", "America/New_York", "2026-10-31"),
        ("0 0 * * *", "America/Havana", "2026-03-07"),
        ("10 2 * * *", "Australia/Lord_Howe", "2026-10-03"),
    ],
)
def test_clock_changes(expression: str, zone: str, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    end = start + timedelta(days=3)
    schedule = parse_schedule(f"USING CRON {expression} {zone}")
    found = [moment.astimezone(UTC) for moment in fires(schedule, start, end, start)]
    assert found == walked(expression, zone, start, end)


def test_a_year_of_every_hour_is_quick() -> None:
    schedule = parse_schedule("USING CRON 0 * * * * Europe/Berlin")
    start, began = datetime(2026, 1, 1, tzinfo=UTC), time.monotonic()
    found = list(fires(schedule, start, start + timedelta(days=365), start))
    assert len(found) == 365 * 24
    assert time.process_time() - began < 10 * SLOWNESS


@given(st.integers(10, 691_200), STARTS, st.integers(0, 10**8))
def test_intervals_keep_their_beat(seconds: int, base: datetime, later: int) -> None:
    now = base + timedelta(seconds=later / 10)
    moment = next_fire(Interval(seconds), now, base)
    assert moment is not None
    assert timedelta(0) < moment - now <= timedelta(seconds=seconds)
    assert (moment - base) % timedelta(seconds=seconds) == timedelta(0)
    assert moment - base >= timedelta(seconds=seconds)
