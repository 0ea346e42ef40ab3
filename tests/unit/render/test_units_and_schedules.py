"""Durations, sizes, moments and schedules as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sfml.graph.model import CronSchedule, IntervalSchedule, StreamSchedule
from sfml.render.schedule import cron_words, schedule_text
from sfml.render.units import duration, plural, size

SUNDAY = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.0 s"),
        (340, "0.3 s"),
        (9_949, "9.9 s"),
        (9_960, "10 s"),
        (59_400, "59 s"),
        (59_600, "1 min"),
        (250_000, "4 min 10 s"),
        (3_600_000, "1 h"),
        (4_320_000, "1 h 12 min"),
        (576_000_000, "6 d 16 h"),
    ],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


@pytest.mark.parametrize(("count", "text"), [(812, "812 B"), (12_300, "12 kB"), (3_400_000, "3.4 MB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_counts() -> None:
    assert [plural(n, "row") for n in (0, 1, 23_570)] == ["0 rows", "1 row", "23,570 rows"]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 0 * * 0", "Sundays 00:00"),
        ("30 2 * * *", "daily 02:30"),
        ("5 6 * * mon", "Mondays 06:05"),
        ("0 0 1 * *", "cron 0 0 1 * *"),
        ("*/5 * * * *", "cron */5 * * * *"),
        ("0 0 * * 5L", "cron 0 0 * * 5L"),
    ],
)
def test_crons_in_words(cron: str, words: str) -> None:
    assert cron_words(cron) == words


def test_a_schedule_says_when_it_fires_next() -> None:
    text = schedule_text(CronSchedule("0 0 * * 0", "UTC"), SUNDAY)
    assert text == "Sundays 00:00 UTC, next Sun 29 Nov 00:00 UTC (in 6 d 15 h)"
    assert schedule_text(CronSchedule("30 2 * * *", "Europe/Berlin"), SUNDAY).endswith("(in 16 h 30 min)")
    assert schedule_text(IntervalSchedule(43_200)) == "every 12 h"
    assert schedule_text(StreamSchedule(("RAW.ORDERS",))) == "when RAW.ORDERS has data"
