"""Tests of one run by the rules: what they give, what they expect, and how a difference is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import BRANCH, told, verdicts

from sfml.semantics.states import State


def one(folder: Path, test: str, graph: str = BRANCH, more: str = "") -> list[str]:
    """What is told of the one test."""
    (verdict,) = verdicts(folder, f"{graph}{more}tests:\n  it: {test}\n")
    return told(folder, verdict)


@pytest.mark.parametrize(
    "test",
    [
        "{given: {gate: good}, succeeded: [publish, done, clean], skipped: [tell, ticket], state: SUCCEEDED}",
        "{given: {gate: bad}, succeeded: [tell, ticket, done], skipped: publish, attempts: 1}",
        "{given: {gate: {outcome: same}}, skipped: [publish, tell, ticket, done], state: SUCCEEDED}",
        "{given: {prepare: fails}, never_ran: [gate, publish, tell], succeeded: clean, state: FAILED}",
        "{given: {gate: bad, tell: fails}, failed: tell, succeeded: ticket, skipped: done, state: FAILED}",
        "{given: {gate: good, clean: fails}, succeeded: done, failed: clean, state: FAILED}",
        "{given: {gate: fails, prepare: succeeds}, failed: gate, skipped: [ticket, done], never_ran: [publish, tell]}",
    ],
)
def test_what_holds(tmp_path: Path, test: str) -> None:
    assert one(tmp_path, test) == []


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (
            "{given: {gate: good}, succeeded: [tell]}",
            ["tell | `tell` should have succeeded, but was skipped (`gate` chose `good`)"],
        ),
        (
            "{given: {prepare: fails}, succeeded: [publish]}",
            ["publish | `publish` should have succeeded, but never ran (`gate` never ran)"],
        ),
        (
            "{given: {gate: good}, failed: [publish], never_ran: [clean], state: FAILED, attempts: 2}",
            [
                "publish | `publish` should have failed, but succeeded",
                "clean | `clean` should never have run, but succeeded",
                "FAILED | the run should have ended as FAILED, but ended as SUCCEEDED",
                "2 | the run should have taken 2 attempts, but took 1",
            ],
        ),
        (
            "{given: {gate: bad, tell: fails}, state: SUCCEEDED}",
            ["SUCCEEDED | the run should have ended as SUCCEEDED, but ended as FAILED (`tell` failed)"],
        ),
        ("{succeeded: [clean]}", ["it | it does not say which outcome `gate` returns"]),
    ],
)
def test_what_does_not_hold_is_told_where_it_stands(tmp_path: Path, test: str, expected: list[str]) -> None:
    assert one(tmp_path, test) == expected


RETRIES = "schedule: {retries: 2}\n"


@pytest.mark.parametrize(
    "test",
    [
        "{given: {prepare: {fails: 1}, gate: good}, succeeded: [prepare, publish], attempts: 2, state: SUCCEEDED}",
        "{given: {prepare: {fails: 3}, gate: good}, failed: prepare, attempts: 3, state: FAILED}",
        # A skipped task is not considered again by the retry.
        "{given: {gate: bad, tell: {fails: 1}}, succeeded: [tell, ticket], skipped: [publish, done], attempts: 2}",
    ],
)
def test_retries(tmp_path: Path, test: str) -> None:
    assert one(tmp_path, test, more=RETRIES) == []


CONDITIONS = """graph:
  tasks:
    count: {step: counting.count}
    score: {sql: select 1, after: [count], when: "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('SHOP$COUNT')::FLOAT > 10"}
    tell: {sql: select 1, after: [count], when: "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('SHOP$COUNT') = 'none'"}
    load: {sql: select 1, after: [count], when: "SYSTEM$STREAM_HAS_DATA('ORDERS')"}
    mend: {sql: select 1, after: [count], when: "SYSTEM$TASK_COMPLETION_STATE('SHOP$COUNT') = 'FAILED'"}
"""


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (
            "{given: {count: {returns: 11}}, streams: {orders: true}, succeeded: [score, load], skipped: tell}",
            [],
        ),
        ("{given: {count: {returns: 9.5}}, streams: {ORDERS: false}, skipped: [score, load, mend]}", []),
        # A step's result is JSON: its text has quotes.
        ("{given: {count: {returns: none}, score: {when: false}, load: {when: true}}, skipped: tell}", []),
        ("{given: {count: fails}, succeeded: mend, never_ran: [score, tell, load]}", []),
        (
            "{streams: {ORDERS: true}, succeeded: score}",
            ["it | `when` of `score` cannot be evaluated: what `count` returns is not given"],
        ),
        (
            "{given: {count: {returns: 1}}, succeeded: load}",
            ["it | `when` of `load` cannot be evaluated: nothing says whether the stream `ORDERS` has data"],
        ),
        # Not a number: Snowflake fails the task.
        (
            "{given: {count: {returns: [1]}, load: {when: true}}, failed: score, state: FAILED}",
            [],
        ),
    ],
)
def test_conditions(tmp_path: Path, test: str, expected: list[str]) -> None:
    steps = tmp_path / "steps" / "counting.py"
    steps.parent.mkdir()
    steps.write_text(
        "from sfml_steps import step\n\n\n@step\ndef count(ctx):\n    return 1\n", encoding="utf-8"
    )
    assert one(tmp_path, test, CONDITIONS) == expected


def test_streams_that_start_a_pipeline_have_data(tmp_path: Path) -> None:
    text = "graph: {tasks: {load: {sql: select 1}}}\nschedule: {on_stream: [ORDERS]}\ntests:\n"
    text += "  a: {succeeded: load}\n  b: {streams: {ORDERS: false}, never_ran: load, state: SKIPPED}\n"
    assert [one.result for one in verdicts(tmp_path, text)] == ["passed", "passed"]


def test_a_test_of_other_targets_is_left_out(tmp_path: Path) -> None:
    text = f"{BRANCH}tests:\n  it: {{targets: [other], given: {{gate: good}}, failed: publish}}\n"
    assert verdicts(tmp_path, text) == []
    (found,) = verdicts(tmp_path, text, "other")
    assert found.result == "failed"
    assert found.states is not None and found.states["publish"] is State.SUCCEEDED


def test_what_cannot_be_decided_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    (found,) = verdicts(tmp_path, f"{BRANCH}tests:\n  it: {{failed: clean}}\n")
    assert found.result == "undecided"
    assert found.states is None
