"""Schedules of a server that was down in between: what was due is missed, and the beat goes on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asking import Sql, times

from sfml_local.core.account import Account
from sfml_local.core.clock import ManualClock
from sfml_local.core.errors import SqlError
from sfml_local.registry import open_account

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SKIPPED, SCHEDULED = "SKIPPED", "SCHEDULED"

Restart = Callable[..., Sql]


@pytest.fixture
def restart(tmp_path: Path) -> Iterator[Restart]:
    """Another server on the same folder, at another time."""
    opened: list[Account] = []

    def start(moment: datetime, *, schedules: bool = True) -> Sql:
        for account in opened:
            account.close()
        opened[:] = [open_account(tmp_path / "again", clock=ManualClock(moment), schedules=schedules)]
        opened[0].start()
        return Sql(opened[0])

    yield start
    for account in opened:
        account.close()


def test_what_was_due_while_the_server_was_down_is_missed(restart: Restart) -> None:
    sql = restart(START)
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    sql.account.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    sql = restart(START + 5.5 * HOUR)
    assert times(sql) == [START + HOUR, START + 2 * HOUR]
    assert times(sql, SKIPPED) == [START + 3 * HOUR, START + 4 * HOUR, START + 5 * HOUR]
    assert {row["ERROR_MESSAGE"] for row in sql.history(STATE=SKIPPED)} == {
        "Missed: the local Snowflake did not keep schedules at this time."
    }
    assert sql("SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == []
    # Nothing is made up for, and the interval's beat goes on.
    sql.account.clock.advance(HOUR)  # type: ignore[attr-defined]
    assert times(sql)[-1] == START + 6 * HOUR
    sql = restart(START + 6.5 * HOUR)
    assert len(times(sql, SKIPPED)) == 3


def test_a_missed_time_is_no_run_to_retry(restart: Restart) -> None:
    sql = restart(START)
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    sql = restart(START + DAY)
    with pytest.raises(SqlError, match="no suitable run of graph with root task R to retry"):
        sql("EXECUTE TASK r RETRY LAST")


def test_of_a_long_time_the_latest_hundred_are_told(restart: Restart) -> None:
    sql = restart(START)
    sql.graph("r SCHEDULE = 'USING CRON * * * * * UTC' AS SELECT 1")
    sql("ALTER TASK r RESUME")
    sql = restart(START + 30 * DAY)
    missed = times(sql, SKIPPED)
    assert (len(missed), missed[-1]) == (100, START + 30 * DAY)


def test_a_server_for_one_command_fires_nothing(restart: Restart) -> None:
    sql = restart(START, schedules=False)
    sql.graph("r SCHEDULE = '1 HOUR' AS SELECT 1")
    [answer] = sql("ALTER TASK r RESUME")
    assert "while `sfml local start` keeps the server up" in answer["status"]
    sql.account.clock.advance(DAY)  # type: ignore[attr-defined]
    assert sql.history() == []
    sql = restart(START + DAY)
    assert len(times(sql, SKIPPED)) == 24


# -- any history of a schedule, against a model that looks at every minute


@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_of_events(restart: Restart, seed: int) -> None:
    """Resumed, suspended, executed, up or down: what ran and what was missed, as a walk minute by minute finds it."""
    chance = random.Random(seed)
    every, cron = chance.choice([(7, None), (30, None), (60, "15 * * * *"), (20, "*/20 * * * *")])
    schedule = f"USING CRON {cron} America/New_York" if cron else f"{every} MINUTES"
    now, base = START, START
    sql = restart(now)
    sql.graph(f"r SCHEDULE = '{schedule}' AS SELECT 1")
    started, ran, missed = False, [], []

    def walk(minutes: int, slots: list[datetime]) -> None:
        nonlocal now
        for _ in range(minutes):
            now += MINUTE
            due = (now.minute - 15) % every == 0 if cron == "15 * * * *" else now.minute % every == 0
            if started and (due if cron else (now - base) % (every * MINUTE) == timedelta(0)):
                slots.append(now)

    for _ in range(14):
        minutes = chance.randrange(1, 150)
        match chance.choice(["on", "off", "up", "up", "down", "execute"]):
            case "on" if not started:
                sql("ALTER TASK r RESUME")
                started, base = True, now
            case "off" if started:
                sql("ALTER TASK r SUSPEND")
                started = False
            case "down":
                walk(minutes, missed)
                sql = restart(now)
            case "execute":
                sql("EXECUTE TASK r")
                sql.settled()
            case _:
                sql.account.clock.advance(minutes * MINUTE)  # type: ignore[attr-defined]
                walk(minutes, ran)
    assert times(sql) == ran
    assert times(sql, SKIPPED) == missed
    upcoming = [row["SCHEDULED_TIME"] for row in sql.history(STATE=SCHEDULED)]
    assert [moment > now for moment in upcoming] == [True] * started
