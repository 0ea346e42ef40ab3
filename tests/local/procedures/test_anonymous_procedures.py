"""Anonymous procedures run in a process of their own, with a session that shares the caller's."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError
from snowflake.snowpark import Session
from snowflake.snowpark.types import LongType

from sfml_local.core.errors import SqlError
from sfml_local.http.app import LocalServer
from sfml_local.processes.children import interrupt


def procedure(
    body: str,
    call: str,
    *,
    parameters: str = "",
    returns: str = "STRING",
    packages: str = "'snowflake-snowpark-python'",
    imports: str = "",
    handler: str = "main",
) -> str:
    """An anonymous procedure with this body, and its call."""
    imported = f"IMPORTS = ({imports})\n" if imports else ""
    code = f"AS $$\n{body}\n$$\n" if body else ""
    return (
        f"WITH STEP AS PROCEDURE ({parameters})\nRETURNS {returns}\nLANGUAGE PYTHON\n"
        f"RUNTIME_VERSION = '3.11'\nPACKAGES = ({packages})\n{imported}HANDLER = '{handler}'\n{code}"
        f"CALL STEP({call})"
    )


def put(connection: SnowflakeConnection, content: bytes, name: str, to: str) -> None:
    connection.cursor().execute("CREATE STAGE IF NOT EXISTS CODE")
    connection.cursor().execute(
        f"PUT 'file://{name}' '{to}' AUTO_COMPRESS=FALSE OVERWRITE=TRUE", file_stream=io.BytesIO(content)
    )


def archive(**modules: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for name, text in modules.items():
            zipped.writestr(f"{name}.py", text)
    return content.getvalue()


def log_of(server: LocalServer, query_id: str | None) -> str:
    assert query_id
    return server.account.log_path(query_id).read_text(encoding="utf-8")


def test_a_step_reads_its_archive_and_returns(connection: SnowflakeConnection) -> None:
    content = archive(
        double="def run(session, call):\n    import json; return json.dumps(json.loads(call))\n"
    )
    digest = hashlib.sha256(content).hexdigest()
    put(connection, content, "steps.zip", f"@CODE/clv/{digest}/")
    call = {"quote": "it's", "slash": "a\\b", "dollar": "$x", "lines": "a\nb", "unicode": "→ é"}
    literal = json.dumps(call, ensure_ascii=False).replace("\\", "\\\\").replace("'", "''")
    body = f"""
import hashlib, os, sys
def main(session, call):
    folder = sys._xoptions["snowflake_import_directory"]
    assert folder.endswith("/")
    with open(folder + "steps.zip", "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == "{digest}"
    from double import run
    return run(session, call)"""
    sql = procedure(
        body,
        f"'{literal}'",
        parameters="CALL STRING",
        packages="'snowflake-snowpark-python', 'pandas'",
        imports=f"'@SFML.PUBLIC.CODE/clv/{digest}/steps.zip'",
    )
    cursor = connection.cursor().execute(sql)
    assert cursor is not None
    assert [column.name for column in cursor.description] == ["STEP"]
    assert json.loads(cursor.fetchall()[0][0]) == call  # type: ignore[index]


def test_the_session_is_the_callers_place_and_role(connection: SnowflakeConnection) -> None:
    connection.cursor().execute("CREATE SCHEMA IF NOT EXISTS OTHER")
    connection.cursor().execute("USE SCHEMA OTHER")
    connection.cursor().execute("USE ROLE ML_OWNER")
    body = """
from snowflake.snowpark.context import get_active_session
def main(session):
    assert get_active_session() is session
    row = session.sql("SELECT CURRENT_SCHEMA(), CURRENT_ROLE(), CURRENT_WAREHOUSE()").collect()[0]
    session.sql("CREATE OR REPLACE TABLE MADE AS SELECT 7 AS A").collect()
    return "|".join(row)"""
    (row,) = connection.cursor().execute(procedure(body, "")).fetchall()  # type: ignore[union-attr]
    assert row == ("OTHER|ML_OWNER|LOCAL_WH",)
    assert connection.cursor().execute("SELECT A FROM OTHER.MADE").fetchall() == [(7,)]  # type: ignore[union-attr]


def test_output_is_kept_in_the_statements_log(server: LocalServer, connection: SnowflakeConnection) -> None:
    body = """
import logging, subprocess, sys
def main(session):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger("step").info("to the log")
    subprocess.run(["echo", "from a process of it"], check=True)
    return "ok" """
    cursor = connection.cursor().execute(procedure(body, ""))
    assert cursor is not None
    lines = log_of(server, cursor.sfqid).splitlines()
    assert {"to stdout", "to stderr", "INFO step: to the log", "from a process of it"} <= set(lines)


def test_an_exception_is_snowflakes_error_with_the_users_lines(
    server: LocalServer, connection: SnowflakeConnection
) -> None:
    put(connection, archive(broken="def fail():\n    raise ValueError('bad thing')\n"), "b.zip", "@CODE/e/")
    body = "def main(session):\n    import broken\n    broken.fail()"
    with pytest.raises(ProgrammingError) as failed:
        connection.cursor().execute(procedure(body, "", imports="'@CODE/e/b.zip'"))
    error = failed.value
    assert (error.errno, error.sqlstate) == (100357, "P0000")
    message = str(error.raw_msg)
    assert message.startswith("Python Interpreter Error:\nTraceback (most recent call last):\n")
    assert '  File "_udf_code.py", line 4, in main\n    broken.fail()\n' in message
    assert "b.zip/broken.py\", line 2, in fail\n    raise ValueError('bad thing')\n" in message
    assert "ValueError: bad thing\n in function STEP with handler main" in message
    assert "worker" not in message
    assert "ValueError: bad thing" in log_of(server, error.sfqid)


def test_a_module_that_does_not_compile_is_shown_with_its_line_alone(connection: SnowflakeConnection) -> None:
    put(connection, archive(uncompiled="def fail(:\n"), "u.zip", "@CODE/e/")
    body = "def main(session):\n    import uncompiled"
    with pytest.raises(ProgrammingError) as failed:
        connection.cursor().execute(procedure(body, "", imports="'@CODE/e/u.zip'"))
    message = str(failed.value.raw_msg)
    assert 'u.zip/uncompiled.py", line 1\n' in message and "SyntaxError" in message
    assert "zipped_modules" not in message and "sfml_local" not in message


@pytest.mark.parametrize(
    ("parameters", "call", "expression", "expected"),
    [
        ("n NUMBER, f FLOAT", "'7', 1", "repr((a, b))", "(7, 1.0)"),
        ("d NUMBER(10, 2), b BOOLEAN", "1.5, 'yes'", "repr((a, b))", "(Decimal('1.5'), True)"),
        ("v VARIANT, s STRING", "PARSE_JSON('{\"k\": [1]}'), 3", "repr((a, b))", "({'k': [1]}, '3')"),
        ("a STRING, b DATE", "b => '2026-01-02'::DATE, a => NULL", "repr((a, b))", None),
        ("s STRING, t STRING DEFAULT 'x' || 'y'", "'a' || 'b'", "a + b", "abxy"),
    ],
)
def test_arguments_arrive_as_their_declared_types(
    connection: SnowflakeConnection, parameters: str, call: str, expression: str, expected: str | None
) -> None:
    body = f"def main(session, a, b):\n    return {expression}"
    (row,) = connection.cursor().execute(procedure(body, call, parameters=parameters)).fetchall()  # type: ignore[union-attr]
    assert row == (expected or "(None, datetime.date(2026, 1, 2))",)


@pytest.mark.parametrize(
    ("returns", "value", "expected"),
    [
        ("INT", "41 + 1", 42),
        ("FLOAT", "1", 1.0),
        ("BOOLEAN", "True", True),
        ("STRING", "None", None),
        ("STRING NOT NULL", "12", "12"),
        ("VARIANT", "{'a': [1, None]}", '{\n  "a": [\n    1,\n    null\n  ]\n}'),
    ],
)
def test_results_arrive_as_the_declared_type(
    connection: SnowflakeConnection, returns: str, value: str, expected: object
) -> None:
    sql = procedure(f"def main(session):\n    return {value}", "", returns=returns)
    assert connection.cursor().execute(sql).fetchall() == [(expected,)]  # type: ignore[union-attr]


def test_a_handler_in_a_staged_module(connection: SnowflakeConnection) -> None:
    put(connection, b"def run(session, n):\n    return n + 1\n", "staged.py", "@CODE/m/")
    sql = procedure(
        "", "1", parameters="n INT", returns="INT", imports="'@CODE/m/staged.py'", handler="staged.run"
    )
    assert connection.cursor().execute(sql).fetchall() == [(2,)]  # type: ignore[union-attr]


def test_a_changed_import_is_seen_by_the_next_call(connection: SnowflakeConnection) -> None:
    sql = procedure("", "", imports="'@CODE/v/version.py'", handler="version.run")
    for text in ("one", "two"):
        put(connection, f"def run(session):\n    return {text!r}\n".encode(), "version.py", "@CODE/v/")
        assert connection.cursor().execute(sql).fetchall() == [(text,)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sql", "errno", "sentence"),
    [
        (
            procedure("x", "", packages="'snowflake-snowpark-python', 'nowhere-to-be-found'"),
            391546,
            "Not found: nowhere-to-be-found",
        ),
        (procedure("x", "", packages="'pandas'"), 391546, "has to name snowflake-snowpark-python"),
        (procedure("x", "", imports="'@CODE/none/a.zip'"), 253006, "'@CODE/none/a.zip' does not exist"),
        (procedure("x", "1, 2", parameters="a INT"), 1044, "it takes \\(A INT\\), got 2 arguments"),
        (procedure("x", "'x'", parameters="a INT"), 100038, "Numeric value 'x' is not recognized"),
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS 'x'", 2, "not emulated.*CREATE PROCEDURE"),
    ],
)
def test_what_cannot_run_is_refused(
    connection: SnowflakeConnection, sql: str, errno: int, sentence: str
) -> None:
    connection.cursor().execute("CREATE STAGE IF NOT EXISTS CODE")
    with pytest.raises(ProgrammingError, match=sentence) as refused:
        connection.cursor().execute(sql)
    assert refused.value.errno == errno


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("import os\ndef main(session):\n    os._exit(3)", "ended with exit code 3"),
        ("import sys\ndef main(session):\n    sys.exit('enough')", "SystemExit: enough"),
        ("def other(session): pass", "Could not find handler 'main'"),
        ("def main(session)", "SyntaxError"),
    ],
)
def test_a_process_that_ends_otherwise_is_an_error(
    connection: SnowflakeConnection, body: str, sentence: str
) -> None:
    with pytest.raises(ProgrammingError, match=sentence) as failed:
        connection.cursor().execute(procedure(body, ""))
    assert failed.value.errno == 100357


def test_nothing_is_left_behind(server: LocalServer, connection: SnowflakeConnection) -> None:
    before = len(server.account.sessions._by_token)
    connection.cursor().execute(procedure("def main(session):\n    return '1'", ""))
    assert len(server.account.sessions._by_token) == before
    assert list(Path(server.account.folder, "runs").iterdir()) == []


def test_a_cancelled_procedure_ends_with_all_that_it_started(server: LocalServer, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"""
import os, subprocess
def main(session):
    other = subprocess.Popen(["sleep", "600"])
    with open({str(pids)!r} + ".new", "w") as file:
        file.write(f"{{os.getpid()}} {{other.pid}}")
    os.rename({str(pids)!r} + ".new", {str(pids)!r})
    other.wait()"""
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    with ThreadPoolExecutor() as threads:
        running = threads.submit(server.account.execute, session, procedure(body, ""))
        wait_until(pids.exists)
        interrupt(server.account, session)
        with pytest.raises(SqlError, match="SQL execution canceled") as cancelled:
            running.result(20)
    assert cancelled.value.code == "000604"
    for pid in pids.read_text().split():
        wait_until(lambda pid=pid: not is_alive(int(pid)))


def test_a_statement_timeout_ends_a_procedure(server: LocalServer) -> None:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    session.parameters["STATEMENT_TIMEOUT_IN_SECONDS"] = 1
    body = "import time\ndef main(session):\n    time.sleep(600)"
    with pytest.raises(SqlError, match=r"timeout of 1 second\(s\) and was canceled"):
        server.account.execute(session, procedure(body, ""))


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_snowpark_registers_anonymous_procedures(server: LocalServer) -> None:
    with Session.builder.configs(server.connect_args()).create() as session:
        add = session.sproc.register(
            lambda session, a, b: session.sql(f"SELECT {a} + {b}").collect()[0][0],
            return_type=LongType(),
            input_types=[LongType(), LongType()],
            anonymous=True,
            packages=["snowflake-snowpark-python"],
        )
        assert add(40, 2, session=session) == 42
