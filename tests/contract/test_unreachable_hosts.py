"""An account that does not answer is told as one: with the connection, its host and what to do, in seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sfml.base.errors import ConnectionFailed
from sfml.cli import host_watch
from sfml.cli.options import Options
from sfml.cli.target_screen import TargetScreen
from sfml.graph.model import Target
from sfml.operations.target_account import account_connection
from sfml.snowflake import connection as connecting
from sfml.snowflake.connection import open_account
from sfml.snowflake.host import host_of, unreachable
from sfml.snowflake.sql import rows
from sfml_local.http.app import LocalServer

TARGET = Target("far", "account", "SFML", "PUBLIC", "W", connection="far")
OPTIONS = Options(None, {}, None, "text", False, False, False)


def entry_leads_to(
    monkeypatch: pytest.MonkeyPatch, host: str, port: int = 0, more: str = "", protocol: str = "http"
) -> None:
    lines = ["[far]", "account = 'LOCAL'", "user = 'SFML'", "password = 'hunter2'", f"host = {host!r}"]
    lines += [f"port = {port}"] if port else []
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join([*lines, f"protocol = '{protocol}'", more]))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("127.0.0.1", None, "nothing listens at `127.0.0.1:{port}`"),
        ("nowhere.invalid", 443, "there is no host `nowhere.invalid`"),
        ("an..odd.name", 443, "there is no host `an..odd.name`"),
        ("127.0.0.1", 99999, "`127.0.0.1:99999` has no such port"),
    ],
)
def test_what_takes_no_connection_is_named(
    monkeypatch: pytest.MonkeyPatch, host: str, port: int | None, why: str
) -> None:
    port = port or free_port()
    entry_leads_to(monkeypatch, host, port)
    with pytest.raises(ConnectionFailed) as failed:
        open_account(TARGET)
    assert failed.value.message == f"no connection to Snowflake: {why.format(port=port)} (connection `far`)"
    assert failed.value.help is not None
    assert "connection `far` in SNOWFLAKE_CONNECTIONS" in failed.value.help
    assert str(failed.value) == failed.value.message


def test_a_host_behind_a_proxy_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from sfml.snowflake.entries import entry

    entry_leads_to(monkeypatch, "nowhere.invalid", 443, protocol="https")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert unreachable(host_of(entry("far"))) is None
    monkeypatch.setenv("NO_PROXY", "nowhere.invalid")
    assert unreachable(host_of(entry("far"))) == "there is no host `nowhere.invalid`"


@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize(
    ("status", "body", "message", "help"),
    [
        (404, b"no", "404 Not Found", "this is the answer for an account that does not exist"),
        (403, b"no", "HTTP 403", "this is the answer for an account that does not exist"),
        (302, b"", "302 Found", "something else answers in its place"),
        (200, b'{"a": 1}', "what answers is not Snowflake", "something else answers in its place"),
        (200, b'{"success": false}', "what answers is not Snowflake", "something else answers in its place"),
    ],
)
def test_what_answers_and_is_no_account_is_named(
    monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, message: str, help: str
) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        entry_leads_to(monkeypatch, "127.0.0.1", server.server_port)
        with pytest.raises(ConnectionFailed) as failed:
            open_account(TARGET)
        server.shutdown()
    text = failed.value.message
    assert text.startswith("no connection to Snowflake: ") and message in text
    assert f"`127.0.0.1:{server.server_port}`" in text and "connection `far`" in text
    assert "hunter2" not in text and "request_id" not in text
    assert failed.value.help is not None and failed.value.help.startswith(help)


class Line:
    """Passes bytes on to a server until it is cut; then nothing listens there any more."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._to)
                self._ends += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture
def line(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    place = server.connect_args()
    line = Line(str(place["host"]), int(str(place["port"])))
    entry_leads_to(monkeypatch, "127.0.0.1", line.port)
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_FAR_PASSWORD", str(place["password"]))
    yield line
    line.cut()


def test_a_server_that_dies_under_a_command_is_named(
    line: Line, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = os.environ["SNOWFLAKE_CONNECTIONS"]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", f"{text}\nnetwork_timeout = 1")
    monkeypatch.setattr(host_watch, "LOOK_SECONDS", 0.2)
    with (
        pytest.raises(ConnectionFailed) as failed,
        account_connection(TARGET, TargetScreen(OPTIONS)) as connection,
    ):
        assert rows(connection, "SELECT 1") == [(1,)]
        line.cut()
        rows(connection, "SELECT 2")
    assert failed.value.place == f"connection `far` to `127.0.0.1:{line.port}`"
    assert failed.value.place in failed.value.message
    said = capfd.readouterr().err
    assert f"nothing listens at `127.0.0.1:{line.port}` any more (connection `far`)" in said
    assert said.count("any more") == 1


def test_an_interrupt_is_heard_while_a_dead_server_is_asked_again(line: Line) -> None:
    """The connector would ask the dead server for ten minutes to cancel the statement."""
    with pytest.raises(KeyboardInterrupt), account_connection(TARGET, TargetScreen(OPTIONS)) as connection:
        line.cut()
        began = time.monotonic()
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            rows(connection, "SELECT 1")
        finally:
            timer.cancel()
    assert time.monotonic() - began < 30


@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize("limit", [None, 1])
def test_a_login_without_an_answer_ends(monkeypatch: pytest.MonkeyPatch, limit: int | None) -> None:
    """The host takes the connection and says nothing; what the connection says of it counts."""
    monkeypatch.setattr(connecting, "LOGIN_TIMEOUT", 1 if limit is None else 3600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = int(silent.getsockname()[1])
        more = "socket_timeout = 1" + (f"\nlogin_timeout = {limit}" if limit else "")
        entry_leads_to(monkeypatch, "127.0.0.1", port, more)
        began = time.monotonic()
        with pytest.raises(ConnectionFailed) as failed:
            open_account(TARGET)
    assert time.monotonic() - began < 30
    assert failed.value.message.endswith(f"(connection `far` to `127.0.0.1:{port}`)")


def test_a_login_that_takes_long_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The host takes the connection and says nothing."""
    monkeypatch.setattr(host_watch, "LOOK_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = int(silent.getsockname()[1])
        entry_leads_to(monkeypatch, "127.0.0.1", port)
        timer = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt), account_connection(TARGET, TargetScreen(OPTIONS)):
            pass
        timer.cancel()
    assert f"waiting for an answer of `127.0.0.1:{port}` (connection `far`) …" in capfd.readouterr().err
