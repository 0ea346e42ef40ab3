"""Rows and records of runs that were read one after another while runs went on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from test_run_history import GRAPH, NOON, row

from sfml.account.history import GraphRow, TaskRow
from sfml.account.run_reading import are_older, as_of, with_later
from sfml.account.run_record import run_of

ROOT = replace(row("P", "SUCCEEDED"), run_group="g", started_at=NOON, scheduled_time=NOON)
SECOND = replace(ROOT, attempt=2)
RECORD = GraphRow("g", 1, "SUCCEEDED", completed_at=NOON)
LATE, LATER = NOON + timedelta(minutes=5), NOON + timedelta(hours=2)


@pytest.mark.parametrize(
    ("records", "row", "now", "is_older"),
    [
        ((), ROOT, LATE, True),
        ((RECORD,), ROOT, LATE, False),
        ((RECORD,), SECOND, LATE, True),
        ((), ROOT, LATER, False),  # no record is kept so long
        ((), replace(ROOT, state="SKIPPED"), LATE, False),
        ((), replace(ROOT, state="SCHEDULED", started_at=None, scheduled_time=LATER), LATE, False),
        ((), replace(ROOT, run_group=""), LATE, False),
    ],
)
def test_rows_of_an_unknown_attempt_are_younger_than_the_records(
    records: tuple[GraphRow, ...], row: TaskRow, now: object, is_older: bool
) -> None:
    assert are_older(records, (row,), now) is is_older  # type: ignore[arg-type]


def test_a_run_of_which_only_the_root_is_there_yet_goes_on() -> None:
    alone = run_of(GRAPH, (ROOT,), "g")
    assert alone is not None and alone.is_over, "its rows alone look like a run that has ended"
    fitted = run_of(GRAPH, (ROOT,), "g", graphs=with_later((), (RECORD,)))
    assert fitted is not None and not fitted.is_over and fitted.completed_at is None


def test_what_was_known_stays() -> None:
    failed = replace(RECORD, state="FAILED", error_task="P$ONE", error_code="1", error_message="no")
    again = replace(RECORD, attempt=2, state="EXECUTING")
    assert with_later((failed,), (RECORD, again)) == (failed, again)


def test_a_record_that_was_read_later_does_not_end_a_task_that_ran() -> None:
    running = replace(row("P$ONE", "EXECUTING"), run_group="g")
    other = replace(RECORD, run_group="h")
    assert as_of((ROOT, running), (RECORD, other)) == (
        replace(RECORD, state="EXECUTING", completed_at=None),
        other,
    )
    assert as_of((ROOT,), (RECORD,)) == (RECORD,)
