"""The server is killed at random moments while ten graphs run and clients write: what it acknowledged is there.

`SFML_KILL_ROUNDS` and `SFML_KILL_SEED` make it longer, or repeat a round that failed. Servers are forked; what they
start begins from nothing, so that it is found below them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import fork_server
import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from sfml_local import control
from sfml_local.control import ServerInfo

ROUNDS = int(os.environ.get("SFML_KILL_ROUNDS", "3"))
SEED = int(os.environ.get("SFML_KILL_SEED", "20"))
GRAPHS, PROCEDURES = 10, 3
LATEST_KILL = 1.5

PROCEDURE = """WITH P AS PROCEDURE () RETURNS STRING LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS $$
import subprocess, sys, time
def main(session):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{mark}"], start_new_session=True)
    time.sleep(600)
$$ CALL P()"""


def connected(info: ServerInfo, **options: Any) -> SnowflakeConnection:
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return snowflake.connector.connect(**{key: getattr(info, key) for key in keys}, **options)


class OneTry:
    """A client that sends a statement once: with the server gone, the connector would go on trying."""

    def __init__(self, info: ServerInfo) -> None:
        self._client = http.client.HTTPConnection(str(info.host), info.port, timeout=60)
        login = {"data": {"LOGIN_NAME": "SFML", "PASSWORD": info.password}}
        place = "?databaseName=SFML&schemaName=PUBLIC"
        token = self._ask(f"/session/v1/login-request{place}", login, {})["data"]["token"]
        self._signed = {"Authorization": f'Snowflake Token="{token}"'}

    def execute(self, sql: str) -> None:
        answer = self._ask("/queries/v1/query-request", {"sqlText": sql}, self._signed)
        assert answer["success"], (sql, answer["message"])

    def _ask(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        self._client.request("POST", path, json.dumps(body), headers)
        return json.loads(self._client.getresponse().read())


@dataclass
class Acknowledged:
    """What clients were told is done, over all rounds; `maybe` is what was asked when the server died."""

    rows: set[int] = field(default_factory=set)
    tasks: dict[str, str] = field(default_factory=dict)
    maybe: dict[str, set[str]] = field(default_factory=dict)
    schedules: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    databases: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    """The databases among them with a table that was acknowledged too."""
    runs: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def count(self) -> int:
        kept = (self.rows, self.tasks, self.schedules, self.files, self.versions, self.databases, self.runs)
        return sum(len(one) for one in kept)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning", "ignore::ResourceWarning")
def test_what_is_acknowledged_survives_kills(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv(fork_server.FROM_NOTHING, "1")
    told = Acknowledged()
    manifest = tmp_path / "MANIFEST.yml"
    manifest.write_text("manifest_version: '1.0'\nmethods: []\n")
    killed_runs = processes = 0
    info = control.start(folder)
    try:
        _prepare(info, folder, manifest)
        for number in range(ROUNDS):
            chance = random.Random(SEED + number)
            moment = chance.uniform(0.05, LATEST_KILL)
            began = told.count()
            ended = threading.Event()
            threads = [
                threading.Thread(
                    target=_until_it_dies, args=(work, info, told, tmp_path, chance.random(), ended)
                )
                for work in (_rows, _tasks, _schedules, _files, _versions, _databases)
            ]
            _execute_all(info, told)
            if number == 0:  # once, procedures get as far as having daemons of their own
                _wait(lambda: len(_processes_of(folder, b"time.sleep(600)")) == PROCEDURES, 90)
            for thread in threads:
                thread.start()
            time.sleep(moment)
            executing = _executing(folder)
            assert info.pid is not None
            below = _below(info.pid)
            processes += len(below)
            os.kill(info.pid, signal.SIGKILL)
            ended.set()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
            _wait(lambda: not control.is_locked(folder))
            _wait(lambda below=below: not any(map(_is_alive, below)))  # type: ignore[misc]
            # What was started after the look is known by its command alone.
            _wait(lambda: not _processes_of(folder))
            _check_files(folder, tmp_path / f"copy-{number}")
            info = control.start(folder)
            killed_runs += _check(info, told, executing)
            print(
                f"\nround {number + 1}/{ROUNDS}, seed {SEED + number}: killed after {moment:.2f} s,"
                f" {told.count() - began} changes acknowledged, {len(executing)} task runs executing",
                end="",
            )
        print(
            f"\n{ROUNDS} kills: {told.count()} acknowledged changes all there, {killed_runs} interrupted task runs"
            f" FAILED with a reason, {processes} processes ended, no file corrupt"
        )
    finally:
        control.stop(folder)
    assert not list(temporary.iterdir()), "a killed server leaves something among the temporary files"
    assert not list((folder / "runs").iterdir())


# -- what goes on while the server is killed


def _prepare(info: ServerInfo, folder: Path, manifest: Path) -> None:
    with connected(info) as connection:
        cursor = connection.cursor()
        for statement in (
            "CREATE TABLE W (N INT)",
            "CREATE STAGE ST",
            f"PUT 'file://{manifest}' @ST/model AUTO_COMPRESS = FALSE",
            "CREATE MODEL M WITH VERSION V FROM @ST/model",
        ):
            cursor.execute(statement)
        for number in range(GRAPHS):
            cursor.execute(f"CREATE TABLE OF_{number} (N INT)")
            cursor.execute(f"CREATE TASK G{number} AS INSERT INTO OF_{number} VALUES (1)")
            body = PROCEDURE.format(mark=folder) if number < PROCEDURES else "CALL SYSTEM$WAIT(600)"
            cursor.execute(f"CREATE TASK A{number} AFTER G{number} AS INSERT INTO OF_{number} VALUES (2)")
            cursor.execute(f"CREATE TASK B{number} AFTER G{number} AS {body}")
            for task in (f"A{number}", f"B{number}"):
                cursor.execute(f"ALTER TASK {task} RESUME")


def _execute_all(info: ServerInfo, told: Acknowledged) -> None:
    with connected(info) as connection:
        cursor = connection.cursor()
        for number in range(GRAPHS):
            cursor.execute(f"EXECUTE TASK G{number}")
        rows = cursor.execute(
            "SELECT DISTINCT GRAPH_RUN_GROUP_ID FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS())"
        ).fetchall()
        told.runs |= {row[0] for row in rows}
        assert len(rows) == GRAPHS


Work = Callable[[Any, Acknowledged, Path, random.Random], None]


def _until_it_dies(
    work: Work, info: ServerInfo, told: Acknowledged, place: Path, seed: float, ended: threading.Event
) -> None:
    chance = random.Random(seed)
    gone = (OSError, http.client.HTTPException, snowflake.connector.Error)
    with contextlib.suppress(*gone):
        # Only the connector can carry a PUT out.
        cursor = connected(info, network_timeout=5).cursor() if work is _files else OneTry(info)
        while not ended.is_set():
            work(cursor, told, place, chance)


def _rows(cursor: Any, told: Acknowledged, place: Path, chance: random.Random) -> None:
    number = next(told.numbers)
    cursor.execute(f"INSERT INTO W VALUES ({number})")
    told.rows.add(number)


def _tasks(cursor: Any, told: Acknowledged, place: Path, chance: random.Random) -> None:
    name, comment = f"T{chance.randrange(20)}", str(next(told.numbers))
    told.maybe.setdefault(name, set()).add(comment)
    cursor.execute(f"CREATE OR REPLACE TASK {name} COMMENT = '{comment}' AS SELECT 1")
    told.tasks[name] = comment
    told.maybe[name] = set()


def _schedules(cursor: Any, told: Acknowledged, place: Path, chance: random.Random) -> None:
    name = f"S{chance.randrange(5)}"
    if name not in told.schedules:
        cursor.execute(f"CREATE TASK IF NOT EXISTS {name} SCHEDULE = 'USING CRON 0 3 1 1 * UTC' AS SELECT 1")
        told.schedules.setdefault(name, "suspended")
    word, state = chance.choice((("RESUME", "started"), ("SUSPEND", "suspended")))
    told.maybe.setdefault(name, set()).add(state)
    cursor.execute(f"ALTER TASK {name} {word}")
    told.schedules[name] = state
    told.maybe[name] = set()


def _files(cursor: Any, told: Acknowledged, place: Path, chance: random.Random) -> None:
    file = place / f"f{next(told.numbers)}.txt"
    file.write_text(file.name)
    cursor.execute(f"PUT 'file://{file}' @ST/files AUTO_COMPRESS = FALSE")
    told.files.add(f"st/files/{file.name}")


def _versions(cursor: Any, told: Acknowledged, place: Path, chance: random.Random) -> None:
    name = f"V{next(told.numbers)}"
    cursor.execute(f"ALTER MODEL M ADD VERSION {name} FROM @ST/model")
    told.versions.add(name)
    time.sleep(0.05)


def _databases(cursor: Any, told: Acknowledged, place: Path, chance: random.Random) -> None:
    """Created and dropped all the time: the one moment at which a file may be half made."""
    name = f"D{next(told.numbers)}"
    cursor.execute(f"CREATE DATABASE {name}")
    told.databases.add(name)
    cursor.execute(f"CREATE TABLE {name}.PUBLIC.T AS SELECT 1 AS N")
    told.tables.add(name)
    if chance.random() < 0.7:
        told.databases.discard(name)
        cursor.execute(f"DROP DATABASE {name}")


# -- what has to be true afterwards


def _check_files(folder: Path, copy: Path) -> None:
    """No file that the dead server left is corrupt; looked at in a copy, for opening repairs."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("imports", "runs", "*.part*"))
    with contextlib.closing(sqlite3.connect(copy / "account.sqlite")) as metadata:
        assert metadata.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert metadata.execute("PRAGMA foreign_key_check").fetchall() == []
    for file in [copy / "global.db", *(copy / "databases").glob("*.db")]:
        beside = sorted(other.name for other in file.parent.glob(f"{file.stem}.*"))
        with contextlib.ExitStack() as opened:
            try:
                database = opened.enter_context(duckdb.connect(file))
            except duckdb.Error as error:
                raise AssertionError(f"{file.name} does not open, beside {beside}: {error}") from error
            database.execute("SELECT COUNT(*) FROM duckdb_tables()").fetchall()
    shutil.rmtree(copy)


def _check(info: ServerInfo, told: Acknowledged, executing: set[tuple[str, str]]) -> int:
    with connected(info) as connection:
        cursor = connection.cursor()

        def column(statement: str, index: int = 0) -> list[Any]:
            return [row[index] for row in cursor.execute(statement).fetchall()]

        rows = column("SELECT N FROM W")
        assert len(rows) == len(set(rows))
        assert told.rows <= set(rows)
        # An insert that was under way is there as a whole or not: either way it counts from now on.
        told.rows |= set(rows)
        shown = cursor.execute("SHOW TASKS IN SCHEMA SFML.PUBLIC").fetchall()
        names = [described[0] for described in cursor.description]
        tasks = {row[names.index("name")]: dict(zip(names, row, strict=True)) for row in shown}
        for name, comment in told.tasks.items():
            assert tasks[name]["comment"] in {comment} | told.maybe[name]
            told.tasks[name] = tasks[name]["comment"]
        for name, state in told.schedules.items():
            assert tasks[name]["state"] in {state} | told.maybe.get(name, set())
            assert tasks[name]["schedule"] == "USING CRON 0 3 1 1 * UTC"
            told.schedules[name] = tasks[name]["state"]
        told.maybe.clear()
        for name in told.tasks:
            told.maybe[name] = set()
        assert told.files <= set(column("LIST @ST/files"))
        assert told.versions <= set(column("SHOW VERSIONS IN MODEL M", 1))
        for name in column("SHOW VERSIONS IN MODEL M", 1):
            assert column(f"LIST 'snow://model/M/versions/{name}/'"), f"version {name} lost its files"
        found = set(column("SHOW DATABASES", 1))
        for name in told.databases:
            assert name in found, f"database {name}"
        for name in told.tables & told.databases:
            assert column(f"SELECT N FROM {name}.PUBLIC.T") == [1]
        assert column("SELECT ROOT_TASK_NAME FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS())") == []
        history = cursor.execute(
            "SELECT GRAPH_RUN_GROUP_ID, NAME, STATE, ERROR_MESSAGE, COMPLETED_TIME"
            " FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10000))"
        ).fetchall()
    by_run = {(row[0], row[1]): row for row in history}
    assert told.runs <= {group for group, _ in by_run}
    for group, name in executing:
        _, _, state, message, completed = by_run[group, name]
        # Between the look and the kill a short task may have come to its end.
        if state != "SUCCEEDED":
            assert (state, completed is not None) == ("FAILED", True)
            assert "ended while this task was running" in message
    assert not [row for row in history if row[2] == "EXECUTING"]
    return sum(by_run[run][2] == "FAILED" for run in executing)


def _executing(folder: Path) -> set[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(f"file:{folder}/account.sqlite?mode=ro", uri=True)) as metadata:
        rows = metadata.execute("SELECT group_id, name FROM task_runs WHERE state = 'EXECUTING'").fetchall()
    return {(group, name) for group, name in rows}


def _below(pid: int) -> set[tuple[int, str]]:
    """The processes that a process started, and those that they started: (pid, when it began)."""
    parents: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) is not None:
            parents.setdefault(int(fields[1]), []).append((int(entry.name), fields[19]))
    found: set[tuple[int, str]] = set()
    generation = [pid]
    while generation:
        children = [child for parent in generation for child in parents.get(parent, ())]
        found.update(children)
        generation = [child for child, _ in children]
    return found


def _is_alive(process: tuple[int, str]) -> bool:
    fields = _stat(process[0])
    return fields is not None and fields[19] == process[1] and fields[0] != "Z"


def _stat(pid: int) -> list[str] | None:
    """State, parent and so on, as /proc tells them; None when the process is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return None


def _processes_of(folder: Path, also: bytes = b"") -> list[int]:
    """Every process whose command names the folder, and `also`; zombies have none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes()
                if os.fsencode(folder) in command and also in command:
                    found.append(int(entry.name))
    return found


def _wait(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
