"""Alerts are escaped for each kind of channel, whatever names and errors hold."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.semantics.error_line import error_line
from sfml_steps.alerting.messages import SUMMARY_LIMIT, Alert, Channel, content, receiver
from sfml_steps.alerting.runs import run_end, slow_text, well_in, wrong_in
from sfml_steps.alerting.words import duration_text, moment_of, reason_of, time_text

TEMPLATE = '{"text": "SNOWFLAKE_WEBHOOK_MESSAGE"}'
HOSTILE = (
    'it\'s "quoted" \\ back\\n, a\nline\r\n, \x00\x1b[31m\u202e SNOWFLAKE_WEBHOOK_SECRET <!channel> <b>&amp;</b>'
    " [here](http://x) '); DROP TABLE T; -- $$ {{ env.X }} 日本語 🙂"
)


def alert_with(text: str) -> Alert:
    data = {"version": 1, "event": "failure", "reason": text, "look": [text]}
    return Alert(
        "failure", f"shop on prod failed: {text}", (("reason", text),), (text, "history"), data, "Once."
    )


def sent(kind: str, alert: Alert) -> str:
    """The message as it arrives: for a webhook, the text in the body that its template makes."""
    ((_, text),) = json.loads(content(Channel(kind, "X", (), frozenset()), alert)).items()
    if kind in ("email", "queue"):
        return str(text)
    body = json.loads(TEMPLATE.replace("SNOWFLAKE_WEBHOOK_MESSAGE", text))
    assert list(body) == ["text"]
    return str(body["text"])


@pytest.mark.parametrize("kind", ["email", "slack", "teams", "pagerduty", "webhook", "queue"])
@given(text=st.one_of(st.just(HOSTILE), st.text(max_size=200)))
def test_any_text_arrives_as_text(kind: str, text: str) -> None:
    alert = alert_with(text)
    message = sent(kind, alert)
    if kind == "queue":
        value = json.loads(message)
        assert value["reason"] == text and "\n" not in value["message"]
        return
    assert all(char.isprintable() or char in "\n\u200b" for char in message)
    if kind != "email":
        assert "SNOWFLAKE_WEBHOOK_" not in message
    if kind == "slack":
        assert not set(message) & set("<>") and "&" not in message.replace("&amp;", "").replace(
            "&lt;", ""
        ).replace("&gt;", "")
    if kind == "teams":
        assert "](" not in message
    if kind == "pagerduty":
        assert "\n" not in message and len(message) <= SUMMARY_LIMIT
    if kind == "email":
        options = json.loads(receiver(Channel("email", "X", ("a@b.de",), frozenset()), alert))["X"]
        assert len(options["subject"]) <= 256 and "\n" not in options["subject"]
        assert options["toAddress"] == ["a@b.de"]
    assert sum(line.startswith("reason") for line in message.splitlines()) == (kind != "pagerduty")


def test_a_text_reads_in_lines() -> None:
    alert = Alert(
        "slow", "shop on prod was slow", (("run", "r1"), ("task", "train")), ("sfml logs", "more"), {}, "End."
    )
    assert alert.text() == (
        "shop on prod was slow\n\nrun      r1\ntask     train\nlook     sfml logs\n         more\n\nEnd."
    )


ERRORS = [
    "SQL compilation error:\nObject 'T' does not exist or not authorized.",
    'Python Interpreter Error:\nTraceback (most recent call last):\n  File "a.py", line 1, in main\n    f()\n'
    "sfml_steps.errors.StepError: there is nothing: load some\n in function SFML_STEP with handler main",
    'Traceback (most recent call last):\n  File "a", line 1\nKeyError: 1\n\nDuring handling of the above exception,'
    ' another exception occurred:\n\nTraceback (most recent call last):\n  File "a", line 2\nValueError: no rows',
    "Uncaught exception of type 'STATEMENT_ERROR' on line 3 at position 4 : Division by zero",
    "100090 (P0000): Uncaught exception of type 'STATEMENT_ERROR': Division by zero",
    "Job D.S.J failed: no\nexit code 1, last lines of its log:\n"
    '2026-11-30 00:12:32,788 - INFO - Snowflake Connector\n"os.name" : Linux\n-----------\nML job started\n'
    "-----------\ncannot tidy it\n2026-11-30 00:12:32,844 - INFO - Closed session: 1",
    "exit code 3, last lines of its log:\nkilled",
    "exit code 1, last lines of its log:\n  +-+---------------- 1 ----------------\n    | ValueError: one\n"
    "    +---------------- 2 ----------------\n    | KeyError: 'two'\n    +------------------------------------",
    "exit code 137, last lines of its log:\n",
    "Statement reached its statement or warehouse timeout of 5 second(s) and was canceled.",
]


@pytest.mark.parametrize("error", ERRORS)
def test_a_reason_is_the_line_that_status_shows(error: str) -> None:
    line = error_line(error)
    assert line is not None
    assert reason_of(error).removeprefix("100090 (P0000): ") == line.removeprefix("100090 (P0000): ")


@given(st.text(max_size=2000))
def test_a_reason_is_one_short_line(error: str) -> None:
    reason = reason_of(error)
    assert reason.isprintable() and len(reason) <= 300


def test_words_of_times() -> None:
    at = datetime.datetime(2026, 11, 22, 1, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    assert time_text(at) == time_text("2026-11-22T00:30:00Z") == "2026-11-22 00:30 UTC"
    assert time_text("soon\n") == "soon" and moment_of(3) is None
    assert [duration_text(n) for n in (0, 59.6, 3600, 86399)] == ["0 s", "1 min", "1 h", "23 h 59 min"]


CALL: dict[str, Any] = {
    "pipeline": "shop",
    "root": "SHOP",
    "finalizer": "SHOP$LAST",
    "names": {"OWN": "train"},
    "timeout": 3600.0,
    "gates": {"SHOP$CHECK": {"BAD": "bad"}},
    "slow": {"OWN": 60},
}
NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def row(name: str, state: str, *, attempt: int = 1, took: float = 1, **more: object) -> dict[str, object]:
    return {
        "NAME": name,
        "STATE": state,
        "ATTEMPT_NUMBER": attempt,
        "ERROR_MESSAGE": None,
        "QUERY_START_TIME": NOON,
        "COMPLETED_TIME": NOON + datetime.timedelta(seconds=took),
        "SCHEDULED_TIME": NOON,
        "RETURN_VALUE": None,
        **more,
    }


def judged(
    *rows: dict[str, object], error: str | None = None, **more: object
) -> tuple[list[tuple[str, str, str]], set[str]]:
    run, call = run_end("r1", NOON.isoformat(), list(rows), "SHOP$LAST"), {**CALL, **more}
    wrong = [(one.event, one.task, one.reason) for one in wrong_in(run, call, error)]
    return wrong, set(well_in(run, call, error))


def test_what_is_wrong_in_a_run() -> None:
    assert judged(row("SHOP", "SUCCEEDED"), row("SHOP$LAST", "EXECUTING")) == (
        [],
        {"failure", "gate shop", "slow shop"},
    )
    wrong, well = judged(
        row("SHOP$B", "FAILED", took=9, ERROR_MESSAGE="late"),
        row("SHOP$A", "FAILED_AND_AUTO_SUSPENDED", took=2, ERROR_MESSAGE="early\nline"),
        row("OWN", "SUCCEEDED", took=61),
        row("SHOP$CHECK", "SUCCEEDED", RETURN_VALUE="BAD"),
    )
    assert sorted(wrong) == [
        ("failure", "a", "early line (and 1 more)"),
        ("gate", "check", "it did not pass: bad"),
        ("slow", "train", "it took 1 min 1 s, at most 1 min is expected"),
    ]
    assert well == {"gate train", "slow check"}


@pytest.mark.parametrize(
    ("took", "words"), [(61, "1 min 1 s"), (60.2, "a little more than 1 min"), (3600.4, "1 h")]
)
def test_a_slow_task_never_took_exactly_what_is_expected(took: float, words: str) -> None:
    assert slow_text(took, 60) == f"it took {words}, at most 1 min is expected"


def test_of_each_task_the_latest_attempt_counts() -> None:
    failed = row("SHOP$A", "FAILED", ERROR_MESSAGE="no")
    assert judged(failed, row("SHOP$A", "SUCCEEDED", attempt=2))[0] == []
    assert judged(row("SHOP$A", "SUCCEEDED", attempt=2), failed)[0] == []


def test_a_root_a_timeout_and_the_finalizer_can_fail() -> None:
    assert judged(row("SHOP", "FAILED", ERROR_MESSAGE="x"))[0] == [("failure", "shop", "x")]
    assert judged(row("SHOP$A", "SUCCEEDED", took=3600))[0] == [
        ("failure", "", "the graph took longer than its timeout, 1 h")
    ]
    assert judged(row("SHOP$A", "SUCCEEDED"), error="own\n error")[0] == [("failure", "last", "own error")]


def test_a_cancelled_run_is_neither_wrong_nor_well() -> None:
    assert judged(row("SHOP$A", "CANCELLED")) == ([], set())


def test_a_part_says_nothing_of_what_it_does_not_run() -> None:
    rows = (row("OWN", "SUCCEEDED", took=61), row("SHOP$CHECK", "SUCCEEDED", RETURN_VALUE="BAD"))
    assert judged(*rows, reused=["OWN", "SHOP$CHECK"]) == ([], {"failure"})
    assert judged(row("OWN", "SUCCEEDED"), partial=True) == ([], {"gate train", "slow train"})
    failed = row("SHOP$A", "FAILED", ERROR_MESSAGE="no")
    assert judged(failed, partial=True) == ([("failure", "a", "no")], set())
