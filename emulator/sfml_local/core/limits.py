"""What one request may cost: the size of statements and bodies, as they are sent and unpacked."""

from __future__ import annotations

import asyncio
import json
import uuid
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATEMENT_LIMIT = 8 * 2**20
"""Bytes of a statement's text. Snowflake recommends at most 1 MB, measured after compression, and takes more.
https://docs.snowflake.com/en/user-guide/query-size-limits"""

BODY_LIMIT = 64 * 2**20
"""Bytes of a request's body, as it is sent and as it is unpacked: room for a statement and its array bindings."""

STRANGER_LIMIT = 2**20
"""Bytes of the body, as it is sent and unpacked, of a request that shows no token of this server: a login."""

JSON_DEPTH = 100
"""How deep the lists and objects of a body may stand in one another; the deepest that clients send is about ten."""

_LIMIT = "sfml.body_limit"


class Refused(Exception):
    """A request that is answered with an HTTP error and nothing else."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> JSONResponse:
        """As Snowflake's REST API tells errors; the rest of the body is not read, so the connection closes."""
        request_id = str(uuid.uuid4())
        told = {"message": self.message, "code": self.code, "error_code": self.code, "request_id": request_id}
        headers = {"X-Snowflake-Request-ID": request_id, "Connection": "close"}
        return JSONResponse({**told, "data": None, "success": False}, self.status, headers)


class NotJson(Refused):
    """A body that is no JSON."""


def too_large(limit: int) -> Refused:
    return Refused(413, "391920", f"The body of the request is larger than {limit} bytes.")


def too_slow(seconds: float) -> Refused:
    return Refused(408, "391920", f"Nothing of the body of the request came for {seconds:g} seconds.")


def limit_for(scope: Scope, is_known: Callable[[str], bool]) -> int:
    """How many bytes the body of a request may have; `is_known` judges its Authorization header."""
    shown = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return BODY_LIMIT if is_known(shown) else STRANGER_LIMIT


async def read_body(request: Request) -> bytes:
    """The body of a request that came through `BodyLimits`, unpacked within the same limit; raises Refused."""
    body = await request.body()
    if request.headers.get("Content-Encoding", "").lower() == "gzip":
        return await run_in_threadpool(unpacked, body, request.scope[_LIMIT])
    return body


def unpacked(body: bytes, limit: int) -> bytes:
    """The body that gzip packed; never more than the limit is unpacked, however small it was packed."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unpacker.decompress(body, limit + 1)
    except zlib.error as cause:
        raise Refused(400, "391902", "The body of the request is not what gzip packed.") from cause
    if len(found) > limit:
        raise too_large(limit)
    return found


def parsed_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds; an empty body is an empty one."""
    parsed = parsed_json(body or b"{}")
    if not isinstance(parsed, dict):
        raise Refused(400, "391902", "The body of the request is not a JSON object.")
    return parsed


def parsed_json(body: bytes) -> Any:
    """The value that a body holds; raises Refused, also when it is nested too deeply for what works on it."""
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
    if level:
        raise too_deep
    return parsed


def _values(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class BodyLimits:
    """Cuts off requests that are too large, before they are read where they say so themselves, or stop half-way."""

    def __init__(self, app: ASGIApp, is_known: Callable[[str], bool], silence: float) -> None:
        """`is_known` tells whether an Authorization header is one that was given out; `silence` is in seconds."""
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
            if is_whole:  # what comes now is the news that the client has gone, and that may take hours
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._silence)
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
