"""Snowflake's cron grammar and the times it fires."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sfml.semantics.cron import NEVER_FIRES, fire_seconds, fires_between, next_fire, parse_cron
from sfml.semantics.interval import INVALID_SCHEDULE, ScheduleError

NEW_YORK = ZoneInfo("America/New_York")
UTC = ZoneInfo("UTC")


def at(text: str, zone: ZoneInfo = UTC) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 * * 0", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("0 0 * * SUN", "2026-01-04T00:00", "2026-01-11T00:00"),
        ("*/15 * * * *", "2026-01-01T00:00:30", "2026-01-01T00:15"),
        ("5/20 * * * *", "2026-01-01T00:06", "2026-01-01T00:25"),
        ("0 0 1 4/3 *", "2026-05-01T00:00", "2026-07-01T00:00"),
        ("0 0 L * *", "2026-02-01T00:00", "2026-02-28T00:00"),
        ("0 0 L * *", "2028-02-01T00:00", "2028-02-29T00:00"),
        ("0 0 * * 5L", "2026-01-01T00:00", "2026-01-30T00:00"),
        ("0 0 * * fril", "2026-01-01T00:00", "2026-01-30T00:00"),
        ("0 0 13 * 5", "2026-01-01T00:00", "2026-01-02T00:00"),  # both restricted: either matches
        ("0 0 */2 * 1", "2026-01-05T00:00", "2026-01-07T00:00"),  # */2 counts as restricted
        ("0 0 10-12/2 * *", "2026-01-10T00:00", "2026-01-12T00:00"),
        ("*/61 * * * *", "2026-01-01T00:00", "2026-01-01T01:00"),
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-02-29T00:00"),
    ],
)
def test_next_time_is_strictly_after_now(expression: str, after: str, expected: str) -> None:
    assert next_fire(parse_cron(expression, "UTC"), at(after)) == at(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/7 * * * * UTC", "2026-09-11T13:14"),
        ("0 */2 * * * UTC", "2026-09-11T14:00"),
        ("30 9 * * 1-5 America/Los_Angeles", "2026-09-11T16:30"),
        ("0 12 * * SUN UTC", "2026-09-13T12:00"),
        ("15,45 * * * * UTC", "2026-09-11T13:15"),
        ("10-40/10 * * * * UTC", "2026-09-11T13:20"),
        ("0 0 * * 6 UTC", "2026-09-12T00:00"),
        ("0 6 * * MON-FRI Europe/Warsaw", "2026-09-14T04:00"),
        ("0 0 * * */2 UTC", "2026-09-12T00:00"),
        ("5/15 * * * * UTC", "2026-09-11T13:20"),
        ("0 0 * * MON,3 UTC", "2026-09-14T00:00"),
        ("*/61 * * * * UTC", "2026-09-11T14:00"),
        ("0 0 * * * utc", "2026-09-12T00:00"),
        ("0 0 * * * Etc/GMT+5", "2026-09-12T05:00"),
        ("0   0  *  *  * UTC", "2026-09-12T00:00"),
        ("0 0 * JAN-DEC/2 * UTC", "2026-09-12T00:00"),
        ("0 0 1 * MON UTC", "2026-09-14T00:00"),
        ("0 0 1-7 * 1 UTC", "2026-09-14T00:00"),
        ("0 0 L * 1 UTC", "2026-09-14T00:00"),
        ("0 0 */2 * MON UTC", "2026-09-13T00:00"),
        ("0 0 1-31/2 * MON UTC", "2026-09-13T00:00"),
    ],
)
def test_next_times_are_those_of_an_account(expression: str, expected: str) -> None:
    """Scheduled times that accounts told: CronScheduleTest.java of mlorek/frostlake, read at the same moment."""
    fields, _, zone = expression.rpartition(" ")
    assert next_fire(parse_cron(fields, zone), at("2026-09-11T13:13")) == at(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * ? *",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * L",
        "* * * * MON#2",
        "* * LW * *",
        "* * 15W * *",
        "* * L-3 * *",
        "* * * * ?",
        "*/0 * * * *",
        "5-2 * * * *",
        "1,,2 * * * *",
        "1, * * * *",
        "a * * * *",
        "-1 * * * *",
        "* * L/2 * *",
        "@daily",
        "",
    ],
)
def test_what_snowflake_does_not_know_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError, match=INVALID_SCHEDULE):
        parse_cron(expression, "UTC")


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(ScheduleError, match=NEVER_FIRES):
        parse_cron("0 0 30 2 *", "UTC")


@pytest.mark.parametrize(
    "zone",
    [
        "PST",
        "EST",
        "+01:00",
        "Mars/Base",
        "localtime",
        "",
        "posix/Europe/Berlin",
        "America/Argentina",
        "../x",
    ],
)
def test_only_regions_are_time_zones(zone: str) -> None:
    with pytest.raises(ScheduleError, match=r"is not a recognized time zone\. Please specify"):
        parse_cron("* * * * *", zone)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("america/new_york", "America/New_York"),
        ("America/new_York", "America/New_York"),
        ("AMERICA/New_York", "America/New_York"),
        ("America/New_York", "America/New_York"),
        ("America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("utc", "UTC"),
        ("GMT", "GMT"),
    ],
)
def test_regions_are_read_in_any_case(written: str, zone: str) -> None:
    assert parse_cron("0 1 * * *", written).timezone == zone


def test_an_hour_that_spring_leaves_out_does_not_fire() -> None:
    cron = parse_cron("30 2 * * *", "America/New_York")
    assert next_fire(cron, at("2026-03-07T12:00", NEW_YORK)) == at("2026-03-09T02:30", NEW_YORK)


def test_an_hour_that_autumn_repeats_fires_twice() -> None:
    cron = parse_cron("0 1 * * *", "America/New_York")
    fired = fires_between(cron, at("2026-10-31T12:00", NEW_YORK), at("2026-11-01T12:00", NEW_YORK))
    assert [moment.astimezone(UTC).hour for moment in fired] == [5, 6]


def test_a_midnight_that_does_not_exist_is_passed_over() -> None:
    havana = ZoneInfo("America/Havana")
    cron = parse_cron("0 0 * * *", "America/Havana")
    assert next_fire(cron, at("2026-03-07T12:00", havana)) == at("2026-03-09T00:00", havana)


def test_a_clock_that_moves_by_half_an_hour_loses_no_minute() -> None:
    cron = parse_cron("* 0 * * *", "Australia/Lord_Howe")
    midnight = datetime(2025, 10, 5, 13, 0, tzinfo=UTC)
    assert fires_between(cron, datetime(2025, 10, 4, 14, 28, tzinfo=UTC), midnight)[-1] == midnight


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
@pytest.mark.parametrize(
    "fields",
    [
        "30 * * * *",
        "15,45 1-3 * * *",
        "0 2 * * 0",
        "0 0 L * *",
        "10 23 1 */2 *",
        "0 0 13 * 5L",
        "0 0,12 * * MON",
    ],
)
def test_seconds_of_fires_are_those_of_fires(fields: str, zone: str) -> None:
    cron = parse_cron(fields, zone)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    fires = fires_between(cron, start, start + timedelta(days=365))
    assert fire_seconds(cron, start, 365) == [
        int((one.astimezone(UTC) - start).total_seconds()) for one in fires
    ]
