"""SCHEDULE strings: intervals, and the choice between interval and cron."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfml.semantics.cron import Cron
from sfml.semantics.interval import interval_text
from sfml.semantics.schedule import Interval, ScheduleError, next_fire, parse_schedule

BASE = datetime(2026, 1, 1, 12, 0, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10 SECONDS", 10),
        ("1 MINUTE", 60),
        ("+5 minutes", 300),
        ("90 m", 5400),
        ("192 HOURS", 691_200),
        ("11520 MINUTES", 691_200),
        ("1 H", 3600),
        ("30 S ", 30),
        ("10\tMINUTE\n", 600),
        ("153722867280912931 MINUTES", 52),
    ],
)
def test_intervals(text: str, seconds: int) -> None:
    assert parse_schedule(text) == Interval(seconds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9 SECONDS", "less than 10 seconds"),
        ("0 MINUTES", "Invalid schedule"),
        ("193 HOURS", "greater than 11,520 minutes"),
        ("1 DAY", "Invalid schedule"),
        ("5  MINUTES", "Invalid schedule"),
        ("5MINUTES", "Invalid schedule"),
        ("-5 MINUTES", "Invalid schedule"),
        ("1.5 HOURS", "Invalid schedule"),
        ("", "Invalid schedule"),
        ("USING CRON", "Invalid schedule"),
        ("USING CRON 0 0 * * *", '"\\*" is not a recognized time zone'),
        ("USING CRON 0 0 0 * * * UTC", "Invalid schedule"),
    ],
)
def test_wrong_schedules(text: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        parse_schedule(text)


def test_cron_in_any_case_and_spacing() -> None:
    schedule = parse_schedule("using  cron 0  9-17 * * MON-FRI  utc")
    assert isinstance(schedule, Cron)
    assert (schedule.expression, schedule.timezone) == ("0 9-17 * * MON-FRI", "UTC")


def test_an_interval_counts_from_its_base() -> None:
    every = Interval(3600)
    assert next_fire(every, BASE, BASE) == BASE + timedelta(hours=1)
    assert next_fire(every, BASE + timedelta(hours=1), BASE) == BASE + timedelta(hours=2)
    assert next_fire(every, BASE + timedelta(minutes=90), BASE) == BASE + timedelta(hours=2)


@pytest.mark.parametrize(
    ("seconds", "text"), [(3600, "1 HOUR"), (43200, "12 HOURS"), (90, "90 SECONDS"), (300, "5 MINUTES")]
)
def test_intervals_are_written_as_they_are_read(seconds: int, text: str) -> None:
    assert interval_text(seconds) == text
    assert parse_schedule(text) == Interval(seconds)
