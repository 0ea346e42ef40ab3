"""Rows of history as one run, and the one line that tells why a task failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sfml.graph.model import GraphSettings, OnWarehouse, SqlBody, Target, TaskGraph, TaskNode
from sfml.history import TaskRow, parsed_return_value
from sfml.lower.lower import lower
from sfml.run_reason import TaskFailure, error_line
from sfml.run_record import run_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ON_WH = OnWarehouse("WH")
GRAPH = lower(
    TaskGraph(
        "p",
        "specs/p.yaml",
        Target("local", "local", "SFML", "P", "WH"),
        GraphSettings(),
        (
            TaskNode("one", SqlBody("select 1"), ON_WH),
            TaskNode("two", SqlBody("select 2"), ON_WH, after=("one",)),
        ),
    ),
    lambda step: (),
    "0.1.0",
)


def row(name: str, state: str, attempt: int = 1, *, group: str = "g", value: str | None = None) -> TaskRow:
    start = NOON + timedelta(minutes=attempt)
    end = None if state == "EXECUTING" else start + timedelta(seconds=2)
    error = "boom" if state == "FAILED" else None
    return TaskRow(name, state, "q", start, start, end, value, None, error, group, attempt)


def test_a_retry_leaves_what_succeeded_and_replaces_what_failed() -> None:
    rows = [
        row("P", "SUCCEEDED"),
        row("P$ONE", "SUCCEEDED", value='{"rows": 3}'),
        row("P$TWO", "FAILED"),
        row("P$TWO", "SUCCEEDED", attempt=2),
    ]
    run = run_of(GRAPH, rows, "g")
    assert run is not None
    assert (run.state, run.attempt) == ("SUCCEEDED", 2)
    assert [(task.name, task.state, task.return_value) for task in run.tasks] == [
        ("one", "SUCCEEDED", {"rows": 3}),
        ("two", "SUCCEEDED", None),
    ]


def test_a_task_without_a_row_never_ran() -> None:
    run = run_of(GRAPH, [row("P$ONE", "FAILED")], "g")
    assert run is not None and run.state == "FAILED"
    assert [(task.name, task.state, task.error) for task in run.tasks] == [
        ("one", "FAILED", "boom"),
        ("two", None, None),
    ]
    assert run.reason == TaskFailure("one", "boom")


def test_rows_of_other_runs_do_not_count() -> None:
    assert run_of(GRAPH, [row("P$ONE", "SUCCEEDED", group="other")], "g") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [(None, None), ("GOOD", "good"), ('"GOOD"', "GOOD"), ("plain text", "plain text"), ("3", 3)],
)
def test_return_values_are_parsed_and_branches_name_their_outcome(text: str | None, value: object) -> None:
    assert parsed_return_value(text, {"good": "GOOD"}) == value


TRACEBACK = """Python Interpreter Error:
Traceback (most recent call last):
  File "/home/udf/steps.zip/clv/gate.py", line 9, in check
    raise ValueError("the table is empty")
ValueError: the table is empty
 in function SFML_STEP with handler main"""

SNOWPARK = """Python Interpreter Error:
Traceback (most recent call last):
  File "x.py", line 1, in f
snowflake.snowpark.exceptions.SnowparkSQLException: (1304): 718cdb4e-c95b-4aa5-86c1-4dae217ac9de: 002003 (42S02):
Object 'T' does not exist or not authorized."""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, None),
        ("  ", None),
        ("Task timed out.", "Task timed out."),
        (TRACEBACK, "ValueError: the table is empty"),
        (SNOWPARK, "SnowparkSQLException: 002003 (42S02): Object 'T' does not exist or not authorized."),
        ("x" * 500, "x" * 159 + "…"),
    ],
)
def test_the_reason_is_one_line(error: str | None, line: str | None) -> None:
    assert error_line(error) == line


def test_runs_do_not_depend_on_the_order_of_rows() -> None:
    rows = [
        row("P$ONE", "FAILED"),
        row("P$ONE", "SUCCEEDED", attempt=2),
        replace(row("P$TWO", "SUCCEEDED"), attempt=2),
    ]
    assert run_of(GRAPH, rows, "g") == run_of(GRAPH, rows[::-1], "g")
