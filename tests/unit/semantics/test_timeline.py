"""When runs begin: schedules, overlap, suspension after failures, streams."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from sfml.semantics.cron import parse_cron
from sfml.semantics.schedule import parse_schedule
from sfml.semantics.timeline import Course, Event, Firing, Rules, Suspension, first, scheduled, triggered

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(**passed: float) -> datetime:
    return START + timedelta(**passed)


def hours(events: Iterator[Event], until: int = 12) -> list[float | str]:
    """Hours after the start: those at which a run begins as numbers, others as text."""
    told: list[float | str] = []
    for event in first(events, at(hours=until), None, 1_000):
        passed = (event.at - START) / timedelta(hours=1)
        match event:
            case Firing(began=True):
                told.append(passed)
            case Firing():
                told.append(f"passed {passed:g}")
            case Suspension():
                told.append(f"suspended {passed:g}")
    return told


def hourly(rules: Rules, course: Course) -> Iterator[Event]:
    return scheduled(parse_schedule("60 MINUTES"), START, rules, course)


TWO_AND_A_HALF = (timedelta(hours=2.5),)


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        (None, [1, "passed 2", "passed 3", 4, "passed 5", "passed 6", 7]),
        ("NO_OVERLAP", [1, "passed 2", "passed 3", 4, "passed 5", "passed 6", 7]),
        # The generated root ends at once: beside it there are only children.
        ("ALLOW_CHILD_OVERLAP", [1, 2, 3, 4, 5, 6, 7]),
        ("ALLOW_ALL_OVERLAP", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_overlap(overlap: str | None, expected: list[float | str]) -> None:
    assert hours(hourly(Rules(overlap), Course(TWO_AND_A_HALF)), until=7) == expected


def test_a_run_that_ends_at_the_moment_makes_room() -> None:
    assert hours(hourly(Rules(), Course((timedelta(hours=1),))), until=3) == [1, 2, 3]


def test_the_last_length_holds_for_the_rest() -> None:
    course = Course((timedelta(hours=1.5), timedelta(minutes=1)))
    assert hours(hourly(Rules(), course), until=5) == [1, "passed 2", 3, 4, 5]


@pytest.mark.parametrize(
    ("failed", "after", "expected"),
    [
        ({1, 2}, 2, [1, 2, "suspended 2.5"]),
        ({1, 3, 4}, 2, [1, 2, 3, 4, "suspended 4.5"]),
        ({1, 3, 5}, 2, [1, 2, 3, 4, 5, 6]),
        ({1, 2, 3, 4, 5}, 0, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_failures_in_a_row_suspend(failed: set[int], after: int, expected: list[float | str]) -> None:
    course = Course((timedelta(hours=0.5),), lambda number: number in failed)
    assert hours(hourly(Rules(suspend_after=after), course), until=6) == expected


def test_ten_failures_are_the_default() -> None:
    told = hours(hourly(Rules(), Course((), lambda number: True)), until=20)
    assert told == [*range(1, 11), "suspended 10"]


def test_streams_start_runs_at_most_so_often() -> None:
    seconds = [5, 6, 20, 100, 100.5]
    events = triggered([at(seconds=one) for one in seconds], START, 30, Rules(), Course())
    # The data of 6 and 20 waits for 30 seconds after the run of 5.
    assert [(event.at - START).total_seconds() for event in first(events, None, 99, 99)] == [5, 35, 100, 130]


def test_a_triggered_run_waits_for_the_one_before() -> None:
    data = [at(minutes=1), at(minutes=2)]
    events = triggered(data, START, 30, Rules(), Course((timedelta(minutes=10),)))
    assert [event.at for event in first(events, None, 99, 99)] == [at(minutes=1), at(minutes=11)]


def test_data_of_a_failed_run_starts_another() -> None:
    course = Course((timedelta(seconds=10),), lambda number: number <= 2)
    events = first(triggered([at(minutes=1)], START, None, Rules(), course), None, 99, 99)
    assert [event.at for event in events] == [at(seconds=60), at(seconds=90), at(seconds=120)]


def test_data_that_is_never_read_suspends() -> None:
    events = triggered([at(minutes=1)], START, None, Rules(suspend_after=3), Course((), lambda number: True))
    *begun, last = first(events, None, 99, 99)
    assert len(begun) == 3
    assert last == Suspension(at(seconds=120))


def test_too_many_moments_are_refused() -> None:
    with pytest.raises(OverflowError):
        first(hourly(Rules(), Course()), at(days=100), None, 50)


def test_a_run_in_an_hour_that_is_repeated_keeps_no_later_one_from_beginning() -> None:
    """On 31 October 2027 Berlin's clock is set back from 3 to 2: 02:01 comes twice, an hour apart."""
    cron = parse_cron("1 * * * *", "Europe/Berlin")
    course = Course((timedelta(minutes=5),))
    events = scheduled(cron, datetime(2027, 10, 30, 23, 30, tzinfo=UTC), Rules("NO_OVERLAP"), course)
    firings = [event for event in islice(events, 4) if isinstance(event, Firing)]
    assert [(event.at.hour, event.at.fold, event.began) for event in firings] == [
        (2, 0, True),
        (2, 1, True),
        (3, 0, True),
        (4, 0, True),
    ]
