"""However a job ends, no process of it stays, and it says how it ended."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import snowflake.connector
from payloads import POOL, define, payload
from snowflake.connector import SnowflakeConnection
from snowflake.ml.jobs import MLJob, submit_directory
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local import control
from sfml_local.http.app import LocalServer

FAMILY = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
pathlib.Path({pids!r}).write_text(f"{{__import__('os').getpid()}} {{child.pid}}")
print("waiting", flush=True)
time.sleep(600)
"""


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def connected(info: control.ServerInfo) -> SnowflakeConnection:
    names = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return snowflake.connector.connect(**{name: getattr(info, name) for name in names})


def submit(session: Session, folder: Path, main: str, **options: object) -> MLJob[None]:
    return submit_directory(
        payload(folder, main), POOL, entrypoint="main.py", stage_name="JOBS", session=session, **options
    )


@pytest.mark.parametrize("env", [{}, {"PYTHONHASHSEED": "0"}], ids=["warm", "cold"])
def test_cancelling_kills_all_that_a_job_started(
    shared: Session, tmp_path: Path, env: dict[str, str]
) -> None:
    pids = tmp_path / "pids"
    job = submit(shared, tmp_path / "p", FAMILY.format(pids=str(pids)), env_vars=env)
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    with pytest.raises(TimeoutError, match="did not complete within 0"):
        job.wait(0)
    assert job.get_logs() == "waiting"
    job.cancel()
    assert job.status == "CANCELLED"
    eventually(lambda: all(is_gone(int(pid)) for pid in pids.read_text().split()))


def test_stopping_the_server_kills_all_that_a_job_started(folder: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        submit(session, tmp_path / "p", FAMILY.format(pids=str(pids)))
        eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


def test_a_job_of_a_killed_server_ends_and_is_told(folder: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    payload(tmp_path / "p", FAMILY.format(pids=str(pids)))
    spec = {"STAGE_PATH": "@JOBS/killed", "ARGS": ["bash", "/startup.sh", "/mnt/job_stage/app/main.py"]}
    call = f"CALL SYSTEM$EXECUTE_ML_JOB('KILLED', 'P', '{json.dumps(spec)}', '{{\"ASYNC\": true}}')"
    info = control.start(folder)
    try:
        connection = connected(info)
        connection.cursor().execute("CREATE STAGE JOBS")
        connection.cursor().execute(f"PUT file://{tmp_path}/p/main.py @JOBS/killed/app AUTO_COMPRESS=FALSE")
        connection.cursor().execute(call)
        eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        assert info.pid is not None
        os.kill(info.pid, signal.SIGKILL)
        connection.close(retry=False)
        eventually(lambda: all(is_gone(int(pid)) for pid in pids.read_text().split()))
        info = control.start(folder)
        with connected(info) as connection, connection.cursor() as cursor:
            history = "SELECT STATUS, MESSAGE FROM TABLE(SNOWFLAKE.SPCS.GET_JOB_HISTORY())"
            assert cursor.execute(history).fetchall() == [("INTERNAL_ERROR", "the local server stopped")]
            logs = cursor.execute("SELECT SYSTEM$GET_SERVICE_LOGS('KILLED', 0, 'main')").fetchone()
            assert logs is not None and "waiting" in logs[0]
    finally:
        control.stop(folder)


def test_a_job_ends_with_the_timeout_of_the_statement_that_waits_for_it(
    server: LocalServer, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    with Session.builder.configs(server.connect_args()).create() as session:
        sql = define(session, payload(tmp_path / "p", FAMILY.format(pids=str(pids)))).to_sql()
        session.sql("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 3").collect()
        with pytest.raises(SnowparkSQLException, match="was ended after 3 seconds"):
            session.sql(sql).collect()
        (row,) = session.sql("SELECT STATUS FROM TABLE(SNOWFLAKE.SPCS.GET_JOB_HISTORY()) LIMIT 1").collect()
        assert row[0] == "FAILED"
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


def test_the_longest_a_job_may_run_is_a_setting(
    shared: Session, server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.account, "settings", replace(server.account.settings, job_seconds=1))
    job = submit(shared, tmp_path / "p", "import time\ntime.sleep(600)\n")
    assert job.wait(30) == "FAILED"


def test_a_job_has_the_memory_and_the_cores_of_the_settings(
    shared: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFML_LOCAL_PROCESS_MEMORY_MB", "800")
    monkeypatch.setenv("SFML_LOCAL_PROCESS_CORES", "1")
    main = "import os\nprint(len(os.sched_getaffinity(0)), flush=True)\nbytearray(2 * 2**30)\n"
    job = submit(shared, tmp_path / "p", main)
    with pytest.raises(RuntimeError) as failed:
        job.result(60)
    assert isinstance(failed.value.__cause__, MemoryError)
    assert job.get_logs(as_list=True)[0] == "1"


def test_a_job_ends_as_a_script_ends(shared: Session, tmp_path: Path) -> None:
    main = """
import atexit, sys, threading, time
atexit.register(print, "at exit")
threading.Thread(target=lambda: (time.sleep(0.2), print("thread", flush=True))).start()
print(__name__, sys.argv, __file__.endswith("/main.py"), sys.modules["__main__"].__name__)
sys.exit(3)
"""
    job = submit(shared, tmp_path / "p", main, args=["a"])
    assert job.wait(30) == "FAILED"
    said = job.get_logs(as_list=True)
    assert said[0].startswith("__main__ ['") and said[0].endswith("/app/main.py', 'a'] True __main__")
    assert said.index("thread") < said.index("at exit")


def test_a_module_of_the_payload_wins_over_one_that_is_in_memory(shared: Session, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    (folder / "sfml").mkdir(parents=True)
    (folder / "sfml" / "__init__.py").write_text("MINE = True\n")
    job = submit(shared, folder, "import sfml\n__return__ = getattr(sfml, 'MINE', False)\n")
    assert job.result(60) is True
