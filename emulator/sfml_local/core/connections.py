"""The server's open connections: one whose client stays silent while a request is due is closed.

uvicorn closes a connection that is idle between two requests, and waits without end for one that has only begun.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

try:
    import httptools  # noqa: F401
except ImportError:  # no wheel for this Python or system
    _HAS_HTTPTOOLS = False
else:
    _HAS_HTTPTOOLS = True

SILENCE_SECONDS = 60.0

Address = tuple[str, int]


class Connection(Protocol):
    """One open connection, as the application may see it."""

    transport: asyncio.Transport

    def arrived(self) -> None:
        """Stop waiting, because the due request has arrived and is being answered."""

    def answered(self) -> None:
        """The next request is due; until its first byte arrives, uvicorn's own timeout for idle connections applies."""


class Connections:
    """The open connections by their client's address. `protocol` is what uvicorn must serve with."""

    def __init__(self, silence: float = SILENCE_SECONDS) -> None:
        self._open: dict[Address, Connection] = {}
        self.protocol = _protocol(self._open, silence)

    def application(self, app: ASGIApp) -> ASGIApp:
        """The application, wrapped to record which requests have arrived."""

        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            connection = self._open.get(tuple(scope["client"])) if scope["type"] == "http" else None
            if connection is None:
                await app(scope, receive, send)
                return
            connection.arrived()
            try:
                await app(scope, receive, send)
            finally:
                connection.answered()

        return noting

    def abort(self, address: Address) -> None:
        """Close a connection at once, without sending what is pending."""
        self._open[address].transport.abort()


HEAD_LIMIT = 64 * 2**10
"""The most bytes of a request that are not its body, beside those that come with its first: line and headers, what
frames the parts of a body, and trailers. It is the limit of `h11`."""

FRAME = 8
"""The bytes around a byte of a body at most: its length in hexadecimal digits, and four for the ends of lines."""


def _bounded(parsed: Any) -> Any:
    """A protocol of uvicorn that parses with `httptools`, which keeps headers of any length, with a limit for them."""

    class Bounded(parsed):  # type: ignore[misc]
        _spare = HEAD_LIMIT

        def data_received(self, data: bytes) -> None:
            self._spare -= len(data)
            super().data_received(data)
            if self._spare < 0 and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")

        def on_message_begin(self) -> None:
            self._spare = HEAD_LIMIT
            super().on_message_begin()

        def on_body(self, body: bytes) -> None:
            self._spare = min(HEAD_LIMIT, self._spare + FRAME * len(body))
            super().on_body(body)

    return Bounded


_BOUNDED: Any = _bounded(AutoHTTPProtocol) if _HAS_HTTPTOOLS else AutoHTTPProtocol
"""uvicorn takes `httptools` where it is installed, and `h11`, which has a limit of its own, where it is not."""


@lru_cache(maxsize=1)
def _date(second: int) -> list[tuple[bytes, bytes]]:
    """The header that tells when an answer was made: https://www.rfc-editor.org/rfc/rfc9110#name-date"""
    return [(b"date", formatdate(second, usegmt=True).encode())]


def _protocol(connections: dict[Address, Connection], silence: float) -> type[asyncio.Protocol]:
    class Noting(_BOUNDED):  # type: ignore[misc]
        """uvicorn's own protocol with an end for clients that are silent while a request is due."""

        _timer: asyncio.TimerHandle | None = None
        _is_due = True

        def connection_made(self, transport: Any) -> None:
            self._address = transport.get_extra_info("peername")[:2]
            connections[self._address] = self
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            if self._is_due:
                self._wait()
                self.server_state.default_headers = _date(int(time.time()))
            super().data_received(data)

        def _wait(self) -> None:
            self.arrived()
            self._is_due = True
            self._timer = asyncio.get_running_loop().call_later(silence, self.transport.abort)

        def arrived(self) -> None:
            self._is_due = False
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def answered(self) -> None:
            self._is_due = True

        def connection_lost(self, exc: Exception | None) -> None:
            self.arrived()
            connections.pop(self._address, None)
            super().connection_lost(exc)

    return Noting
