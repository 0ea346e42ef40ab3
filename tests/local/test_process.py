"""The server as a background process: started, asked for, killed, restarted, stopped, emptied."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from sfml_local import control
from sfml_local.control import ControlError, ServerInfo


@pytest.fixture
def running(folder: Path) -> Iterator[ServerInfo]:
    yield control.start(folder)
    control.stop(folder)


def connected(info: ServerInfo) -> snowflake.connector.SnowflakeConnection:
    return snowflake.connector.connect(
        host=info.host,
        port=info.port,
        protocol=info.protocol,
        account=info.account,
        user=info.user,
        password=info.password,
        database=info.database,
        schema=info.schema,
    )


def wait_for(condition, seconds: float = 10) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _is_gone(pid: int) -> bool:
    """Whether whoever started the process has buried it, too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_asking_imports_no_snowflake_package() -> None:
    code = (
        "import sys, sfml_local.control as p; p.status('nowhere');"
        "sys.exit(any(name in sys.modules for name in ('snowflake.connector', 'duckdb', 'fakesnow', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SERVED = """
import json, sys
from sfml_local.__main__ import main
code = main()
print(json.dumps([code, sorted(sys.modules)]))
"""


def test_a_server_imports_neither_clouds_nor_data_frames_before_a_statement_needs_them(folder: Path) -> None:
    script = folder.parent / "setup.sql"
    script.write_text("CREATE TABLE t AS SELECT 1 AS a")
    assert not _modules_of_a_server(folder, script) & {"pandas", "boto3", "botocore", "s3transfer"}
    script.write_text("CREATE TABLE u AS SELECT a / 3 AS b FROM t")
    needed = _modules_of_a_server(folder, script)
    assert "boto3" not in needed
    assert "pandas" in needed, "else nothing holds that it is there for what needs it"


def _modules_of_a_server(folder: Path, script: Path) -> set[str]:
    """What a server had imported when it ended, once it had run the script."""
    words = ("--folder", folder, "--idle-exit", "0", "--file", script)
    done = subprocess.run(
        (sys.executable, "-c", SERVED, *map(str, words)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def test_start_answers_what_a_client_connects_with(running: ServerInfo, folder: Path) -> None:
    with connected(running) as connection:
        assert connection.cursor().execute("SELECT 1").fetchall() == [(1,)]
    assert control.status(folder) == running
    assert control.start(folder) == running
    assert stat.S_IMODE((folder / control.INFO_FILE).stat().st_mode) == 0o600


def test_a_second_server_is_refused_the_folder(running: ServerInfo, folder: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "sfml_local", "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "another local Snowflake serves" in second.stderr
    assert control.status(folder) == running


def test_two_starts_at_once_find_one_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[ServerInfo] = []
    started: list[subprocess.Popen[bytes]] = []
    both = threading.Barrier(2)
    popen = control.subprocess.Popen

    def begun(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        both.wait(30)  # else one may have ended before the other looks
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(control.subprocess, "Popen", begun)
    threads = [threading.Thread(target=lambda: found.append(control.start(folder))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert len(found) == 2
        assert found[0] == found[1]
        assert [one.pid for one in started if one.poll() is None] == [found[0].pid]
    finally:
        control.stop(folder)


def test_everything_survives_a_kill(folder: Path, tmp_path: Path) -> None:
    killed = control.start(folder)
    (tmp_path / "note.txt").write_text("abc")
    with connected(killed) as connection:
        cursor = connection.cursor()
        for statement in (
            "CREATE DATABASE D",
            "CREATE SCHEMA D.S",
            "CREATE TABLE D.S.T (S VARCHAR(10), N NUMBER(10,2), V VARIANT)",
            "INSERT INTO T SELECT 'a', 1.25, PARSE_JSON('{\"a\": 1}')",
            "CREATE VIEW W AS SELECT * FROM T",
            "CREATE STAGE ST COMMENT = 'kept'",
            f"PUT 'file://{tmp_path}/note.txt' @D.S.ST AUTO_COMPRESS = FALSE",
        ):
            cursor.execute(statement)
        assert killed.pid is not None
        os.kill(killed.pid, signal.SIGKILL)
        wait_for(lambda: not control.is_locked(folder))
        assert not control.status(folder).running
        again = control.start(folder)
    try:
        with connected(again) as connection:
            cursor = connection.cursor()
            assert again.password != killed.password
            assert cursor.execute("SELECT S, N, V:a::INT FROM D.S.W").fetchall() == [("a", 1.25, 1)]
            types = [row[1] for row in cursor.execute("DESCRIBE TABLE D.S.T").fetchall()]
            assert types == ["VARCHAR(10)", "NUMBER(10,2)", "VARIANT"]
            assert [row[:2] for row in cursor.execute("LIST @D.S.ST").fetchall()] == [("st/note.txt", 3)]
    finally:
        control.stop(folder)


def test_stop_ends_the_process_and_reset_empties_the_folder(folder: Path) -> None:
    info = control.start(folder)
    control.stop(folder)
    control.stop(folder)
    assert not control.status(folder).running
    assert info.pid is not None
    wait_for(partial(_is_gone, info.pid))
    assert (folder / "databases").is_dir()
    control.reset(folder)
    assert list(folder.iterdir()) == []


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    folder.mkdir()
    (folder / "databases").write_text("in the way")
    with pytest.raises(ControlError, match="FileExistsError") as refused:
        control.start(folder)
    assert "Traceback" not in refused.value.message
    assert "reset" in str(refused.value.help)


def test_a_server_without_work_ends_by_itself(folder: Path) -> None:
    control.start(folder, idle_exit=0.2)
    wait_for(lambda: not control.is_locked(folder), 20)
    assert not control.status(folder).running


@pytest.mark.parametrize("again", [False, True], ids=["gone", "made again"])
@pytest.mark.parametrize("taken_away", [shutil.rmtree, lambda folder: folder.rename(f"{folder}.moved")])
def test_a_server_whose_folder_is_taken_away_ends_and_leaves_the_next_one_alone(
    folder: Path, taken_away: Callable[[Path], object], again: bool
) -> None:
    first = control.start(folder)
    with connected(first) as connection:
        connection.cursor().execute("CREATE TABLE t (a INTEGER)")
    taken_away(folder)
    second = control.start(folder) if again else None
    assert first.pid is not None
    wait_for(partial(_is_gone, first.pid))
    assert control.status(folder).running == again
    if second is not None:
        assert control.status(folder).pid == second.pid
        with connected(second) as connection:
            assert connection.cursor().execute("SHOW TABLES").fetchall() == []
        control.stop(folder)


def test_a_process_that_nobody_buries_is_gone() -> None:
    """A container whose first process buries no orphans keeps the number of a server that has ended."""
    code = "import os, sys; pid = os.fork(); pid or os._exit(0); print(pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen(
        (sys.executable, "-S", "-c", code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(lambda: control._is_gone(child))
        os.kill(child, 0)
        assert not control._is_gone(parent.pid)
