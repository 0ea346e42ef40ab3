"""Limits of one request: the size of statements and bodies, compressed and uncompressed."""

from __future__ import annotations

import asyncio
import json
import uuid
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfml_local.core.deep import in_thread

STATEMENT_LIMIT = 8 * 2**20
"""The most bytes of a statement's text. Snowflake recommends at most 1 MB, compressed, and accepts more.
https://docs.snowflake.com/en/user-guide/query-size-limits"""

BODY_LIMIT = 64 * 2**20
"""The most bytes of a request's body, compressed and uncompressed: enough for a statement with array bindings."""

STRANGER_LIMIT = 2**20
"""The most bytes of the body, compressed and uncompressed, of a request without a token of this server: a login."""

SMALL = 64 * 2**10
"""The most bytes of a body, uncompressed, that the event loop unpacks itself: faster than another thread."""

JSON_DEPTH = 100
"""The deepest nesting of lists and objects in a body; clients send at most about ten levels."""

_LIMIT = "sfml.body_limit"


class Refused(Exception):
    """A request that is answered with an HTTP error only."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> JSONResponse:
        """The error in the form of Snowflake's REST API; the connection closes, because the body is not read."""
        request_id = str(uuid.uuid4())
        told = {"message": self.message, "code": self.code, "error_code": self.code, "request_id": request_id}
        headers = {"X-Snowflake-Request-ID": request_id, "Connection": "close"}
        return JSONResponse({**told, "data": None, "success": False}, self.status, headers)


class NotJson(Refused):
    """A body that is not JSON."""


def too_large(limit: int) -> Refused:
    return Refused(413, "391920", f"The body of the request is larger than {limit} bytes.")


def too_slow(seconds: float) -> Refused:
    return Refused(408, "391920", f"Nothing of the body of the request came for {seconds:g} seconds.")


def limit_for(scope: Scope, is_known: Callable[[str], bool]) -> int:
    """The most bytes of a request's body; `is_known` checks its Authorization header."""
    shown = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return BODY_LIMIT if is_known(shown) else STRANGER_LIMIT


async def read_body(request: Request) -> bytes:
    """The uncompressed body of a request that passed `BodyLimits`, within the same limit; raises Refused."""
    body = await request.body()
    if request.headers.get("Content-Encoding", "").lower() != "gzip":
        return body
    if len(body) <= SMALL and len(found := _beginning(body, SMALL)) <= SMALL:
        return found
    return await in_thread(partial(unpacked, body, request.scope[_LIMIT]))


def unpacked(body: bytes, limit: int) -> bytes:
    """The uncompressed body of a gzip body; never unpacks more than the limit."""
    if len(found := _beginning(body, limit)) > limit:
        raise too_large(limit)
    return found


def _beginning(body: bytes, limit: int) -> bytes:
    """What a gzip body has in its beginning: all of it, or one byte more than the limit."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(body, limit + 1)
    except zlib.error as cause:
        raise Refused(400, "391902", "The body of the request is not what gzip packed.") from cause


def parsed_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty one for an empty body."""
    parsed = parsed_json(body or b"{}")
    if not isinstance(parsed, dict):
        raise Refused(400, "391902", "The body of the request is not a JSON object.")
    return parsed


def parsed_json(body: bytes) -> Any:
    """The JSON value in a body; raises Refused, also if it is nested too deeply."""
    too_deep = Refused(
        400, "391902", f"The body of the request is JSON that is nested more than {JSON_DEPTH} levels deep."
    )
    try:
        parsed = json.loads(body)
    except RecursionError as cause:
        raise too_deep from cause
    except ValueError as cause:
        raise NotJson(400, "391902", "The body of the request is not JSON.") from cause
    level = [parsed]
    for _ in range(JSON_DEPTH):
        level = [inner for value in level for inner in _values(value) if isinstance(inner, list | dict)]
        if not level:
            return parsed
    raise too_deep


def _values(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class BodyLimits:
    """Refuses requests that are too large, before reading them if they declare their size, and stalled requests."""

    def __init__(self, app: ASGIApp, is_known: Callable[[str], bool], silence: float) -> None:
        """`is_known` says whether an Authorization header is valid; `silence` is in seconds."""
        self._app = app
        self._is_known = is_known
        self._silence = silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = scope[_LIMIT] = limit_for(scope, self._is_known)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await too_large(limit).response()(scope, receive, send)
            return
        read, started, is_whole = 0, False, False

        async def counted() -> Message:
            nonlocal read, is_whole
            if is_whole:  # the next event is the client's disconnection, which may take hours
                return await receive()
            try:
                async with asyncio.timeout(self._silence):
                    message = await receive()
            except TimeoutError as cause:
                raise too_slow(self._silence) from cause
            is_whole = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > limit:
                raise too_large(limit)
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except Refused as refused:
            if started:
                raise
            await refused.response()(scope, receive, send)
