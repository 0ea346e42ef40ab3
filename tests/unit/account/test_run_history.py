"""Rows of history as one run, and the one line that tells why a task failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sfml.account.history import GraphRow, TaskRow, parsed_return_value
from sfml.account.run_reason import (
    Cancellation,
    EverySkipped,
    GraphTimeout,
    NothingRan,
    Reason,
    RootSkipped,
    TaskFailure,
    Unexplained,
)
from sfml.account.run_record import run_of
from sfml.graph.model import GraphSettings, OnWarehouse, SqlBody, Target, TaskGraph, TaskNode
from sfml.lower.lower import lower
from sfml.semantics.error_line import error_line

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


CLOSED = "2026-11-29 12:08:14,798 - INFO - Closed session: 1795954077357\n"
LOG = f"""{CLOSED}"version" : 1.56.0,
"os.name" : Linux
--------------------------------
ML job started
--------------------------------
"""
CHAINED = """Traceback (most recent call last):
  File "a.py", line 1, in <module>
    raise ValueError("no rows")
ValueError: no rows

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "mljob_launcher.py", line 690, in <module>
    main(
    ^^^^^
RuntimeError: no model
second line
"""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, None),
        ("  ", None),
        ("Task timed out.", "Task timed out."),
        (TRACEBACK, "ValueError: the table is empty"),
        (SNOWPARK, "SnowparkSQLException: 002003 (42S02): Object 'T' does not exist or not authorized."),
        ("x" * 500, "x" * 159 + "…"),
        (
            f"Job DB.S.J failed: noise\nexit code 1, last lines of its log:\n{LOG}no rows to train on\n{CLOSED}",
            "no rows to train on",
        ),
        (
            f"Job DB.S.J failed: noise\nexit code 3, last lines of its log:\n{LOG}bad input\n{CLOSED}",
            "bad input (exit code 3)",
        ),
        (f"Job DB.S.J failed: noise\nexit code 137, last lines of its log:\n{LOG}{CLOSED}", "exit code 137"),
        (
            f"exit code 1, last lines of its log:\n{LOG}{CHAINED}{CLOSED}",
            "RuntimeError: no model second line",
        ),
        (
            "Uncaught exception of type 'STATEMENT_ERROR' on line 2 at position 3 : Division by zero",
            "Division by zero",
        ),
        (
            "Uncaught exception of type 'NO_ROWS' on line 2 at position 3 : the table is empty",
            "NO_ROWS: the table is empty",
        ),
        ("Uncaught exception of type 'NO_ROWS' : the table is empty", "NO_ROWS: the table is empty"),
        ('Traceback (most recent call last):\n  File "a.py", line 1\nAssertionError', "AssertionError"),
        (
            "SQL compilation error:\nStream 'S' does not exist",
            "SQL compilation error: Stream 'S' does not exist",
        ),
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


SHORT = replace(GRAPH, root=replace(GRAPH.root, user_task_timeout_ms=1_000))
"""Its rows take two seconds."""


def record(state: str, attempt: int = 1, *, task: str | None = None, message: str | None = None) -> GraphRow:
    end = NOON + timedelta(minutes=attempt, seconds=2)
    return GraphRow(
        "g", attempt, state, "SCHEDULE", NOON + timedelta(minutes=attempt), end, task, None, message
    )


def skipped(name: str) -> TaskRow:
    return replace(row(name, "SKIPPED"), return_value=None)


LATE = "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled."
ROOT, ONE = row("P", "SUCCEEDED"), row("P$ONE", "SUCCEEDED")
TIMED_OUT = replace(row("P$ONE", "FAILED"), error_message=LATE)


@pytest.mark.parametrize(
    ("rows", "records", "outcome", "reason"),
    [
        ([ROOT, ONE], [record("FAILED")], "timed_out", GraphTimeout(1_000, ("two",))),
        ([ROOT, ONE], [], "timed_out", GraphTimeout(1_000, ("two",))),
        ([ROOT, ONE, row("P$TWO", "SUCCEEDED")], [], "succeeded", None),
        ([ROOT, TIMED_OUT], [record("FAILED")], "timed_out", GraphTimeout(1_000, ("one",))),
        ([row("P", "FAILED")], [], "failed", TaskFailure(None, "boom")),
        ([ROOT], [record("FAILED", task="P", message="gone")], "failed", TaskFailure(None, "gone")),
        ([ROOT, row("P$ONE", "CANCELLED")], [record("CANCELLED")], "cancelled", Cancellation(("one",))),
        ([ROOT], [record("SUCCEEDED")], "nothing_ran", NothingRan(("one",))),
        ([ROOT], [], "nothing_ran", NothingRan(("one",))),
        ([ROOT, skipped("P$ONE")], [record("SUCCEEDED")], "skipped", EverySkipped()),
        ([skipped("P")], [], "skipped", RootSkipped()),
        ([ROOT, ONE], [record("EXECUTING")], "running", None),
    ],
)
def test_the_graphs_own_record_comes_first(
    rows: list[TaskRow], records: list[GraphRow], outcome: str, reason: Reason | None
) -> None:
    suspended = frozenset({"P$ONE"}) if isinstance(reason, NothingRan) else frozenset()
    run = run_of(SHORT, rows, "g", graphs=records, suspended=suspended)
    assert run is not None and (run.outcome, run.reason) == (outcome, reason)


def test_what_nobody_explains_is_no_success() -> None:
    run = run_of(GRAPH, [ROOT, ONE], "g", graphs=[record("FAILED")])
    assert run is not None and (run.outcome, run.reason) == ("failed", Unexplained())


def test_automatic_retries_are_told_from_those_by_hand() -> None:
    rows = [
        replace(row("P", "SUCCEEDED"), scheduled_from="EXECUTE_TASK"),
        replace(row("P$ONE", "FAILED"), scheduled_from="EXECUTE_TASK"),
        replace(row("P$ONE", "FAILED", attempt=2), scheduled_from="AUTOMATIC RETRY"),
        replace(row("P$ONE", "SUCCEEDED", attempt=3), scheduled_from="MANUAL RETRY"),
        row("P$TWO", "SUCCEEDED", attempt=3),
    ]
    run = run_of(GRAPH, rows, "g")
    assert run is not None and run.outcome == "succeeded"
    assert [(one.number, one.scheduled_from, one.state) for one in run.attempts] == [
        (1, "EXECUTE TASK", "FAILED"),
        (2, "AUTOMATIC RETRY", "FAILED"),
        (3, "MANUAL RETRY", "SUCCEEDED"),
    ]


def test_the_arm_that_a_gate_took_stands_beside_what_it_left_out() -> None:
    one, two = GRAPH.tasks
    gated = replace(GRAPH, tasks=(replace(one, outcomes={"go": "GO", "two": "TWO"}), two))
    rows = [ROOT, row("P$ONE", "SUCCEEDED", value="GO"), skipped("P$TWO")]
    run = run_of(gated, rows, "g")
    assert run is not None and run.arms == {"one": "go"}
    assert run.tasks[1].because == "not chosen: one took go"
    executing = run_of(gated, rows, "g", state="EXECUTING")
    assert executing is not None and executing.tasks[1].because == "not chosen: one took go"


def test_while_a_run_executes_nothing_says_that_a_task_never_ran() -> None:
    run = run_of(GRAPH, [ROOT, row("P$ONE", "FAILED")], "g", state="EXECUTING")
    assert run is not None and run.tasks[1].because is None


def test_what_never_ran_says_what_was_before_it() -> None:
    run = run_of(GRAPH, [ROOT, row("P$ONE", "FAILED")], "g")
    assert run is not None and run.tasks[1].because == "one failed"
