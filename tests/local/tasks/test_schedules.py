"""Schedules fire at the account's clock, which these tests move by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asking import Sql, times

from sfml.semantics.states import State
from sfml_local.core.account import Account
from sfml_local.core.clock import ManualClock
from sfml_local.registry import open_account
from sfml_local.services.tasks import run_store
from sfml_local.services.tasks.execution import runner_of

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OK, SKIPPED, SCHEDULED, EXECUTING, FAILED = "SUCCEEDED", "SKIPPED", "SCHEDULED", "EXECUTING", "FAILED"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def account(tmp_path: Path, clock: ManualClock) -> Iterator[Account]:
    account = open_account(tmp_path / "local", clock=clock)
    account.start()
    yield account
    account.close()


@pytest.fixture
def sql(account: Account) -> Sql:
    return Sql(account)


class Gate:
    """A system function of the account that a task calls and that returns when the test lets it."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.left = threading.Semaphore(0)

    def __call__(self, *ignored: object) -> bool:
        self.entered.release()
        assert self.left.acquire(timeout=20)
        return True

    def wait_for(self, runs: int = 1) -> None:
        for _ in range(runs):
            assert self.entered.acquire(timeout=20), "no task has come to the gate"

    def open(self, runs: int = 1) -> None:
        self.left.release(runs)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, account: Account) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(account, "system_functions", {**account.system_functions, "SYSTEM$GATE": gate})
    yield gate
    gate.open(100)
    runner_of(account).settle()


def test_an_interval_counts_from_resume(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '90 SECONDS' AS SELECT 1", "a AFTER r AS SELECT 1")
    clock.advance(10 * MINUTE)
    assert sql.history() == []
    sql("ALTER TASK r RESUME")
    resumed = clock()
    clock.advance(4 * MINUTE)
    expected = [resumed + timedelta(seconds=90), resumed + timedelta(seconds=180)]
    assert times(sql) == times(sql, name="A") == expected


def test_what_the_history_says_of_a_scheduled_run(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = 'USING CRON 30 * * * * UTC' CONFIG = '{\"k\": 1}' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    [before] = sql.history()
    assert (before["STATE"], before["SCHEDULED_FROM"], before["QUERY_ID"]) == (SCHEDULED, "SCHEDULE", None)
    clock.advance(HOUR)
    row, following = sql.history()
    slot = START + 30 * MINUTE
    assert row["GRAPH_RUN_GROUP_ID"] == before["GRAPH_RUN_GROUP_ID"]
    assert (row["STATE"], row["SCHEDULED_FROM"], row["ATTEMPT_NUMBER"]) == (OK, "SCHEDULE", 1)
    assert (row["SCHEDULED_TIME"], row["QUERY_START_TIME"]) == (slot, slot)
    assert row["RUN_ID"] == before["RUN_ID"] == int(slot.timestamp() * 1000)
    assert (row["NEXT_SCHEDULED_TIME"], row["CONFIG"]) == (slot + HOUR, '{"k": 1}')
    assert (following["STATE"], following["SCHEDULED_TIME"]) == (SCHEDULED, slot + HOUR)
    assert following["NEXT_SCHEDULED_TIME"] == slot + 2 * HOUR
    graphs = "SELECT STATE, SCHEDULED_TIME FROM TABLE(INFORMATION_SCHEMA.{}_TASK_GRAPHS())"
    assert sql(graphs.format("CURRENT")) == [{"STATE": SCHEDULED, "SCHEDULED_TIME": slot + HOUR}]
    assert sql(graphs.format("COMPLETE")) == [{"STATE": OK, "SCHEDULED_TIME": slot}]


def test_only_the_next_eight_days_are_shown_beforehand(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = 'USING CRON 0 0 10 * * UTC' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    assert sql.history() == []
    clock.advance(DAY)
    assert [row["SCHEDULED_TIME"] for row in sql.history()] == [START + 9 * DAY]


def test_a_resume_within_the_matching_minute_waits_for_the_next(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = 'USING CRON 0 * * * * UTC' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(HOUR)
    assert times(sql) == [START + HOUR]


def test_suspending_cancels_what_is_scheduled_and_resuming_begins_anew(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(90 * MINUTE)
    sql("ALTER TASK r SUSPEND")
    assert [row["STATE"] for row in sql.history()] == [OK]
    clock.advance(5 * HOUR)
    sql("ALTER TASK r RESUME")
    resumed = clock()
    clock.advance(HOUR)
    assert times(sql) == [START + HOUR, resumed + HOUR]


def test_a_new_schedule_counts_and_a_replaced_task_is_suspended(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(HOUR)
    sql("ALTER TASK r SUSPEND")
    sql("ALTER TASK r SET SCHEDULE = '10 MINUTES'")
    sql("ALTER TASK r RESUME")
    clock.advance(25 * MINUTE)
    first = START + HOUR
    assert times(sql) == [first, first + 10 * MINUTE, first + 20 * MINUTE]
    sql("ALTER TASK r SUSPEND")
    sql("CREATE OR REPLACE TASK r SCHEDULE = '10 MINUTES' AS SELECT 1")
    clock.advance(DAY)
    assert len(times(sql)) == 3


def test_a_run_keeps_the_version_that_resume_fixed(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    committed = sql("DESCRIBE TASK r")[0]["last_committed_on"]
    clock.advance(3 * HOUR)
    assert {row["GRAPH_VERSION"] for row in sql.history()} == {1}
    assert sql("DESCRIBE TASK r")[0]["last_committed_on"] == committed


def test_failures_in_a_row_end_the_schedule(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' SUSPEND_TASK_AFTER_NUM_FAILURES = 3 AS SELECT * FROM nowhere")
    sql("ALTER TASK r RESUME")
    clock.advance(DAY)
    assert [row["STATE"] for row in sql.history()] == [FAILED, FAILED, "FAILED_AND_AUTO_SUSPENDED"]
    [task] = sql("DESCRIBE TASK r")
    assert (task["state"], task["last_suspended_reason"]) == ("suspended", "SUSPENDED_DUE_TO_ERRORS")


def test_a_scheduled_run_is_retried_by_itself(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' TASK_AUTO_RETRY_ATTEMPTS = 1 AS SELECT * FROM nowhere")
    sql("ALTER TASK r RESUME")
    clock.advance(HOUR)
    rows = [row for row in sql.history() if row["STATE"] == FAILED]
    assert [(r["ATTEMPT_NUMBER"], r["SCHEDULED_FROM"]) for r in rows] == [
        (1, "SCHEDULE"),
        (2, "AUTOMATIC RETRY"),
    ]
    assert len({(r["RUN_ID"], r["GRAPH_RUN_GROUP_ID"]) for r in rows}) == 1


def test_a_scheduled_root_whose_condition_is_false_is_skipped(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' WHEN 1 = 2 AS SELECT 1", "a AFTER r AS SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(2 * HOUR)
    assert times(sql, SKIPPED) == [START + HOUR, START + 2 * HOUR]
    assert sql.history(NAME="A") == []


# -- a year


def test_a_year_of_sundays_in_a_zone_with_summer_time(sql: Sql, clock: ManualClock) -> None:
    sql("CREATE TABLE ran (n INT)")
    sql.graph("r SCHEDULE = 'USING CRON 30 2 * * SUN America/New_York' AS INSERT INTO ran SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(to=datetime(2027, 1, 1, tzinfo=UTC))
    # 8 March 2026 has no 02:30 there, the other 51 Sundays have one.
    assert sql("SELECT COUNT(*) AS c FROM ran") == [{"C": 51}]
    # TASK_HISTORY tells of the last seven days alone.
    runs = run_store.graph_runs(sql.account.store, states=(State.SUCCEEDED,))
    slots = sorted(run.scheduled_time for run in runs)
    local = [slot.astimezone(ZoneInfo("America/New_York")) for slot in slots]
    assert len(local) == 51
    assert {(moment.hour, moment.minute) for moment in local} == {(2, 30)}
    assert {moment.utcoffset() for moment in local} == {timedelta(hours=-5), timedelta(hours=-4)}


# -- overlap and manual runs


def busy(sql: Sql, policy: str, where: str) -> None:
    bodies = {"root": ("SELECT SYSTEM$GATE()", "SELECT 1"), "child": ("SELECT 1", "SELECT SYSTEM$GATE()")}
    root, child = bodies[where]
    sql.graph(f"r SCHEDULE = '1 HOUR' OVERLAP_POLICY = {policy} AS {root}", f"a AFTER r AS {child}")
    sql("ALTER TASK r RESUME")


@pytest.mark.parametrize(
    ("policy", "where", "began"),
    [
        ("NO_OVERLAP", "root", 1),
        ("NO_OVERLAP", "child", 1),
        ("ALLOW_CHILD_OVERLAP", "root", 1),
        ("ALLOW_CHILD_OVERLAP", "child", 3),
        ("ALLOW_ALL_OVERLAP", "root", 3),
        ("ALLOW_ALL_OVERLAP", "child", 3),
    ],
)
def test_what_a_schedule_does_while_a_run_executes(
    sql: Sql, clock: ManualClock, gate: Gate, policy: str, where: str, began: int
) -> None:
    busy(sql, policy, where)
    for hour in range(3):
        clock.advance(HOUR, settle=False)
        if hour < began:
            gate.wait_for()
    executing = sql.history(STATE=EXECUTING)
    assert len({row["GRAPH_RUN_GROUP_ID"] for row in executing}) == began
    gate.open(10)
    sql.settled()
    # What was passed over has no row, and the schedule goes on.
    assert times(sql, OK) == [START + (n + 1) * HOUR for n in range(began)]
    clock.advance(HOUR)
    assert times(sql, OK)[-1] == START + 4 * HOUR


@pytest.mark.parametrize(("policy", "at_once"), [("NO_OVERLAP", False), ("ALLOW_ALL_OVERLAP", True)])
def test_execute_task_while_a_scheduled_run_executes(
    sql: Sql, clock: ManualClock, gate: Gate, policy: str, at_once: bool
) -> None:
    busy(sql, policy, "root")
    clock.advance(HOUR, settle=False)
    gate.wait_for()
    sql("EXECUTE TASK r USING CONFIG = '{\"n\": 1}'")
    if at_once:
        gate.wait_for()
    else:
        sql("EXECUTE TASK r USING CONFIG = '{\"n\": 2}'")
        # The run that waits stands in the place of the scheduled one, and only the latest asked for does.
        [waiting] = sql.history(STATE=SCHEDULED)
        assert (waiting["SCHEDULED_FROM"], waiting["CONFIG"]) == ("EXECUTE TASK", '{"n":2}')
    gate.open(10)
    sql.settled()
    assert len(times(sql, OK, scheduled_from="EXECUTE TASK")) == 1


def test_a_waiting_run_begins_when_the_root_has_ended(sql: Sql, clock: ManualClock, gate: Gate) -> None:
    sql.graph(
        "r SCHEDULE = '1 HOUR' OVERLAP_POLICY = ALLOW_CHILD_OVERLAP AS SELECT SYSTEM$GATE()",
        "a AFTER r AS SELECT SYSTEM$GATE()",
    )
    sql("ALTER TASK r RESUME")
    clock.advance(HOUR, settle=False)
    gate.wait_for()
    sql("EXECUTE TASK r")
    assert [row["NAME"] for row in sql.history(STATE=EXECUTING)] == ["R"]
    gate.open()
    gate.wait_for(2)  # the child of the first run, the root of the second
    assert sorted(row["NAME"] for row in sql.history(STATE=EXECUTING)) == ["A", "R"]


def test_after_a_failed_root_the_next_run_waits_for_the_whole_run(
    sql: Sql, clock: ManualClock, gate: Gate
) -> None:
    sql.graph(
        "r SCHEDULE = '1 HOUR' OVERLAP_POLICY = ALLOW_CHILD_OVERLAP AS SELECT * FROM nowhere",
        "f FINALIZE = r AS SELECT SYSTEM$GATE()",
    )
    sql("ALTER TASK r RESUME")
    clock.advance(HOUR, settle=False)
    gate.wait_for()
    sql("EXECUTE TASK r")
    clock.advance(HOUR, settle=False)
    assert [row["NAME"] for row in sql.history(STATE=EXECUTING)] == ["F"]
    gate.open(10)
    sql.settled()
    assert len(sql.history(NAME="R", STATE=FAILED)) > 1


def test_a_manual_run_leaves_the_schedule_as_it_is(sql: Sql, clock: ManualClock) -> None:
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(50 * MINUTE)
    sql("EXECUTE TASK r")
    sql.settled()
    clock.advance(DAY - 50 * MINUTE)
    assert times(sql) == [START + n * HOUR for n in range(1, 25)]
    assert times(sql, scheduled_from="EXECUTE TASK") == [START + 50 * MINUTE]
