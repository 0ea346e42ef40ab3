"""The HTTP application of an account, and a server for it inside this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sfml_local.core.account import Account
from sfml_local.core.connections import SILENCE_SECONDS, Connections
from sfml_local.core.defaults import DATABASE, SCHEMA
from sfml_local.core.limits import BodyLimits, Refused
from sfml_local.core.local_account import LocalAccount
from sfml_local.http import protocol, rest
from sfml_local.http.faults import Faults
from sfml_local.registry import open_account


def application(account: LocalAccount, silence: float = SILENCE_SECONDS) -> Starlette:
    """The routes of the connector's protocol and of every service, for this account."""

    app = Starlette(routes=[*protocol.ROUTES, *account.routes, *rest.routes(account.operations)])
    app.state.account = account
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(BodyLimits, is_known=lambda shown: protocol.is_known(account, shown), silence=silence)
    app.add_middleware(_Clock, account=account)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error.response()


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Refused(
        error.status_code, "000002", f"{error.detail}: {request.method} {request.url.path}"
    ).response()


async def _failed(request: Request, error: Exception) -> Response:
    """An internal error as an answer that clients can read; the traceback goes to the server's log."""
    return Refused(500, "390000", f"local server error: {type(error).__name__}").response()


class _Clock:
    """Records the time of the last request."""

    def __init__(self, app: ASGIApp, account: Account) -> None:
        self._app = app
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._account.last_request = time.monotonic()
        await self._app(scope, receive, send)
        self._account.last_request = time.monotonic()


LOOPBACK = "127.0.0.1"


def listening_socket(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """A listening socket; port 0 means a free one. Raises `OSError` if the address is in use.

    The protocol is set because asyncio turns Nagle's algorithm off only for such sockets; otherwise every answer
    would wait 40 ms for the client's acknowledgement.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # The connections of a server that has just stopped would block its port for a minute.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(1024)
    return listening


class _Server(uvicorn.Server):
    """uvicorn's server, which sleeps until it is stopped: its own looks ten times a second whether it is."""

    _wake: Callable[[], object] | None = None

    def stop(self) -> None:
        """End the server; called from another thread."""
        self.should_exit = True
        if self._wake is not None:
            with contextlib.suppress(RuntimeError):  # its loop has been closed meanwhile
                self._wake()

    async def main_loop(self) -> None:
        stopped = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        if not self.should_exit:
            await stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let the requests end that have begun, for as long as the settings say."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.01)
        for task in self.server_state.tasks:
            task.cancel()


class LocalServer:
    """A server in threads of this process: `with LocalServer(folder) as server: connect(**server.connect_args())`."""

    def __init__(
        self,
        folder: Path | str,
        *,
        faults: Faults | None = None,
        silence: float = SILENCE_SECONDS,
        host: str = LOOPBACK,
        port: int = 0,
        **options: Any,
    ) -> None:
        """`faults` are rules and a log of calls for tests; without them, there is no fault layer.

        `silence` is how many seconds a client may stay silent while it sends a request. Raises `OSError` where the
        address is in use.
        """
        self._socket = listening_socket(host, port)
        self.account = open_account(Path(folder), **options)
        connections = Connections(silence)
        app: ASGIApp = application(self.account, silence)
        if faults is not None:
            from sfml_local.http.fault_layer import FaultLayer

            app = FaultLayer(app, self.account, faults, connections)
        config = uvicorn.Config(
            connections.application(app),
            http=connections.protocol,
            log_level="warning",
            # uvicorn's records go to the same log as all others, which removes secrets.
            log_config=None,
            access_log=False,
            # An address that a client claims must not hide its connection from `connections`.
            proxy_headers=False,
            server_header=False,
            date_header=False,  # `connections` tells it
            loop="asyncio",
            ws="none",
            lifespan="off",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
        )
        self._server = _Server(config)
        # Processes of tasks connect from this machine, whatever the address is.
        self.account.host, self.account.port = LOOPBACK, self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="sfml-local", daemon=True)

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    @property
    def host(self) -> str:
        return self.account.host

    @property
    def port(self) -> int:
        return self.account.port

    @property
    def token(self) -> str:
        return self.account.token

    def connect_args(self, **more: Any) -> dict[str, Any]:
        """The arguments for `snowflake.connector.connect` and `Session.builder.configs`."""
        return {
            "account": self.account.name,
            "host": self.host,
            "port": self.port,
            "protocol": "http",
            "user": "SFML",
            "password": self.token,
            "database": DATABASE,
            "schema": SCHEMA,
            "session_parameters": {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
            # Nobody here asks for it, and a client with many modules takes a millisecond to list them.
            "log_imported_packages_in_telemetry": False,
            # Otherwise each connection asks the metadata services of clouds, and waits a quarter of a second for them.
            "platform_detection_timeout_seconds": 0.0,
            **more,
        }

    def start(self) -> LocalServer:
        # The socket already listens, so connections before uvicorn is ready wait in its queue.
        self.account.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.stop()
        self.account.stopping.set()
        self._thread.join(10)
        self.account.close()
        self._socket.close()

    def __enter__(self) -> LocalServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()
