"""Processes of a statement: whose they are, what they see, and that nothing outlives its reason."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import fork_server
import pytest

from sfml_local.core.sessions import Admission
from sfml_local.http.app import LocalServer
from sfml_local.processes.children import interrupt, run_child

FROM_NOTHING = True

FORKED_SERVER = (sys.executable, "-X", f"forked={fork_server.SERVER}", "-c")

ASK = """
import os
from sfml.snowflake.light_connector import import_lightly
import_lightly()
import snowflake.connector
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
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
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


def test_a_process_looks_for_no_proxy_on_its_way_to_the_server(server: LocalServer, tmp_path: Path) -> None:
    session = server.account.sessions.open()
    code = "import os, urllib.request as u; print(bool(u.proxy_bypass_environment(os.environ['SNOWFLAKE_HOST'])))"
    log = tmp_path / "log"
    assert run_child(server.account, session, [sys.executable, "-c", code], log=log) == 0
    assert log.read_text() == "True\n"


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
    password = sessions.admit(Admission(sessions.open()))
    assert sessions.admitted(password) is not None
    sessions.dismiss(password)
    assert sessions.admitted(password) is None


def test_it_dies_with_a_server_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import sys; from pathlib import Path; from sfml_local.registry import open_account;"
        "from sfml_local.processes.children import run_child; account = open_account(Path(sys.argv[1]));"
        "argv = [sys.executable, '-c', 'import os, time; print(os.getpid()); time.sleep(600)'];"
        "run_child(account, account.sessions.open(), argv, log=Path(sys.argv[2]))"
    )
    server = fork_server.Popen([*FORKED_SERVER, code, str(tmp_path / "local"), str(log)])
    child = pid_in(log)
    server.kill()
    server.wait()
    wait_for(lambda: not is_alive(child))


def test_nothing_that_it_started_survives_a_server_that_is_killed(tmp_path: Path) -> None:
    """Not even what left its session and its parent, as daemons do."""
    log = tmp_path / "log"
    code = (
        "import os, subprocess, sys, time\n"
        "daemon = 'import os, sys, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\n'"
        '\'open(sys.argv[1], "w").write(f"{os.getpid()}\\\\n")\\ntime.sleep(600)\'\n'
        "subprocess.run([sys.executable, '-c', daemon, sys.argv[1]])\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print(os.getpid(), child.pid)\n"
        "time.sleep(600)"
    )
    serve = (
        "import sys; from pathlib import Path; from sfml_local.registry import open_account;"
        "from sfml_local.processes.children import run_child; account = open_account(Path(sys.argv[1]));"
        "argv = [sys.executable, '-c', sys.argv[3], sys.argv[4]];"
        "run_child(account, account.sessions.open(), argv, log=Path(sys.argv[2]))"
    )
    arguments = [str(tmp_path / "local"), str(log), code, str(tmp_path / "daemon")]
    server = fork_server.Popen([*FORKED_SERVER, serve, *arguments])
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"), 30)
    pids = [*map(int, log.read_text().split()), pid_in(tmp_path / "daemon")]
    assert len(pids) == 3
    assert all(is_alive(pid) for pid in pids)
    server.kill()
    server.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in pids))


def test_a_process_that_ends_leaves_no_daemon(server: LocalServer, tmp_path: Path) -> None:
    code = (
        "import subprocess; child = subprocess.Popen(['sleep', '600'], start_new_session=True);"
        "print(child.pid, flush=True)"
    )
    session, log = server.account.sessions.open(), tmp_path / "log"
    assert run_child(server.account, session, [sys.executable, "-c", code], log=log) == 0
    assert not is_alive(int(log.read_text()))


def test_the_signal_that_ended_it_and_a_missing_command_are_told(server: LocalServer, tmp_path: Path) -> None:
    session, log = server.account.sessions.open(), tmp_path / "log"
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    assert run_child(server.account, session, [sys.executable, "-c", code], log=log) == -signal.SIGSEGV
    assert run_child(server.account, session, [str(tmp_path / "nothing")], log=log) == 127
    assert "nothing: No such file or directory" in log.read_text()


def test_a_log_is_bounded_and_says_where_it_is_cut(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfml_local.processes.children.LOG_LIMIT", 10_000)
    session, log = server.account.sessions.open(), tmp_path / "log"
    code = "for number in range(20_000): print('line', number)"
    assert run_child(server.account, session, [sys.executable, "-c", code], log=log) == 0
    text = log.read_text()
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith(
        "[local server] the log is cut here: 10000 bytes of it are kept, and more was written\n"
    )
    assert len(text) < 10_200
    run_child(server.account, session, [sys.executable, "-c", code], log=log)
    assert log.read_text() == text


def test_lines_of_a_log_have_the_time_at_which_they_were_written(server: LocalServer, tmp_path: Path) -> None:
    account, gate = server.account, tmp_path / "gate"
    session = account.sessions.open(database="SFML", schema="PUBLIC")
    code = (
        "import sys, time; from pathlib import Path\n"
        "print('before')\nprint('at once')\n"
        "while not Path(sys.argv[1]).exists(): time.sleep(0.01)\n"
        "print('after')"
    )
    log = account.log_path("timed-query")
    argv = [sys.executable, "-c", code, str(gate)]
    thread = threading.Thread(target=run_child, args=(account, session, argv), kwargs={"log": log})
    thread.start()
    wait_for(lambda: log.exists() and log.read_text().count("\n") == 2)
    opened = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    gate.touch()
    thread.join()
    rows = account.execute(
        session,
        "SELECT VALUE, TIMESTAMP FROM SNOWFLAKE.TELEMETRY.EVENTS"
        " WHERE RESOURCE_ATTRIBUTES['snow.query.id'] = 'timed-query' ORDER BY TIMESTAMP",
    ).rows
    assert [json.loads(value) for value, _ in rows] == ["before", "at once", "after"]
    times = [time for _, time in rows]
    assert times[0] < times[1] < opened <= times[2]


def test_every_log_is_an_event_however_many_there_are(server: LocalServer) -> None:
    account = server.account
    session = account.sessions.open(database="SFML", schema="PUBLIC")
    for number in range(600):
        account.log_path(f"many-{number}").write_text(f"{number}\n")
    [[count]] = account.execute(
        session,
        "SELECT COUNT(DISTINCT e.RESOURCE_ATTRIBUTES['snow.query.id']) FROM SNOWFLAKE.TELEMETRY.EVENTS e"
        " WHERE e.RESOURCE_ATTRIBUTES['snow.query.id']::STRING LIKE 'many-%'",
    ).rows
    assert count == 600


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
