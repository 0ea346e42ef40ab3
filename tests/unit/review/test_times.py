"""When schedules run: months, and what changes of clocks take or double."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.review.times import times_of
from sfml.semantics.cron import fires_between, parse_cron

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        (CronSchedule("0 0 * * 0", "UTC"), 5),
        (CronSchedule("0 4 * * *", "Europe/Berlin"), 30),
        (CronSchedule("0,30 */6 * * *", "UTC"), 240),
        (CronSchedule("* * * * *", "UTC"), 43_200),
        (CronSchedule("0 0 L * *", "UTC"), 1),
        (CronSchedule("0 0 1 6 *", "UTC"), 0),
        (IntervalSchedule(43_200), 60),
        (StreamSchedule(("RAW.ORDERS",)), None),
        (Manual(), None),
    ],
)
def test_runs_in_thirty_days(schedule: Schedule, runs: int | None) -> None:
    assert times_of(schedule, NOW).runs == runs


@pytest.mark.parametrize(
    ("cron", "zone", "skipped", "repeated"),
    [
        ("30 2 * * *", "Europe/Berlin", ["2027-03-28 02:30"], ["2027-10-31 02:30"]),
        ("0 3 * * *", "Europe/Berlin", [], []),
        ("30 2 * * 1", "Europe/Berlin", [], []),
        ("30 1 * * *", "America/New_York", [], ["2027-11-07 01:30"]),
        ("30 2 * * *", "America/New_York", ["2027-03-14 02:30"], []),
        ("15 2 * * *", "Australia/Lord_Howe", ["2027-10-03 02:15"], []),
        ("45 1 * * *", "Australia/Lord_Howe", [], ["2027-04-04 01:45"]),
        ("30 2 * * *", "UTC", [], []),
        ("*/5 * * * *", "Europe/Berlin", [], []),
    ],
)
def test_runs_that_clocks_take_and_double(
    cron: str, zone: str, skipped: list[str], repeated: list[str]
) -> None:
    found = times_of(CronSchedule(cron, zone), NOW).clock_changes
    assert [f"{one.at:%Y-%m-%d %H:%M}" for one in found if one.is_skipped] == skipped
    assert [f"{one.at:%Y-%m-%d %H:%M}" for one in found if not one.is_skipped] == repeated


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
def test_it_says_what_the_scheduler_does(zone: str) -> None:
    """A skipped run does not fire on its day; a repeated one fires twice."""
    for minute in (15, 45):
        for hour in (0, 1, 2):
            schedule = CronSchedule(f"{minute} {hour} * * *", zone)
            for one in times_of(schedule, NOW).clock_changes:
                start = one.at.replace(hour=0, minute=0)
                fires = fires_between(parse_cron(schedule.cron, zone), start, one.at.replace(hour=23, fold=0))
                on_the_day = [at for at in fires if at.date() == one.at.date()]
                assert len(on_the_day) == (0 if one.is_skipped else 2), (schedule, one)


def test_next_runs_are_in_the_schedules_zone() -> None:
    found = times_of(CronSchedule("0 4 * * 1", "Europe/Berlin"), NOW).next_runs
    assert [at.isoformat() for at in found[:2]] == ["2026-11-23T04:00:00+01:00", "2026-11-30T04:00:00+01:00"]
