"""Freshness: a scheduled time is met by a run that succeeded, from then on, within the time that it had."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from lowered_graph import lowered

from sfml.account.freshness import Overdue, overdue
from sfml.account.history import DeployedRoot, TaskRow
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    Manual,
    Schedule,
    StreamSchedule,
)
from sfml.lower.desired import DesiredGraph

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAILY = CronSchedule("0 12 * * *", "UTC")


def graph(
    schedule: Schedule = DAILY, within: int | None = 2 * 3600, kind: Literal["account", "local"] = "account"
) -> DesiredGraph:
    return lowered(GraphSettings(schedule=schedule, within=within), kind)


ROOT = DeployedRoot("P", "id", True, "USING CRON 0 12 * * * UTC", "sfml:{}", None, None, NOON - 100 * HOUR)


def run(
    at: datetime,
    state: str = "SUCCEEDED",
    *,
    took: timedelta = HOUR / 6,
    by: str = "SCHEDULE",
    name: str = "",
) -> tuple[TaskRow, ...]:
    group = name or at.isoformat()
    end = None if state == "EXECUTING" else at + took
    return (
        TaskRow("P", "SUCCEEDED", "q", at, at, at, None, None, None, group, 1, None, by),
        TaskRow("P$ONE", state, "q", at, at, end, None, None, "boom", group, 1, None, by),
    )


@pytest.mark.parametrize(
    ("rows", "now", "due"),
    [
        ((), NOON + HOUR, NOON - 24 * HOUR),
        (run(NOON - 24 * HOUR), NOON + HOUR, None),
        (run(NOON - 24 * HOUR), NOON + 2 * HOUR, NOON),
        (run(NOON), NOON + 9 * HOUR, None),
        (run(NOON, "FAILED"), NOON + 2 * HOUR, NOON),
        (run(NOON, "CANCELLED"), NOON + 2 * HOUR, NOON),
        (run(NOON, "EXECUTING"), NOON + 3 * HOUR, NOON),
        (run(NOON, "FAILED") + run(NOON + HOUR, by="EXECUTE TASK"), NOON + 3 * HOUR, None),
        (run(NOON, "FAILED") + run(NOON + HOUR, "FAILED", by="EXECUTE TASK"), NOON + 3 * HOUR, NOON),
        (run(NOON - HOUR, by="EXECUTE TASK"), NOON + 3 * HOUR, NOON),
        (run(NOON - HOUR, by="EXECUTE TASK", took=2 * HOUR), NOON + 3 * HOUR, None),
    ],
    ids=[
        "nothing ran",
        "not due yet",
        "the next one did not come",
        "met, long ago",
        "failed",
        "cancelled",
        "still going on",
        "made up for by hand",
        "not made up for",
        "a run before it is no help",
        "passed over, because another run was going on",
    ],
)
def test_a_daily_run_within_two_hours(rows: tuple[TaskRow, ...], now: datetime, due: datetime | None) -> None:
    found = overdue(graph(), ROOT, rows, now)
    assert found == (None if due is None else Overdue(due, 7200))


def test_a_run_that_a_part_recovered_meets_its_time() -> None:
    rows = run(NOON, "FAILED", name="g")
    assert overdue(graph(), ROOT, rows, NOON + 3 * HOUR, frozenset({"g"})) is None
    assert overdue(graph(), ROOT, rows, NOON + 27 * HOUR, frozenset({"g"})) == Overdue(NOON + 24 * HOUR, 7200)


def test_a_skipped_root_meets_its_time() -> None:
    root, _ = run(NOON)
    assert overdue(graph(), ROOT, (replace(root, state="SKIPPED"),), NOON + 3 * HOUR) is None


def test_times_before_the_schedule_was_resumed_do_not_count() -> None:
    fresh = replace(ROOT, committed_on=NOON + HOUR)
    assert overdue(graph(), fresh, (), NOON + 9 * HOUR) is None
    assert overdue(graph(), fresh, (), NOON + 26 * HOUR) == Overdue(NOON + 24 * HOUR, 7200)
    # What the schedule itself began was due, whatever has been resumed since.
    assert overdue(graph(), fresh, run(NOON, "FAILED"), NOON + 3 * HOUR) == Overdue(NOON, 7200)


def test_a_run_by_hand_moves_what_is_due_no_further_than_the_last_suspension() -> None:
    by_hand = replace(ROOT, committed_on=NOON + HOUR, created_on=NOON - 30 * HOUR)
    failed = run(NOON + HOUR, "FAILED", by="EXECUTE TASK")
    assert overdue(graph(), by_hand, failed, NOON + 3 * HOUR) == Overdue(NOON, 7200)
    assert overdue(graph(), replace(by_hand, suspended_on=NOON + HOUR / 2), failed, NOON + 3 * HOUR) is None
    assert overdue(graph(), replace(by_hand, created_on=None), failed, NOON + 3 * HOUR) is None


def test_without_an_expectation_or_a_schedule_nothing_is_late() -> None:
    late = NOON + 9 * HOUR
    assert overdue(graph(within=None), ROOT, (), late) is None
    unscheduled = replace(ROOT, schedule=None)
    assert overdue(graph(Manual()), unscheduled, (), late) is None
    assert overdue(graph(StreamSchedule(("S",))), unscheduled, (), late) is None
    assert overdue(graph(), replace(ROOT, started=False), (), late) is None


def test_an_interval_counts_from_the_last_run() -> None:
    every = graph(IntervalSchedule(3600), within=600)
    root = replace(ROOT, schedule="60 MINUTES")
    resumed = replace(root, committed_on=NOON)
    assert overdue(every, resumed, (), NOON + 1.1 * HOUR) is None
    assert overdue(every, resumed, (), NOON + 1.2 * HOUR) == Overdue(NOON + HOUR, 600)
    assert overdue(every, root, run(NOON), NOON + 1.1 * HOUR) is None
    assert overdue(every, root, run(NOON), NOON + 1.2 * HOUR) == Overdue(NOON + HOUR, 600)


def test_the_deployed_schedule_counts_and_not_that_of_the_files() -> None:
    """Files that are not applied yet change nothing in the account."""
    late = NOON + 2.1 * HOUR
    assert overdue(graph(CronSchedule("0 18 * * *", "UTC")), ROOT, (), late) == Overdue(NOON, 7200)
    at_six = replace(ROOT, schedule="USING CRON 0 18 * * * UTC", committed_on=NOON - HOUR)
    assert overdue(graph(), at_six, (), late) is None


def test_a_local_schedule_is_judged_by_what_it_began() -> None:
    assert overdue(graph(kind="local"), ROOT, (), NOON + 9 * HOUR) is None
    assert overdue(graph(kind="local"), ROOT, run(NOON, "FAILED"), NOON + 9 * HOUR) == Overdue(NOON, 7200)
