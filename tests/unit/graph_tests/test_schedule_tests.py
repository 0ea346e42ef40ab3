"""Tests of a schedule by the rules: which runs begin, and how a difference is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import told, verdicts

GRAPH = "graph: {tasks: {load: {sql: select 1}}}\n"


def one(folder: Path, schedule: str, test: str) -> list[str]:
    (verdict,) = verdicts(folder, f"{GRAPH}schedule: {schedule}\ntests:\n  it: {test}\n")
    return told(folder, verdict)


BERLIN = '{cron: "30 2 * * *", timezone: Europe/Berlin}'


@pytest.mark.parametrize(
    ("schedule", "test"),
    [
        # The hour of 02:30 is left out on 29 March and comes twice on 25 October.
        (BERLIN, "{from: 2026-03-28, until: 2026-03-31, runs: [2026-03-28T02:30, 2026-03-30T02:30]}"),
        (BERLIN, "{from: 2026-10-25, until: 2026-10-26, runs: [2026-10-25T00:30Z, 2026-10-25T01:30Z]}"),
        (BERLIN, "{from: 2026-01-01, timezone: America/New_York, runs: [2026-01-01T20:30]}"),
        ("{every: 12h}", "{from: 2026-01-01T09:10Z, runs: [2026-01-01T21:10Z, 2026-01-02T09:10Z]}"),
        (
            "{schedule: {every: 1h}, overlap: ALLOW_CHILD_OVERLAP}",
            "{from: 2026-01-01, until: 2026-01-01T02:00, takes: 90m, runs: [2026-01-01T01:00, 2026-01-01T02:00]}",
        ),
        ("manual", "{from: 2026-01-01, until: 2027-01-01, runs: []}"),
        (
            "{on_stream: [ORDERS], every: 10m}",
            "{from: 2026-01-01, data: [2026-01-01T00:01, 2026-01-01T00:02], "
            "runs: [2026-01-01T00:01, 2026-01-01T00:11]}",
        ),
        (
            "{schedule: {every: 1h}, suspend_after_failures: 0}",
            "{from: 2026-01-01, until: 2026-01-01T02:00, failed_runs: all, "
            "runs: [2026-01-01T01:00, 2026-01-01T02:00], suspended: false}",
        ),
    ],
)
def test_what_holds(tmp_path: Path, schedule: str, test: str) -> None:
    assert one(tmp_path, schedule, test) == []


def test_what_does_not_hold_is_told(tmp_path: Path) -> None:
    test = (
        "{from: 2026-01-01, until: 2026-01-01T05:00, takes: [1h30m, 10m], failed_runs: [3], "
        "runs: [2026-01-01T01:00, 2026-01-01T02:00], missed: [2026-01-01T03:00], suspended: false}"
    )
    schedule = "{schedule: {every: 1h}, suspend_after_failures: 1}"
    assert one(tmp_path, schedule, test) == [
        "2026-01-01T02:00 | no run begins at 2026-01-01T02:00Z (missed: an earlier run is still going on)",
        "runs | a run begins at 2026-01-01T03:00Z, which is not expected",
        "runs | a run begins at 2026-01-01T04:00Z, which is not expected",
        "2026-01-01T03:00 | 2026-01-01T03:00Z is not missed",
        "[2026-01-01T03:00] | 2026-01-01T02:00Z is missed, which is not expected",
        "false | the schedule should have stayed resumed, but was suspended at 2026-01-01T04:10Z",
    ]


def test_a_run_after_the_suspension(tmp_path: Path) -> None:
    test = (
        "{from: 2026-01-01, until: 2026-01-02, failed_runs: all, runs: [2026-01-01T01:00, 2026-01-01T02:00]}"
    )
    (told,) = one(tmp_path, "{schedule: {every: 1h}, suspend_after_failures: 1}", test)
    assert told.endswith("(failures have suspended the schedule at 2026-01-01T01:00Z)")


def test_a_run_that_never_begins_cannot_fail(tmp_path: Path) -> None:
    runs = "[2026-01-01T01:00, 2026-01-01T02:00]"
    test = f"{{from: 2026-01-01, until: 2026-01-01T02:30, failed_runs: [2, 4, 3], runs: {runs}}}"
    found = one(tmp_path, "{every: 1h}", test)
    assert [line.partition(" | ")[2] for line in found] == [
        "run 3 cannot fail: 2 runs began",
        "run 4 cannot fail: 2 runs began",
    ]


def test_many_differences_are_counted(tmp_path: Path) -> None:
    found = one(tmp_path, "{every: 1m}", "{from: 2026-01-01, until: 2026-01-01T01:00, runs: []}")
    assert len(found) == 11
    assert found[-1].endswith("and 50 more that are not expected")


def test_a_stretch_that_is_too_long_is_not_judged(tmp_path: Path) -> None:
    (found,) = one(tmp_path, "{every: 10s}", "{from: 2026-01-01, until: 2027-01-01, runs: []}")
    assert found.endswith("more than 10,000 runs are due")
