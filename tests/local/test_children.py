"""Processes of a statement: whose they are, what they see, and that nothing outlives its reason."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sfml.local.app import LocalServer
from sfml.local.children import interrupt, run_child

ASK = """
import os, snowflake.connector
names = ("host", "port", "protocol", "account", "user", "password", "database", "schema", "role", "warehouse")
settings = {name: os.environ["SNOWFLAKE_" + name.upper()] for name in names}
with snowflake.connector.connect(**settings) as connection:
    print(connection.cursor().execute("SELECT CURRENT_ROLE(), CURRENT_SCHEMA(), CURRENT_WAREHOUSE()").fetchone())
"""


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def pid_in(log: Path) -> int:
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text())


def test_a_process_connects_as_its_session(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://nowhere.invalid:1")
    monkeypatch.setenv("SNOWFLAKE_ROLE", "SOMEBODY_ELSE")
    account = server.account
    session = account.sessions.open(database="SFML", schema="PUBLIC", role="ML", warehouse="W")
    log = tmp_path / "log"
    assert run_child(account, session, [sys.executable, "-c", ASK], log=log) == 0
    assert log.read_text() == "('ML', 'PUBLIC', 'W')\n"


def test_its_exit_code_and_output_are_told(server: LocalServer, tmp_path: Path) -> None:
    session = server.account.sessions.open()
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    log = tmp_path / "log"
    assert run_child(server.account, session, [sys.executable, "-c", code], log=log) == 3
    assert log.read_text() == "out\nerr\n"


@pytest.mark.parametrize("end", ["timeout", "cancel", "interrupt"])
def test_it_ends_early_with_all_that_it_started(server: LocalServer, tmp_path: Path, end: str) -> None:
    account = server.account
    parent = account.sessions.open()
    session = account.sessions.child_of(parent)
    log, cancel = tmp_path / "log", threading.Event()
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid); time.sleep(600)"
    codes: list[int] = []

    def work() -> None:
        timeout = 3 if end == "timeout" else None
        argv = [sys.executable, "-c", code]
        codes.append(run_child(account, session, argv, log=log, timeout=timeout, cancel=cancel))

    thread = threading.Thread(target=work)
    thread.start()
    grandchild = pid_in(log)
    assert is_alive(grandchild)
    if end == "cancel":
        cancel.set()
    elif end == "interrupt":
        interrupt(account, parent)
    thread.join(10)
    assert codes == [-signal.SIGTERM]
    wait_for(lambda: not is_alive(grandchild))


def test_its_password_ends_with_it(server: LocalServer) -> None:
    sessions = server.account.sessions
    password = sessions.admit(sessions.open())
    assert sessions.admitted(password) is not None
    sessions.dismiss(password)
    assert sessions.admitted(password) is None


def test_it_dies_with_a_server_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import sys; from pathlib import Path; from sfml.local.account import Account;"
        "from sfml.local.children import run_child; account = Account(Path(sys.argv[1]));"
        "argv = [sys.executable, '-c', 'import os, time; print(os.getpid()); time.sleep(600)'];"
        "run_child(account, account.sessions.open(), argv, log=Path(sys.argv[2]))"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "local"), str(log)])
    child = pid_in(log)
    server.kill()
    server.wait()
    wait_for(lambda: not is_alive(child))


def test_output_is_read_back_as_events(server: LocalServer) -> None:
    account = server.account
    session = account.sessions.open(database="SFML", schema="PUBLIC")
    account.log_path("some-query").write_text('first\nsecond "line"\n')
    result = account.execute(
        session,
        "SELECT VALUE FROM SNOWFLAKE.TELEMETRY.EVENTS WHERE RECORD_TYPE = 'LOG'"
        " AND RESOURCE_ATTRIBUTES['snow.query.id'] = 'some-query' ORDER BY TIMESTAMP",
    )
    assert [row[0] for row in result.rows] == ['"first"', '"second \\"line\\""']
