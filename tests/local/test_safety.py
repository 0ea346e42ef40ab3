"""What the server refuses, bounds and keeps to itself: strangers, sizes, hostile names, many clients at once."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import http.client
import json
import socket
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from sfml_local import control
from sfml_local.core import limits
from sfml_local.http import fault_layer
from sfml_local.http.app import LocalServer, application
from sfml_local.http.faults import Faults
from sfml_local.processes.children import run_child

CLIENTS = 100


def ask(
    server: LocalServer,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    client = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        client.request(method, path, body, headers or {})
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


def login(server: LocalServer, password: str) -> dict[str, Any]:
    body = json.dumps({"data": {"LOGIN_NAME": "ME", "PASSWORD": password}})
    found: dict[str, Any] = json.loads(
        ask(server, "POST", "/session/v1/login-request?databaseName=SFML", body)[1]
    )
    return found


@pytest.fixture
def signed_in(server: LocalServer) -> dict[str, str]:
    token = login(server, server.token)["data"]["token"]
    return {"Authorization": f'Snowflake Token="{token}"', "Content-Type": "application/json"}


def statement(server: LocalServer, signed_in: dict[str, str], sql: str) -> dict[str, Any]:
    status, answer = ask(server, "POST", "/queries/v1/query-request", json.dumps({"sqlText": sql}), signed_in)
    assert status == 200
    found: dict[str, Any] = json.loads(answer)
    return found


# -- who may ask


def test_it_listens_on_loopback_alone(server: LocalServer) -> None:
    assert server._socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("password", ["", "wrong", "ü" * 43, "x" * 10_000])
def test_a_wrong_token_is_refused(server: LocalServer, password: str) -> None:
    answer = login(server, password)
    assert (answer["success"], answer["code"]) == (False, "390100")
    assert server.token not in json.dumps(answer)


def test_two_servers_have_different_tokens(server: LocalServer, tmp_path: Path) -> None:
    with LocalServer(tmp_path / "other") as other:
        assert other.token != server.token
        assert login(other, server.token)["success"] is False


@pytest.mark.parametrize(
    "header", [None, 'Snowflake Token="guessed"', 'Snowflake Token=""', "Bearer guessed"]
)
def test_no_route_answers_a_stranger(server: LocalServer, header: str | None) -> None:
    """Every route of every family but the login itself."""
    headers = {} if header is None else {"Authorization": header}
    asked = 0
    for route in application(server.account).routes:
        path = route.path.replace("{path:path}", "databases").replace("{query_id}", "x")  # type: ignore[attr-defined]
        for method in sorted(route.methods - {"HEAD"}):  # type: ignore[attr-defined]
            if path == "/session/v1/login-request":
                continue
            status, body = ask(server, method, path, "{}", headers)
            told = json.loads(body)
            assert status == 401 or told["success"] is False, path
            assert told["code"] == ("390114" if path == "/session/token-request" else "390112"), path
            asked += 1
    assert asked > 10


def test_a_token_is_renewed_for_whoever_holds_the_master_token(server: LocalServer) -> None:
    data = login(server, server.token)["data"]
    body = json.dumps({"oldSessionToken": data["token"], "requestType": "RENEW"})
    guessed = {"Authorization": 'Snowflake Token="guessed"'}
    assert json.loads(ask(server, "POST", "/session/token-request", body, guessed)[1])["success"] is False
    master = {"Authorization": f'Snowflake Token="{data["masterToken"]}"'}
    assert json.loads(ask(server, "POST", "/session/token-request", body, master)[1])["success"] is True


# -- how much


def test_a_statement_over_the_limit_is_refused(connection: SnowflakeConnection) -> None:
    fits = "x" * (2 * 2**20)
    assert connection.cursor().execute(f"SELECT LENGTH('{fits}')").fetchone() == (len(fits),)
    with pytest.raises(snowflake.connector.ProgrammingError, match="larger than 8388608 bytes") as refused:
        connection.cursor().execute(f"SELECT '{'x' * limits.STATEMENT_LIMIT}'")
    assert refused.value.sqlstate == "54000"
    assert connection.cursor().execute("SELECT 1").fetchone() == (1,)


def test_a_large_body_is_cut_before_it_is_read(server: LocalServer, signed_in: dict[str, str]) -> None:
    for headers, limit in ((signed_in, limits.BODY_LIMIT), ({}, limits.STRANGER_LIMIT)):
        client = http.client.HTTPConnection(server.host, server.port, timeout=30)
        client.putrequest("POST", "/queries/v1/query-request")
        for name, value in {**headers, "Content-Length": str(limit + 1)}.items():
            client.putheader(name, value)
        client.endheaders(b"{")  # the rest is never sent
        response = client.getresponse()
        assert response.status == 413
        assert response.headers["Connection"] == "close"
        assert "larger than" in json.loads(response.read())["message"]
        client.close()


def test_a_body_that_does_not_tell_its_size_is_cut(server: LocalServer) -> None:
    chunks = (b"x" * 65536 for _ in range(10_000))
    with pytest.raises((ConnectionError, http.client.HTTPException)) as cut:
        client = http.client.HTTPConnection(server.host, server.port, timeout=30)
        client.request("POST", "/session/v1/login-request", chunks, encode_chunked=True)
        response = client.getresponse()
        assert response.status == 413
        raise ConnectionResetError
    assert cut


def test_a_gzip_bomb_is_not_unpacked(server: LocalServer, signed_in: dict[str, str]) -> None:
    bomb = gzip.compress(b" " * (limits.BODY_LIMIT + 1))
    assert len(bomb) < 100_000
    packed = {"Content-Encoding": "gzip"}
    assert ask(server, "POST", "/queries/v1/query-request", bomb, {**signed_in, **packed})[0] == 413
    small_bomb = gzip.compress(b" " * (limits.STRANGER_LIMIT + 1))
    assert ask(server, "POST", "/session/v1/login-request", small_bomb, packed)[0] == 413


STRANGERS = (
    {},
    {"Authorization": "x"},
    {"Authorization": 'Snowflake Token="x"'},
    {"Authorization": "Bearer x"},
)


@pytest.mark.parametrize("headers", STRANGERS, ids=("none", "junk", "token", "bearer"))
def test_nothing_large_is_unpacked_for_a_stranger(
    server: LocalServer, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On any route: what is asked to be unpacked is bounded, whatever the request shows."""
    unpacked, asked = limits.unpacked, []

    def noted(body: bytes, limit: int) -> bytes:
        asked.append(limit)
        return unpacked(body, limit)

    monkeypatch.setattr(limits, "unpacked", noted)
    monkeypatch.setattr(fault_layer, "unpacked", noted)
    bomb = gzip.compress(b'{"data": "' + b" " * limits.STRANGER_LIMIT + b'"}')
    for route in application(server.account).routes:
        path = route.path.replace("{path:path}", "databases").replace("{query_id}", "x")  # type: ignore[attr-defined]
        for method in sorted(route.methods - {"HEAD"}):  # type: ignore[attr-defined]
            for encoding in ("gzip", "GZIP"):
                status, _ = ask(server, method, path, bomb, {**headers, "Content-Encoding": encoding})
                assert status in (200, 401, 413)
    assert asked
    assert max(asked) <= limits.STRANGER_LIMIT


def test_the_layer_of_faults_unpacks_no_more_for_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(fault_layer, "unpacked", lambda body, limit: asked.append(limit) or b"")
    with LocalServer(tmp_path, faults=Faults()) as server:
        headers = {"Authorization": "x", "Content-Encoding": "gzip"}
        ask(server, "POST", "/queries/v1/query-request", gzip.compress(b"{}"), headers)
    assert asked == [limits.STRANGER_LIMIT]


@pytest.mark.parametrize("depth", (limits.JSON_DEPTH + 1, 900, 100_000))
@pytest.mark.parametrize("pair", ("[]", ('{"a":', "}")), ids=("list", "object"))
def test_json_that_is_nested_too_deeply_is_refused(
    server: LocalServer, signed_in: dict[str, str], depth: int, pair: tuple[str, str]
) -> None:
    tasks = "/api/v2/databases/SFML/schemas/PUBLIC/tasks"
    opening, closing = pair
    for path in ("/queries/v1/query-request", "/session/v1/login-request", "/session/token-request", tasks):
        body = f'{{"data": {opening * depth}1{closing * depth}}}'
        status, answer = ask(server, "POST", path, body, signed_in)
        assert status == 400, path
        assert "nested more than 100 levels" in json.loads(answer)["message"]
    allowed = f'{{"data": {opening * (limits.JSON_DEPTH - 1)}1{closing * (limits.JSON_DEPTH - 1)}}}'
    assert b"levels" not in ask(server, "POST", tasks, allowed, signed_in)[1]


SILENT = (
    b"",
    b"POST /queries/v1/query-request HTT",
    b"GET /session HTTP/1.1\r\nHost: x\r\nX-Slow:",
    b"POST /session/v1/login-request HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    b"GET /session HTTP/1.1\r\nHost: x\r\n\r\nGET /session HTTP/1.1\r\n",
)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("impatient"), silence=0.3) as server:
        yield server


@pytest.mark.parametrize("sent", SILENT, ids=("nothing", "a line", "a header", "a body", "the next request"))
def test_a_connection_that_falls_silent_is_closed(impatient: LocalServer, sent: bytes) -> None:
    with socket.create_connection((impatient.host, impatient.port), timeout=20) as client:
        client.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(65536):
                pass


ENDLESS = {
    "a line": b"GET /",
    "a header": b"GET /session HTTP/1.1\r\nHost: x\r\nX-Long: ",
    "headers": b"GET /session HTTP/1.1\r\nHost: x\r\n",
    "a trailer": b"POST /session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-Long: ",
}


@pytest.mark.parametrize("beginning", ENDLESS.values(), ids=ENDLESS)
def test_a_request_without_end_is_cut(server: LocalServer, beginning: bytes) -> None:
    more = b"X-Many: of them\r\n" * 4096 if beginning.endswith(b"x\r\n") else b"a" * 2**16
    with socket.create_connection((server.host, server.port), timeout=20) as client:
        client.sendall(beginning)
        with pytest.raises(ConnectionError):
            for _ in range(1024):
                client.sendall(more)


def test_small_parts_of_a_body_are_no_head(server: LocalServer, signed_in: dict[str, str]) -> None:
    body = json.dumps({"sqlText": "SELECT 1", "padding": "x" * 2**17}).encode()
    client = http.client.HTTPConnection(server.host, server.port, timeout=30)
    headers = {"Content-Type": "application/json", **signed_in}
    parts = (body[at : at + 1] for at in range(len(body)))
    client.request("POST", "/queries/v1/query-request?requestId=parts", parts, headers, encode_chunked=True)
    assert json.loads(client.getresponse().read())["success"]
    client.request("GET", "/session", headers={"X-Long": "a" * 2**15})
    assert client.getresponse().status == 405
    client.close()


def test_a_statement_may_take_longer_than_a_client_may_be_silent(impatient: LocalServer) -> None:
    wait_a_second(impatient)


def wait_a_second(server: LocalServer) -> None:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        assert connection.cursor().execute("SELECT SYSTEM$WAIT(1)").fetchone() == ("waited 1 seconds",)


def test_a_server_without_requests_sleeps(server: LocalServer, impatient: LocalServer) -> None:
    before = woken(server)
    wait_a_second(impatient)
    assert woken(server) - before < 5


def woken(server: LocalServer) -> int:
    """How often the server's thread has slept."""
    status = Path(f"/proc/self/task/{server._thread.native_id}/status").read_text(encoding="utf-8")
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])


def test_every_answer_has_a_date(server: LocalServer) -> None:
    client = http.client.HTTPConnection(server.host, server.port, timeout=30)
    client.request("GET", "/session")
    told = parsedate_to_datetime(client.getresponse().headers["Date"])
    client.close()
    assert abs((datetime.datetime.now(datetime.UTC) - told).total_seconds()) < 60


def test_so_may_one_that_came_from_another_address_by_its_own_words(impatient: LocalServer) -> None:
    token = login(impatient, impatient.token)["data"]["token"]
    headers = {"Authorization": f'Snowflake Token="{token}"', "X-Forwarded-For": "192.0.2.1"}
    assert statement(impatient, headers, "SELECT SYSTEM$WAIT(1)")["success"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\xfe", {}),
        (b"{", {}),
        (b"[]", {}),
        (b"[" * 100_000, {}),
        (b"no gzip", {"Content-Encoding": "gzip"}),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}),
        (b'{"sqlText": 1, "bindings": 5}', {}),
        (b'{"sqlText": "SELECT ?", "bindings": {"x": {"value": "1"}}}', {}),
        (b'{"sqlText": "SELECT \\ud800"}', {}),
        (b"{}", {}),
    ],
    # Bytes in an identifier would be nonsense to those who list tests, too.
    ids=lambda value: type(value).__name__,
)
def test_nonsense_is_answered_in_words(
    server: LocalServer, signed_in: dict[str, str], body: bytes, headers: dict[str, str]
) -> None:
    for path in ("/queries/v1/query-request", "/session/v1/login-request", "/session/token-request"):
        status, answer = ask(server, "POST", path, body, {**signed_in, **headers})
        assert status in (200, 400), path
        told = json.loads(answer)
        assert told["success"] is False
        assert told["message"]
        assert b"Traceback" not in answer
    status, answer = ask(server, "POST", "/api/v2/databases/SFML/schemas/PUBLIC/tasks", body, signed_in)
    assert 400 <= status < 600
    # Accounts refuse without a word what is no JSON.
    assert answer == b"" or json.loads(answer)["message"]
    assert b"Traceback" not in answer


# -- what the code of tasks gets to know


def test_a_process_finds_its_own_password_and_not_the_servers(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "of the user")
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    log = tmp_path / "log"
    code = "import os; print(dict(os.environ)); print(open('/proc/self/cmdline').read(), os.listdir('.'))"
    assert run_child(server.account, session, [sys.executable, "-c", code], log=log) == 0
    seen = log.read_text()
    assert server.token not in seen
    assert "of the user" not in seen
    assert "SNOWFLAKE_PASSWORD" in seen


def test_the_token_is_in_no_file_but_the_card(folder: Path) -> None:
    info = control.start(folder)
    try:
        assert info.password is not None
        token = info.password.encode()
        holding = [path.name for path in folder.rglob("*") if path.is_file() and token in path.read_bytes()]
        assert holding == [control.INFO_FILE]
        command = Path(f"/proc/{info.pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{info.pid}/environ").read_bytes()
        assert token not in command + environment
    finally:
        control.stop(folder)


def test_sessions_without_a_word_end(server: LocalServer, signed_in: dict[str, str]) -> None:
    sessions = server.account.sessions
    worked_in = sessions.open()  # the server's own, for a task: no client, no idleness
    assert statement(server, signed_in, "SELECT 1")["success"]
    sessions.close_idle(60)
    assert statement(server, signed_in, "SELECT 1")["success"]
    sessions.close_idle(0)
    assert statement(server, signed_in, "SELECT 1")["code"] == "390112"
    assert sessions.by_token(worked_in.token) is worked_in


def test_results_that_are_kept_are_bounded(connection: SnowflakeConnection, server: LocalServer) -> None:
    cursor = connection.cursor()
    for _ in range(12):
        cursor.execute("SELECT REPEAT('x', 1000) AS V FROM TABLE(GENERATOR(ROWCOUNT => 10000))")
    last = cursor.sfqid
    session = next(one for one in server.account.sessions if last in one.results)
    assert 1 <= len(session.results) < 8
    assert cursor.execute(f"SELECT COUNT(*) FROM TABLE(RESULT_SCAN('{last}'))").fetchone() == (10_000,)
