"""When a run may begin beside others, and when streams begin one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfml.semantics.overlap import RunStage, may_begin
from sfml.semantics.triggering import is_triggered, next_trigger

ROOT, CHILDREN = RunStage.ROOT, RunStage.CHILDREN
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HAS_DATA = "SYSTEM$STREAM_HAS_DATA('s')"


@pytest.mark.parametrize(
    ("policy", "going_on", "expected"),
    [
        (None, [], True),
        (None, [CHILDREN], False),
        ("NO_OVERLAP", [], True),
        ("NO_OVERLAP", [ROOT], False),
        ("NO_OVERLAP", [CHILDREN], False),
        ("ALLOW_CHILD_OVERLAP", [], True),
        ("ALLOW_CHILD_OVERLAP", [ROOT], False),
        ("ALLOW_CHILD_OVERLAP", [CHILDREN], True),
        ("ALLOW_CHILD_OVERLAP", [CHILDREN, CHILDREN], True),
        ("ALLOW_CHILD_OVERLAP", [CHILDREN, ROOT], False),
        ("ALLOW_ALL_OVERLAP", [ROOT, ROOT, CHILDREN], True),
    ],
)
def test_overlap(policy: str | None, going_on: list[RunStage], expected: bool) -> None:
    assert may_begin(policy, going_on) is expected


@pytest.mark.parametrize(
    ("schedule", "condition", "expected"),
    [
        (None, HAS_DATA, True),
        (None, f"1 = 1 OR {HAS_DATA.lower()}", True),
        (None, "1 = 1", False),
        (None, None, False),
        (None, "'SYSTEM$STREAM_HAS_DATA(x)' = 'y'", False),
        ("1 HOUR", HAS_DATA, False),
    ],
)
def test_which_roots_are_triggered(schedule: str | None, condition: str | None, expected: bool) -> None:
    assert is_triggered(schedule, condition) is expected


@pytest.mark.parametrize(
    ("has_data", "last", "interval", "expected"),
    [
        (True, None, None, -3600),
        (True, -10, None, 20),
        (True, -30, None, 0),
        (True, -3600, None, -3570),
        (True, -10, 600, 590),
        (False, None, None, 11 * 3600),
        (False, -60, None, 12 * 3600 - 60),
        (False, -7200, None, 11 * 3600),
    ],
)
def test_when_a_trigger_comes(has_data: bool, last: int | None, interval: int | None, expected: int) -> None:
    """Seconds from now, past ones meaning at once, for a root that was resumed an hour ago."""
    found = next_trigger(
        has_data=has_data,
        resumed=NOW - timedelta(hours=1),
        last=None if last is None else NOW + timedelta(seconds=last),
        minimum_interval=interval,
    )
    assert (found - NOW).total_seconds() == expected
