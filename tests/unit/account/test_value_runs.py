"""Runs of the values of backfills: as runs of the pipeline, with their tasks where these are still known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from test_run_history import GRAPH, NOON, row

from sfml.account.run_history import run_history
from sfml.account.run_reason import Recorded, TaskFailure
from sfml.account.run_record import run_of
from sfml.account.value_runs import Span, begun, span_of, value_run
from sfml.plan.backfill_state import FilledValue

VALUE = FilledValue(
    {"day": "2026-11-27"},
    "succeeded",
    run_id="g",
    nonce="n1",
    lane='"P$$LANE_1"',
    started_at=NOON.isoformat(),
    completed_at=(NOON + timedelta(minutes=5)).isoformat(),
)
ROWS = (
    replace(row("P$$LANE_1", "SUCCEEDED"), config='{"_sfml_run":"n1"}'),
    row("P$$LANE_1$ONE", "SUCCEEDED", value="3"),
    row("P$$LANE_2$ONE", "FAILED", group="of another"),
)


def test_the_tasks_of_a_lane_are_those_of_the_pipeline() -> None:
    run = value_run(GRAPH, VALUE, ROWS)
    assert run is not None and (run.outcome, run.backfill) == ("succeeded", VALUE)
    assert [(task.name, task.state, task.return_value) for task in run.tasks] == [
        ("one", "SUCCEEDED", 3),
        ("two", None, None),
    ]


def test_one_that_runs_is_found_by_its_config() -> None:
    running = replace(VALUE, state="running", run_id=None, completed_at=None)
    run = value_run(GRAPH, running, ROWS)
    assert run is not None and (run.run_id, run.outcome) == ("g", "running")
    assert value_run(GRAPH, replace(running, nonce="n2"), ROWS) is None, "nobody knows its id yet"
    assert value_run(GRAPH, FilledValue({"day": "x"}), ROWS) is None, "it never ran"


def test_without_rows_the_state_tells_how_it_ended() -> None:
    run = value_run(GRAPH, replace(VALUE, state="failed", error="one: ValueError: no data"), ())
    assert run is not None and run.reason == TaskFailure("one", "ValueError: no data")
    assert (run.started_at, run.completed_at) == (NOON, NOON + timedelta(minutes=5))
    other = value_run(GRAPH, replace(VALUE, state="cancelled", error="cancelled while one ran"), ())
    assert other is not None and other.reason == Recorded("cancelled while one ran")


def test_only_the_time_of_the_values_is_read() -> None:
    minute = timedelta(minutes=1)
    assert span_of([VALUE]) == Span(NOON - minute, NOON + 6 * minute)
    running = replace(VALUE, state="running", completed_at=None)
    assert span_of([VALUE, running]) == Span(NOON - minute, None)
    assert span_of([FilledValue({"day": "x"})]) is None
    assert begun([VALUE], NOON) == (VALUE,) and begun([VALUE], NOON + minute) == ()


def test_values_do_not_count_among_the_last_runs_nor_for_the_usual_duration() -> None:
    value = value_run(GRAPH, VALUE, ())
    whole = run_of(GRAPH, [row("P", "SUCCEEDED"), row("P$ONE", "SUCCEEDED")], "g")
    assert value is not None and whole is not None
    found = run_history((value, whole, value, value, whole, value), (), limit=1)
    assert found.runs == (value, whole, value, value)
    assert run_history((value, value), (), limit=1).runs == (value, value)
    assert run_history((value,) * 3, ()).usual_ms is None
