"""Alerts: what they run at the account's clock, what their history tells, and who may create which."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import Sql

from sfml_local.core.account import Account
from sfml_local.core.clock import ManualClock
from sfml_local.core.errors import SqlError
from sfml_local.registry import open_account
from sfml_local.services.alerts import store
from sfml_local.services.alerts.alerts import Alerts
from sfml_local.services.alerts.running import SERVER_ENDED

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRED = "INSERT INTO fired SELECT SNOWFLAKE.ALERT.SCHEDULED_TIME(), SNOWFLAKE.ALERT.LAST_SUCCESSFUL_SCHEDULED_TIME()"


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
    sql = Sql(account)
    sql("CREATE TABLE gauge (value INT)")
    sql("CREATE TABLE fired (at TIMESTAMP_LTZ, since TIMESTAMP_LTZ)")
    return sql


def created(sql: Sql, condition: str = "SELECT * FROM gauge WHERE value > 200", action: str = FIRED) -> None:
    sql(f"CREATE OR REPLACE ALERT a SCHEDULE = '10 MINUTES' IF (EXISTS ({condition})) THEN {action}")


def history(sql: Sql, *columns: str, arguments: str = "") -> list[Any]:
    """The runs that have ended, the earliest first: their columns, or the only one."""
    rows = sql(
        f"SELECT {', '.join(columns)} FROM TABLE(INFORMATION_SCHEMA.ALERT_HISTORY({arguments}))"
        " WHERE state <> 'SCHEDULED' ORDER BY scheduled_time"
    )
    return [tuple(row.values()) if len(columns) > 1 else next(iter(row.values())) for row in rows]


def state(sql: Sql) -> str:
    return str(sql("SHOW ALERTS")[0]["state"])


def test_the_action_runs_when_the_condition_has_rows(sql: Sql, clock: ManualClock) -> None:
    created(sql)
    clock.advance(HOUR)
    assert history(sql, "state") == [], "it is suspended when it is created"
    sql("ALTER ALERT a RESUME")
    clock.advance(15 * MINUTE)
    sql("INSERT INTO gauge VALUES (201)")
    clock.advance(10 * MINUTE)
    assert history(sql, "state") == ["CONDITION_FALSE", "TRIGGERED"]
    # The times of the schedule: an interval counts from RESUME.
    first, second = START + HOUR + 10 * MINUTE, START + HOUR + 20 * MINUTE
    assert [tuple(row.values()) for row in sql("SELECT * FROM fired")] == [(second, first)]
    sql("ALTER ALERT a SUSPEND")
    clock.advance(HOUR)
    assert len(history(sql, "state")) == 2


def test_there_is_a_last_time_from_the_beginning_of_time(sql: Sql) -> None:
    created(sql, "SELECT 1")
    sql("EXECUTE ALERT a")
    sql.account.part(Alerts).settle()
    assert sql("SELECT at, since FROM fired") == [{"AT": START, "SINCE": datetime.fromtimestamp(0, UTC)}]
    assert state(sql) == "suspended", "EXECUTE ALERT resumes nothing"


@pytest.mark.parametrize(
    ("condition", "action", "state", "message"),
    [
        ("SELECT * FROM nowhere", "SELECT 1", "CONDITION_FAILED", "NOWHERE"),
        ("SELECT 1", "INSERT INTO nowhere VALUES (1)", "ACTION_FAILED", "NOWHERE"),
        ("SELECT 1", "BEGIN LET n INT := 1; RETURN n; END", "TRIGGERED", None),
        ("SHOW TABLES", "SELECT 1", "TRIGGERED", None),
        ("SHOW VIEWS IN SCHEMA", "SELECT 1", "CONDITION_FALSE", None),
        ("CALL answer()", "SELECT 1", "TRIGGERED", None),
    ],
)
def test_how_a_run_ends(sql: Sql, condition: str, action: str, state: str, message: str | None) -> None:
    sql("CREATE PROCEDURE answer() RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'")
    created(sql, condition, action)
    sql("EXECUTE ALERT a")
    sql.account.part(Alerts).settle()
    [(found, code, text, ended)] = history(
        sql, "state", "sql_error_code", "sql_error_message", "completed_time"
    )
    assert (found, ended) == (state, START)
    assert (code, text) == (None, None) if message is None else (code == 2003 and message in text)


def test_an_action_cannot_transfer_files(sql: Sql) -> None:
    created(sql, "SELECT 1", "PUT file:///no_such @~")
    sql("EXECUTE ALERT a")
    sql.account.part(Alerts).settle()
    assert history(sql, "state", "sql_error_code") == [("ACTION_FAILED", 90236)]


def test_a_failed_run_is_no_successful_one(sql: Sql, clock: ManualClock) -> None:
    created(sql, "SELECT * FROM gauge")
    sql("ALTER ALERT a RESUME")
    clock.advance(10 * MINUTE)
    sql("INSERT INTO gauge VALUES (1)")
    sql("ALTER ALERT a MODIFY ACTION INSERT INTO nowhere VALUES (1)")
    clock.advance(10 * MINUTE)
    sql(f"ALTER ALERT a MODIFY ACTION {FIRED}")
    clock.advance(10 * MINUTE)
    assert history(sql, "state") == ["CONDITION_FALSE", "ACTION_FAILED", "TRIGGERED"]
    assert sql("SELECT since FROM fired") == [{"SINCE": START + 10 * MINUTE}]


def test_the_action_knows_the_rows_of_the_condition(sql: Sql) -> None:
    sql("CREATE TABLE noted (value INT)")
    sql("INSERT INTO gauge VALUES (7), (300)")
    read = "SELECT value FROM TABLE(RESULT_SCAN(SNOWFLAKE.ALERT.GET_CONDITION_QUERY_UUID()))"
    created(sql, action=f"BEGIN INSERT INTO noted {read}; END")
    sql("EXECUTE ALERT a")
    sql.account.part(Alerts).settle()
    assert sql("SELECT * FROM noted") == [{"VALUE": 300}]


def test_a_procedure_of_the_action_works_for_the_alert(sql: Sql) -> None:
    body = f"BEGIN {FIRED}; RETURN 1; END"
    sql(f"CREATE PROCEDURE fire() RETURNS INT LANGUAGE SQL EXECUTE AS OWNER AS '{body}'")
    created(sql, "SELECT 1", "CALL fire()")
    sql("EXECUTE ALERT a")
    sql.account.part(Alerts).settle()
    assert sql("SELECT at FROM fired") == [{"AT": START}]


def test_the_functions_belong_to_alerts(sql: Sql) -> None:
    with pytest.raises(SqlError, match=r"SCHEDULED_TIME must be called from within an alert"):
        sql("SELECT SNOWFLAKE.ALERT.SCHEDULED_TIME()")


def test_messages_go_to_the_outbox(sql: Sql) -> None:
    created(sql, "SELECT 1", "CALL SYSTEM$SEND_EMAIL('mail', 'a@example.com', 'too high', 'look')")
    sql("EXECUTE ALERT a")
    sql.account.part(Alerts).settle()
    assert history(sql, "state") == ["TRIGGERED"]
    assert len(sql("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS")) == 1


def test_the_next_time_is_in_the_history(sql: Sql, clock: ManualClock) -> None:
    sql("CREATE ALERT a SCHEDULE = 'USING CRON 0 6 * * * UTC' IF (EXISTS (SELECT 1)) THEN SELECT 2")
    sql("CREATE ALERT b SCHEDULE = 'USING CRON 0 6 1 6 * UTC' IF (EXISTS (SELECT 1)) THEN SELECT 2")
    sql("ALTER ALERT a RESUME")
    sql("ALTER ALERT b RESUME")
    scheduled = sql("SELECT * FROM TABLE(INFORMATION_SCHEMA.ALERT_HISTORY())")
    assert [(row["NAME"], row["STATE"], row["SCHEDULED_TIME"]) for row in scheduled] == [
        ("A", "SCHEDULED", START + 6 * HOUR)
    ], "no more than eight days ahead"
    until = "SCHEDULED_TIME_RANGE_END => CURRENT_TIMESTAMP()"
    clock.advance(7 * HOUR)
    assert history(sql, "name", "condition", "action", arguments=until) == [("A", "SELECT 1", "SELECT 2")]
    assert history(sql, "name", arguments="ALERT_NAME => 'b'") == []
    assert history(sql, "name", arguments="alert_name => 'a', RESULT_LIMIT => 2") == ["A"]
    with pytest.raises(SqlError, match="within the last 7 days"):
        history(sql, "name", arguments="SCHEDULED_TIME_RANGE_START => '2025-12-20'::TIMESTAMP_LTZ")


def test_a_new_schedule_counts_from_now(sql: Sql, clock: ManualClock) -> None:
    created(sql, "SELECT 1", "SELECT 1")
    sql("ALTER ALERT a RESUME")
    clock.advance(5 * MINUTE)
    sql("ALTER ALERT a SET SCHEDULE = '7 minutes' COMMENT = 'c'")
    clock.advance(7 * MINUTE)
    assert history(sql, "scheduled_time") == [START + 12 * MINUTE]


class Gate:
    """A system function at which an action waits."""

    def __init__(self) -> None:
        self.entered, self.left = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, *ignored: object) -> bool:
        self.entered.release()
        assert self.left.acquire(timeout=20)
        return True


@pytest.fixture
def gate(account: Account) -> Gate:
    gate = Gate()
    account.system_functions = {**account.system_functions, "SYSTEM$GATE": gate}
    return gate


def test_a_run_waits_for_the_one_that_executes(sql: Sql, gate: Gate, clock: ManualClock) -> None:
    created(sql, "SELECT 1", "SELECT SYSTEM$GATE()")
    sql("ALTER ALERT a RESUME")
    sql("EXECUTE ALERT a")
    assert gate.entered.acquire(timeout=20)
    clock.advance(10 * MINUTE, settle=False)
    assert history(sql, "state") == ["EXECUTING"], "a time of the schedule is passed over"
    sql("EXECUTE ALERT a")
    clock.advance(MINUTE, settle=False)
    sql("EXECUTE ALERT a")
    gate.left.release(2)
    sql.account.part(Alerts).settle()
    assert history(sql, "state", "scheduled_time") == [
        ("TRIGGERED", START),
        ("TRIGGERED", START + 11 * MINUTE),
    ], "of two that wait, the latest counts"


def test_what_runs_ends_with_the_server(
    account: Account, sql: Sql, clock: ManualClock, tmp_path: Path
) -> None:
    created(sql, "SELECT 1", "SELECT SYSTEM$WAIT(60)")
    sql("ALTER ALERT a RESUME")
    sql("EXECUTE ALERT a")
    account.close()
    clock.advance(5 * MINUTE + 2 * HOUR)
    again = open_account(tmp_path / "local", clock=clock)
    again.start()
    try:
        ask = Sql(again)
        assert history(ask, "state", "sql_error_message") == [("FAILED", SERVER_ENDED)]
        assert state(ask) == "started"
        ask("ALTER ALERT a MODIFY ACTION SELECT 1")
        clock.advance(10 * MINUTE)
        # Nothing tells of the times without a server; the next one is that of the schedule.
        assert history(ask, "state") == ["FAILED", "TRIGGERED"]
        assert history(ask, "scheduled_time")[-1] == START + 2 * HOUR + 10 * MINUTE
    finally:
        again.close()


def test_runs_that_a_dead_server_left(account: Account, sql: Sql) -> None:
    created(sql, "SELECT 1", FIRED)
    alert = store.find(account.store, next(iter(store.names(account, "SFML", "PUBLIC"))))
    assert alert is not None
    for number, left in enumerate(("EXECUTING", "SCHEDULED")):
        account.store.execute(
            'INSERT INTO alert_runs SELECT ?, id, database, schema, name, condition, "action", created_on, ?,'
            " NULL, NULL, NULL, NULL, NULL FROM alerts",
            (str(number), left),
        )
    account.part(Alerts).recover()
    account.part(Alerts).settle()
    assert sorted(history(sql, "state")) == ["FAILED", "TRIGGERED"]


def test_the_history_of_seven_days_is_kept_and_the_last_success(sql: Sql, clock: ManualClock) -> None:
    created(sql, "SELECT 1", "SELECT 1")
    sql("EXECUTE ALERT a")
    sql("CREATE ALERT b SCHEDULE = '1 MINUTE' IF (EXISTS (SELECT * FROM nowhere)) THEN SELECT 1")
    sql("EXECUTE ALERT b")
    sql.account.part(Alerts).settle()
    clock.advance(timedelta(days=8))
    sql("EXECUTE ALERT b")
    sql.account.part(Alerts).settle()
    runs = [(run.name.name, run.scheduled_time) for run in store.runs(sql.account.store)]
    assert runs == [("B", START + timedelta(days=8)), ("A", START)]


def test_a_schema_takes_its_alerts_with_it(sql: Sql) -> None:
    sql("CREATE SCHEMA SFML.OTHER")
    created(sql)
    sql("ALTER ALERT a RESUME")
    sql("DROP SCHEMA SFML.OTHER")
    assert sql("SHOW ALERTS IN ACCOUNT") == []


def test_an_action_may_suspend_its_alert(sql: Sql, clock: ManualClock) -> None:
    created(sql, "SELECT 1", f"BEGIN ALTER ALERT a SUSPEND; {FIRED}; END")
    sql("ALTER ALERT a RESUME")
    clock.advance(HOUR)
    assert history(sql, "state") == ["TRIGGERED"]
    assert (len(sql("SELECT * FROM fired")), state(sql)) == (1, "suspended")
