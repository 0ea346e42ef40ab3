"""Schedules at the machine's clock: the scheduler's thread, servers that stay and servers that pass."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import snowflake.connector

from sfml_local import control
from sfml_local.control import ServerInfo
from sfml_local.core.clock import ManualClock
from sfml_local.http.app import LocalServer

HISTORY = (
    "SELECT STATE, SCHEDULED_TIME, ERROR_MESSAGE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
    "TASK_NAME => 'R')) ORDER BY SCHEDULED_TIME"
)


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def cursor_of(arguments: dict[str, Any]) -> Iterator[Any]:
    with snowflake.connector.connect(**arguments) as connection:
        yield connection.cursor()


def arguments_of(info: ServerInfo) -> dict[str, Any]:
    names = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return {name: getattr(info, name) for name in names}


def resume(cursor: Any, schedule: str) -> str:
    cursor.execute(f"CREATE TASK r SCHEDULE = '{schedule}' AS SELECT 1")
    return str(cursor.execute("ALTER TASK r RESUME").fetchone()[0])


def states(cursor: Any) -> list[str]:
    return [row[0] for row in cursor.execute(HISTORY).fetchall()]


def backdate(folder: Path, seconds: float) -> None:
    """Let the schedule have begun earlier."""
    since = datetime.now(UTC) - timedelta(seconds=seconds)
    with sqlite3.connect(folder / "account.sqlite") as connection:
        connection.execute("UPDATE tasks SET scheduled_since = ?", (since.isoformat(),))


def test_a_thread_sleeps_until_the_next_time_and_wakes_for_a_change(folder: Path) -> None:
    # The server's clock shows half a second before a full minute when the task is resumed.
    shift = datetime(2026, 1, 1, 11, 59, 59, 500_000, tzinfo=UTC) - datetime.now(UTC)
    server = LocalServer(folder, clock=lambda: datetime.now(UTC) + shift)
    with server, cursor_of(server.connect_args()) as cursor:
        shift = datetime(2026, 1, 1, 11, 59, 59, 500_000, tzinfo=UTC) - datetime.now(UTC)
        assert resume(cursor, "USING CRON 0 12 * * * UTC") == "Statement executed successfully."
        wait_for(lambda: "SUCCEEDED" in states(cursor), 5)
        assert states(cursor) == ["SUCCEEDED", "SCHEDULED"]


def test_a_committed_change_triggers_a_graph(folder: Path) -> None:
    with LocalServer(folder) as server, cursor_of(server.connect_args()) as cursor:
        cursor.execute("CREATE TABLE t (a INT)")
        cursor.execute("CREATE TABLE seen (a INT)")
        cursor.execute("CREATE STREAM s ON TABLE t")
        cursor.execute(
            "CREATE TASK r WHEN SYSTEM$STREAM_HAS_DATA('s') AS INSERT INTO seen SELECT a FROM s WHERE a > 1"
        )
        cursor.execute("ALTER TASK r RESUME")
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO t VALUES (1), (2), (3)")
        assert states(cursor) == []
        cursor.execute("COMMIT")
        wait_for(lambda: states(cursor) == ["SUCCEEDED"], 5)
        assert cursor.execute("SELECT a FROM seen ORDER BY a").fetchall() == [(2,), (3,)]
        assert cursor.execute("SELECT SYSTEM$STREAM_HAS_DATA('s')").fetchone() == (False,)


def test_a_clock_moved_by_hand_behind_http(folder: Path) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with LocalServer(folder, clock=clock) as server, cursor_of(server.connect_args()) as cursor:
        resume(cursor, "USING CRON 0 9 * * MON-FRI Europe/Berlin")
        clock.advance(timedelta(days=14))
        assert states(cursor) == ["SUCCEEDED"] * 5 + ["SCHEDULED"]


def test_killed_and_started_again_it_tells_what_it_missed_and_goes_on(folder: Path) -> None:
    info = control.keep(folder)
    try:
        with cursor_of(arguments_of(info)) as cursor:
            resume(cursor, "10 SECONDS")
        assert info.pid is not None
        os.kill(info.pid, signal.SIGKILL)
        wait_for(lambda: not control.is_locked(folder))
        backdate(folder, 27)
        with cursor_of(arguments_of(control.keep(folder))) as cursor:
            missed = [row for row in cursor.execute(HISTORY).fetchall() if row[0] == "SKIPPED"]
            assert len(missed) in (2, 3)
            assert all(row[2].startswith("Missed: ") for row in missed)
            wait_for(lambda: "SUCCEEDED" in states(cursor))
    finally:
        control.stop(folder)


def test_a_server_that_a_command_started_fires_once_it_is_kept(folder: Path) -> None:
    started: list[str] = []
    try:
        with (
            control.in_use(folder, starting=lambda: started.append("by the first")) as info,
            control.in_use(folder, starting=lambda: started.append("by the second")),
            cursor_of(arguments_of(info)) as cursor,
        ):
            assert started == ["by the first"]
            assert "`sfml local start`" in resume(cursor, "10 SECONDS")
            backdate(folder, 28)
            assert states(cursor) == []
            assert control.keep(folder).pid == info.pid
            wait_for(lambda: "SUCCEEDED" in states(cursor))
        assert control.status(folder).running
    finally:
        control.stop(folder)
