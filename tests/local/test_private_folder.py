"""What a local server keeps is its owner's alone, and its logs are kept, bounded and hold no secret."""

from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import snowflake.connector

from sfml_local import control
from sfml_local.control import ServerInfo
from sfml_local.core import log_format, server_log
from sfml_local.http.app import LocalServer

SECRET = "Hunter2xyz"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def connected(info: ServerInfo) -> snowflake.connector.SnowflakeConnection:
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return snowflake.connector.connect(**{key: getattr(info, key) for key in keys})


def open_to_others(folder: Path) -> list[str]:
    paths = (folder, *folder.rglob("*"))
    return [
        f"{stat.S_IMODE(path.lstat().st_mode):o} {path.relative_to(folder)}"
        for path in paths
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]


def test_all_is_private_and_the_words_of_a_crash_are_kept(folder: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("abc")
    note.chmod(0o644)
    before = note.stat().st_mode
    with umask(0):
        (folder / "stages" / "old").mkdir(parents=True)
        (folder / "stages" / "old" / "file").write_text("x")
        (folder / "outside").symlink_to(note)
        assert len(open_to_others(folder)) == 4
        with control.in_use(folder) as info, connected(info) as connection:
            for statement in (
                "CREATE DATABASE D",
                "CREATE TABLE T AS SELECT 1 AS A",
                "CREATE STAGE ST",
                "COPY INTO @ST/rows FROM T",
                "WITH P AS PROCEDURE () RETURNS STRING LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
                " PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS $$\ndef main(session):\n"
                "    print('hello')\n    session.sql('CREATE TABLE U AS SELECT 2 AS A').collect()\n"
                "    return 'x'\n$$ CALL P()",
            ):
                connection.cursor().execute(statement)
            assert open_to_others(folder) == []
            # A client carries a PUT out itself, with the rights that it gives; nobody else gets there.
            connection.cursor().execute(f"PUT file://{note} @ST")
            assert {entry.split()[1].split("/")[0] for entry in open_to_others(folder)} <= {"stages"}
            assert info.pid is not None
            os.kill(info.pid, signal.SIGSEGV)
            wait_until_gone(folder)
        assert note.stat().st_mode == before  # what a link leads to is not the server's
        control.start(folder)
    try:
        log = (folder / "server.log").read_text()
        assert "Segmentation fault" in log
        assert log.splitlines()[-1].endswith(f"a server starts, process {control.status(folder).pid}")
        assert open_to_others(folder) == []
    finally:
        control.stop(folder)


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while control.is_locked(folder):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_history_shows_no_secret(folder: Path) -> None:
    body = f"SELECT NO_SUCH_FUNCTION(PASSWORD => '{SECRET}') FROM \"{SECRET}\".X"
    with LocalServer(folder) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TASK T AS {body}")
        cursor.execute("EXECUTE TASK T")
        cursor.execute("SELECT SYSTEM$WAIT(1)")
        rows: list[object] = []
        deadline = time.monotonic() + 30
        while not rows:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            rows = cursor.execute(
                "SELECT QUERY_TEXT, ERROR_MESSAGE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
                " WHERE STATE = 'FAILED'"
            ).fetchall()
        text, error = rows[0]  # type: ignore[misc]
        assert "PASSWORD => '****'" in text
        assert f"'{SECRET}'" not in f"{text} {error}"
        (task,) = cursor.execute("SHOW TASKS").fetchall()
        assert SECRET in str(task)  # its owner reads the task as it is


def test_a_log_shows_no_secret(tmp_path: Path) -> None:
    statement = f"ALTER USER U SET PASSWORD = 'it''s {SECRET}' COMMENT = 'seen"
    code = f"""
import threading
from pathlib import Path
from sfml_local.core import log_format
log_format.set_up(Path("none"))
statement = {statement!r}
try:
    raise ValueError("near: " + statement)
except ValueError:
    log_format.logger.exception("statement failed: %s", log_format.shown(statement))
thread = threading.Thread(target=lambda: int(statement))
thread.start(); thread.join()
import warnings; warnings.warn(statement)
raise KeyError(statement)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert SECRET not in done.stderr
    for part in ("statement failed", "ValueError", "unexpected ValueError", "KeyError", "UserWarning"):
        assert part in done.stderr
    assert done.stderr.count("****") >= 5


def test_a_log_is_kept_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_log, "LIMIT", 100)
    log = tmp_path / "server.log"
    for number in range(6):
        with server_log.opened(log) as stream:
            begins = stream.tell()
            stream.write(b"%d" % number * 60 + b"\n")
        assert server_log.lines(log, begins) == [str(number) * 60]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["server.log", "server.log.1", "server.log.2"]
    assert log.read_text() == "4" * 60 + "\n" + "5" * 60 + "\n"
    assert open_to_others(tmp_path / "server.log") == []


def test_a_server_goes_on_in_a_new_log_when_its_own_is_large(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    code = f"""
import os, sys
from pathlib import Path
from sfml_local.core import server_log
server_log.LIMIT = 100
log = Path({str(log)!r})
for number in range(4):
    print(str(number) * 80, file=sys.stderr)
    server_log.rotate(log)
os.write(2, b"end")
"""
    with server_log.opened(log) as stream:
        subprocess.run([sys.executable, "-c", code], stderr=stream, stdout=stream, check=True)
    assert log.read_text() == "end"
    assert (tmp_path / "server.log.1").read_text() == "2" * 80 + "\n" + "3" * 80 + "\n"


def test_a_record_is_one_text(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord(
        "x", logging.ERROR, __file__, 1, "%s", (log_format.shown("a\nb" * 2000),), None
    )
    assert len(log_format.Formatter("%(message)s").format(record).splitlines()) == 1
