"""Graphs that run when a stream has data, at a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asking import Sql

from sfml_local.core.clock import ManualClock
from sfml_local.registry import open_account

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
OK, SKIPPED, FAILED = "SUCCEEDED", "SKIPPED", "FAILED"
CONSUME = "INSERT INTO seen SELECT a FROM s"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def sql(tmp_path: Path, clock: ManualClock) -> Iterator[Sql]:
    account = open_account(tmp_path / "local", clock=clock)
    account.start()
    sql = Sql(account)
    sql("CREATE TABLE t (a INT)")
    sql("CREATE TABLE seen (a INT)")
    sql("CREATE STREAM s ON TABLE t")
    yield sql
    account.close()


def runs(sql: Sql, name: str = "R") -> list[tuple[int, str]]:
    """(seconds since the start, state) of a task's triggered runs."""
    rows = sql.history(NAME=name, SCHEDULED_FROM="TRIGGER")
    return [(int((row["SCHEDULED_TIME"] - START).total_seconds()), row["STATE"]) for row in rows]


def triggered(sql: Sql, body: str = CONSUME, settings: str = "") -> None:
    sql.graph(f"r {settings} WHEN SYSTEM$STREAM_HAS_DATA('s') AS {body}", "a AFTER r AS SELECT 1")
    sql("ALTER TASK r RESUME")


def test_it_runs_when_there_is_data_and_once_it_is_consumed_no_more(sql: Sql, clock: ManualClock) -> None:
    triggered(sql)
    clock.advance(HOUR)
    assert runs(sql) == []
    sql("INSERT INTO t VALUES (1), (2)")
    clock.advance(HOUR)
    assert runs(sql) == runs(sql, "A") == [(3600, OK)]
    assert sql("SELECT COUNT(*) AS c FROM seen") == [{"C": 2}]
    [row] = sql.history(NAME="R")
    assert row["NEXT_SCHEDULED_TIME"] is None
    assert sql("DESCRIBE TASK r")[0]["schedule"] is None


def test_a_stream_on_a_view_triggers_when_the_view_changes(sql: Sql, clock: ManualClock) -> None:
    sql("CREATE VIEW v AS SELECT a FROM t WHERE a > 5")
    sql("CREATE OR REPLACE STREAM s ON VIEW v")
    triggered(sql)
    sql("INSERT INTO t VALUES (1)")
    clock.advance(HOUR)
    assert runs(sql) == []
    sql("INSERT INTO t VALUES (9)")
    clock.advance(HOUR)
    assert runs(sql) == [(3600, OK)]
    assert sql("SELECT a FROM seen") == [{"A": 9}]


def test_data_before_resume_counts(sql: Sql, clock: ManualClock) -> None:
    sql("INSERT INTO t VALUES (1)")
    clock.advance(HOUR)
    triggered(sql)
    clock.advance(SECOND)
    assert runs(sql) == [(3600, OK)]


@pytest.mark.parametrize(
    ("settings", "every"), [("", 30), ("USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = 10", 10)]
)
def test_it_runs_no_more_often_than_the_minimum_interval(
    sql: Sql, clock: ManualClock, settings: str, every: int
) -> None:
    triggered(sql, settings=settings)
    for n in range(3):
        sql(f"INSERT INTO t VALUES ({n})")
        clock.advance(SECOND)
    clock.advance(HOUR)
    # The rows of seconds 1 and 2 wait for the second run together.
    assert runs(sql) == [(0, OK), (every, OK)]
    assert sql("SELECT COUNT(*) AS c FROM seen") == [{"C": 3}]


def test_data_that_a_run_leaves_triggers_it_again(sql: Sql, clock: ManualClock) -> None:
    triggered(sql, body="SELECT COUNT(*) FROM s")
    sql("INSERT INTO t VALUES (1)")
    clock.advance(65 * SECOND)
    assert runs(sql) == [(0, OK), (30, OK), (60, OK)]


def test_twelve_hours_without_a_run_bring_a_health_check(sql: Sql, clock: ManualClock) -> None:
    triggered(sql)
    clock.advance(30 * HOUR)
    assert runs(sql) == [(12 * 3600, SKIPPED), (24 * 3600, SKIPPED)]


def test_suspended_it_does_not_run(sql: Sql, clock: ManualClock) -> None:
    triggered(sql)
    sql("ALTER TASK r SUSPEND")
    sql("INSERT INTO t VALUES (1)")
    clock.advance(HOUR)
    assert runs(sql) == []
    sql("EXECUTE TASK r")
    sql.settled()
    assert [row["STATE"] for row in sql.history(NAME="R", SCHEDULED_FROM="EXECUTE TASK")] == [OK]


def test_conditions_may_ask_for_several_streams(sql: Sql, clock: ManualClock) -> None:
    sql("CREATE TABLE u (a INT)")
    sql("CREATE STREAM su ON TABLE u APPEND_ONLY = TRUE")
    sql(
        "CREATE TASK r WHEN SYSTEM$STREAM_HAS_DATA('s') AND SYSTEM$STREAM_HAS_DATA('su')"
        " AS INSERT INTO seen SELECT s.a FROM s JOIN su ON s.a = su.a"
    )
    sql("ALTER TASK r RESUME")
    sql("INSERT INTO t VALUES (1)")
    clock.advance(HOUR)
    assert runs(sql) == []
    sql("INSERT INTO u VALUES (1)")
    clock.advance(HOUR)
    assert runs(sql) == [(3600, OK)]


def test_a_stream_that_does_not_exist_fails_the_run_until_it_is_suspended(
    sql: Sql, clock: ManualClock
) -> None:
    sql("CREATE TASK r SUSPEND_TASK_AFTER_NUM_FAILURES = 2 WHEN SYSTEM$STREAM_HAS_DATA('none') AS SELECT 1")
    sql("ALTER TASK r RESUME")
    clock.advance(HOUR)
    assert runs(sql) == [(0, FAILED), (30, "FAILED_AND_AUTO_SUSPENDED")]
    assert "SFML.PUBLIC.NONE" in sql.history()[0]["ERROR_MESSAGE"]


def test_a_failed_run_leaves_the_data_for_the_next(sql: Sql, clock: ManualClock) -> None:
    sql(
        "CREATE TASK r SUSPEND_TASK_AFTER_NUM_FAILURES = 5 WHEN SYSTEM$STREAM_HAS_DATA('s')"
        " AS INSERT INTO later SELECT a FROM s"
    )
    sql("ALTER TASK r RESUME")
    sql("INSERT INTO t VALUES (1)")
    clock.advance(40 * SECOND)
    sql("CREATE TABLE later (a INT)")
    clock.advance(HOUR)
    assert runs(sql) == [(0, FAILED), (30, FAILED), (60, OK)]
    assert sql("SELECT a FROM later") == [{"A": 1}]


def test_a_schedule_with_a_stream_is_skipped_when_there_is_no_data(sql: Sql, clock: ManualClock) -> None:
    triggered(sql, settings="SCHEDULE = '1 HOUR'")
    clock.advance(2.5 * HOUR)
    sql("INSERT INTO t VALUES (1)")
    clock.advance(2 * HOUR)
    states = [row["STATE"] for row in sql.history(NAME="R", SCHEDULED_FROM="SCHEDULE")]
    assert states == [SKIPPED, SKIPPED, OK, SKIPPED, "SCHEDULED"]
    assert runs(sql) == []
