"""What DuckDB shares with the server lives as long as DuckDB can reach it, whichever session made it.

The server is a process of its own, so that a crash of it fails a test and does not end the tests.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from snowflake.connector import connect

from sfml_local import control
from sfml_local.control import ServerInfo
from sfml_local.http.app import LocalServer
from sfml_local.services.routines.python_functions import MOST

FUNCTION = """CREATE OR REPLACE FUNCTION {name}(x INT) RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
HANDLER = 'f' AS $$
def f(x):
    return x + {plus}
$$"""
THREADS, ROUNDS = 6, 8


class Client:
    """A session over plain HTTP: nothing is tried again, so that a server that dies is seen at once."""

    def __init__(self, server: ServerInfo) -> None:
        self._server = server
        self._http = http.client.HTTPConnection(str(server.host), server.port, timeout=60)
        self.headers: dict[str, str] = {}
        login = {"data": {"LOGIN_NAME": "SFML", "PASSWORD": server.password}}
        answer = self.ask("/session/v1/login-request?databaseName=SFML&schemaName=PUBLIC", login)
        self.headers = {"Authorization": f'Snowflake Token="{answer["data"]["token"]}"'}

    def ask(self, path: str, body: Any) -> dict[str, Any]:
        self._http.request("POST", path, json.dumps(body), self.headers)
        answer: dict[str, Any] = json.loads(self._http.getresponse().read())
        return answer

    def rows(self, sql: str) -> list[list[Any]]:
        answer = self.ask("/queries/v1/query-request", {"sqlText": sql})
        assert answer["success"], answer["message"]
        data = answer["data"]
        if "rowset" in data:
            return [list(row) for row in data["rowset"]]
        packed = base64.b64decode(data["rowsetBase64"])
        return [list(row.values()) for row in pa.ipc.open_stream(packed).read_all().to_pylist()]

    def abort(self) -> None:
        """Ask the server, on a connection of its own, to give up what this session executes."""
        other = http.client.HTTPConnection(str(self._server.host), self._server.port, timeout=60)
        with contextlib.closing(other):
            other.request("POST", "/queries/v1/abort-request", "{}", self.headers)
            other.getresponse().read()

    def close(self) -> None:
        self.ask("/session?delete=true", {})
        self._http.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerInfo]:
    folder = tmp_path_factory.mktemp("local")
    info = control.start(folder)
    yield info
    log = (folder / control.LOG_FILE).read_text()
    control.stop(folder)
    assert "Fatal Python error" not in log


@contextlib.contextmanager
def client(server: ServerInfo) -> Iterator[Client]:
    with contextlib.closing(Client(server)) as session:
        yield session


def test_a_python_function_outlives_the_session_that_first_called_it(server: ServerInfo) -> None:
    with client(server) as first:
        first.rows(FUNCTION.format(name="lasting", plus=1))
        first.rows("CREATE OR REPLACE VIEW lasting_view AS SELECT lasting(n) r FROM VALUES (1), (2) t(n)")
        assert first.rows("SELECT lasting(1)") == [[2]]
    for _ in range(5):
        with client(server) as later:
            assert later.rows("SELECT lasting(1), lasting(2)") == [[2, 3]]
            assert later.rows("SELECT r FROM lasting_view ORDER BY r") == [[2], [3]]


def test_a_function_first_called_in_a_transaction_that_is_taken_back(server: ServerInfo) -> None:
    with client(server) as first, client(server) as second:
        first.rows(FUNCTION.format(name="in_transaction", plus=5))
        second.rows("BEGIN")
        second.rows("SELECT 1")
        first.rows("BEGIN")
        assert first.rows("SELECT in_transaction(1)") == [[6]]
        assert second.rows("SELECT in_transaction(2)") == [[7]]
        first.rows("ROLLBACK")
        assert second.rows("SELECT in_transaction(3)") == [[8]]
        second.rows("COMMIT")
    with client(server) as third:
        assert third.rows("SELECT in_transaction(4)") == [[9]]


def test_a_view_of_a_function_outlives_the_server(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server, connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        cursor.execute(FUNCTION.format(name="f", plus=1))
        cursor.execute("CREATE VIEW v AS SELECT f(n) r FROM VALUES (1), (2) t(n)")
    with LocalServer(tmp_path) as server, connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT r FROM v ORDER BY r")
        assert cursor.fetchall() == [(2,), (3,)]


def test_sessions_that_come_and_go_share_functions_and_relations(server: ServerInfo) -> None:
    """Functions, staged files, tables of rows and stops, from several threads."""
    with client(server) as session:
        session.rows("CREATE OR REPLACE STAGE shared_stage")
        session.rows(
            "COPY INTO @shared_stage/rows.csv FROM (SELECT 1, 2) "
            "FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE) SINGLE = TRUE OVERWRITE = TRUE"
        )

    def work(thread: int) -> None:
        for number in range(ROUNDS):
            name = f"shared_{number % 4}"
            with client(server) as session:
                if thread == number % THREADS:
                    session.rows(FUNCTION.format(name=f"own_{thread}", plus=thread))
                    assert session.rows(f"SELECT own_{thread}(1)") == [[1 + thread]]
                session.rows(FUNCTION.format(name=name, plus=number % 4))
                assert session.rows(f"SELECT SUM({name}(n)) FROM VALUES (1), (2) t(n)") == [
                    [3 + 2 * (number % 4)]
                ]
                assert session.rows("SELECT COUNT(*) FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))") == [[1]]
                assert session.rows("SELECT $1, $2 FROM @shared_stage/rows.csv") == [["1", "2"]]

    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(work, thread) for thread in range(THREADS)]:
            done.result()


class Waiting:
    """A Python function `waiting(x)` that says that it has begun, then waits until it may end, and returns x."""

    def __init__(self, folder: Path) -> None:
        self._begun, may_end = folder / "begun", folder / "may_end"
        for file in (self._begun, may_end):
            os.mkfifo(file)
        self._end = os.open(may_end, os.O_RDWR)  # so that no other end is waited for
        self.statement = f"""CREATE OR REPLACE FUNCTION waiting(x INT) RETURNS INT LANGUAGE PYTHON
    RUNTIME_VERSION = '3.11' HANDLER = 'f' AS $$
def f(x):
    open({str(self._begun)!r}, "w").close()
    open({str(may_end)!r}, "rb", buffering=0).read(1)
    return x
$$"""

    def has_begun(self) -> None:
        self._begun.open().close()

    def may_end(self) -> None:
        os.write(self._end, b".")

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    with contextlib.closing(Waiting(tmp_path)) as waiting:
        yield waiting


def test_a_function_that_is_working_gives_way_to_no_other(server: ServerInfo, waiting: Waiting) -> None:
    with client(server) as first, client(server) as second, ThreadPoolExecutor(1) as thread:
        first.rows(waiting.statement)
        working = thread.submit(first.rows, "SELECT waiting(7)")
        waiting.has_begun()
        try:
            for number in range(MOST + 1):
                second.rows(FUNCTION.format(name=f"other_{number}", plus=100 + number))
                assert second.rows(f"SELECT other_{number}(1)") == [[101 + number]]
        finally:
            waiting.may_end()
        assert working.result() == [[7]]


SELECT_WAITING = {"sqlText": "SELECT waiting(7)"}


def test_who_waits_for_a_function_goes_on_when_the_working_statement_is_stopped(
    server: ServerInfo, waiting: Waiting
) -> None:
    with client(server) as first, client(server) as second, ThreadPoolExecutor(2) as threads:
        first.rows(waiting.statement)
        stopped = threads.submit(first.ask, "/queries/v1/query-request", SELECT_WAITING)
        waiting.has_begun()
        going_on = threads.submit(second.rows, "SELECT waiting(8)")
        first.abort()
        assert "canceled" in stopped.result()["message"]
        waiting.has_begun()
        waiting.may_end()
        assert going_on.result() == [[8]]


@pytest.mark.parametrize("how", ["aborted", "timed out"])
def test_a_working_function_goes_on_when_who_waits_for_it_is_stopped(
    server: ServerInfo, waiting: Waiting, how: str
) -> None:
    with client(server) as first, client(server) as second, ThreadPoolExecutor(2) as threads:
        first.rows(waiting.statement)
        going_on = threads.submit(first.rows, "SELECT waiting(7)")
        waiting.has_begun()
        if how == "timed out":
            second.rows("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 1")
        stopped = threads.submit(second.ask, "/queries/v1/query-request", SELECT_WAITING)
        while how == "aborted" and not stopped.done():  # as often as it takes: it may not have begun
            second.abort()
            stopped_within(stopped, 0.1)
        try:
            assert "canceled" in stopped.result(60)["message"]
            assert not going_on.done()
        finally:
            waiting.may_end()
        assert going_on.result() == [[7]]


def stopped_within(working: Future[Any], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        working.result(seconds)


def test_a_session_is_stopped_while_it_closes(server: ServerInfo) -> None:
    def stop_and_close(_: int) -> None:
        session = Client(server)
        working = threading.Thread(
            target=session.ask,
            args=("/queries/v1/query-request", {"sqlText": "SELECT SUM(a.n * b.n) FROM big a, big b"}),
        )
        working.start()
        other = Client(server)
        other.headers = session.headers
        stopping = [threading.Thread(target=session.abort) for _ in range(4)]
        for thread in stopping:
            thread.start()
        other.close()
        for thread in (working, *stopping):
            thread.join(60)

    with client(server) as session:
        session.rows(
            "CREATE OR REPLACE TABLE big AS SELECT SEQ4() n FROM TABLE(GENERATOR(ROWCOUNT => 20000))"
        )
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(stop_and_close, range(12)))
    with client(server) as session:
        assert session.rows("SELECT 1") == [[1]]


@pytest.mark.parametrize("name", ("sql", "self", "params", "os", "pyarrow", "tree", "_df"))
def test_a_table_is_no_variable_of_the_server(server: ServerInfo, name: str) -> None:
    with client(server) as session:
        answer = session.ask("/queries/v1/query-request", {"sqlText": f'SELECT * FROM "{name}"'})
    assert "does not exist or not authorized" in answer["message"], answer["message"]
