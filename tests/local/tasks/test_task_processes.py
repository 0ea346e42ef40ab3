"""Tasks whose body is a Python procedure: values, failures, and processes that are ended."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from asking import Sql
from machine_speed import SLOWNESS

from sfml_local.http.app import LocalServer

PROCEDURE = """WITH P AS PROCEDURE (TEXT STRING) RETURNS STRING LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS $$
{code}
$$ CALL P('{argument}')"""


@pytest.fixture
def sql(server: LocalServer) -> Sql:
    """Statements in a schema of its own."""
    schema = f"S{next(_numbers)}"
    Sql(server.account)(f"CREATE SCHEMA {schema}")
    return Sql(server.account, schema)


_numbers = itertools.count()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"


def test_a_procedure_reads_and_leaves_values(sql: Sql) -> None:
    code = """
def main(session, text):
    config = session.call("SYSTEM$GET_TASK_GRAPH_CONFIG", "k")
    before = session.call("SYSTEM$GET_PREDECESSOR_RETURN_VALUE", "R")
    name = session.sql("SELECT SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME')").collect()[0][0]
    session.call("SYSTEM$SET_RETURN_VALUE", f"{config} {before} {name.split('.')[-1]} {text}")
    return "done"
"""
    sql.graph(
        "r CONFIG = '{\"k\": \"v\"}' AS CALL SYSTEM$SET_RETURN_VALUE('it''s \"1\"')",
        f"a AFTER r AS {PROCEDURE.format(code=code, argument='end')}",
    )
    assert sql.run("r") == {"R": "SUCCEEDED", "A": "SUCCEEDED"}
    [row] = sql.history(NAME="A")
    assert row["RETURN_VALUE"] == 'v it\'s "1" A end'


def test_the_failure_of_a_procedure_is_kept_whole(sql: Sql) -> None:
    code = """
def deeper():
    raise ValueError("no such customers: 'x'")

def main(session, text):
    print("before the end")
    deeper()
"""
    sql.graph(f"r AS {PROCEDURE.format(code=code, argument='')}")
    assert sql.run("r") == {"R": "FAILED"}
    [row] = sql.history(NAME="R")
    for part in ("Traceback", "in main", "in deeper", "ValueError: no such customers: 'x'"):
        assert part in row["ERROR_MESSAGE"]
    assert "before the end" in sql.account.log_path(row["QUERY_ID"]).read_text()


@pytest.mark.parametrize(
    ("settings", "state"),
    [(f"USER_TASK_TIMEOUT_MS = {int(2500 * SLOWNESS)}", "FAILED"), ("", "CANCELLED")],
    ids=["timeout", "cancelled"],
)
def test_the_process_of_a_task_ends_with_it(sql: Sql, tmp_path: Path, settings: str, state: str) -> None:
    pids = tmp_path / "pids"
    code = """
import os, subprocess, sys, time
def main(session, text):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(text + ".new", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename(text + ".new", text)
    time.sleep(600)
"""
    sql.graph(f"r {settings} AS {PROCEDURE.format(code=code, argument=pids)}", "f FINALIZE = r AS SELECT 1")
    sql("EXECUTE TASK r")
    sql.until(pids.exists)
    if state == "CANCELLED":
        sql("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('r')")
    sql.settled(20 * SLOWNESS)
    assert sql.states() == {"R": state, "F": "SUCCEEDED"}
    for pid in map(int, pids.read_text().split()):
        sql.until(lambda pid=pid: not alive(pid))  # type: ignore[misc]
