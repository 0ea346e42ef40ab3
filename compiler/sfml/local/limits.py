"""What one request may cost: the size of statements and bodies, as they are sent and unpacked."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATEMENT_LIMIT = 8 * 2**20
"""Bytes of a statement's text. Snowflake recommends at most 1 MB, measured after compression, and takes more.
https://docs.snowflake.com/en/user-guide/query-size-limits"""

BODY_LIMIT = 64 * 2**20
"""Bytes of a request's body, as it is sent and as it is unpacked: room for a statement and its array bindings."""

STRANGER_LIMIT = 2**20
"""Bytes of the body of a request that carries no session: a login."""


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


def too_large(limit: int) -> Refused:
    return Refused(413, "391920", f"The body of the request is larger than {limit} bytes.")


def unpacked(body: bytes, limit: int = BODY_LIMIT) -> bytes:
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
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError) as cause:
        raise Refused(400, "391902", "The body of the request is not JSON.") from cause
    if not isinstance(parsed, dict):
        raise Refused(400, "391902", "The body of the request is not a JSON object.")
    return parsed


class BodyLimits:
    """Cuts off requests that are too large, before they are read where they say so themselves."""

    def __init__(self, app: ASGIApp, is_known: Callable[[str], bool]) -> None:
        """`is_known` tells whether an Authorization header is one that was given out."""
        self._app = app
        self._is_known = is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        shown = headers.get(b"authorization", b"").decode("latin-1")
        limit = BODY_LIMIT if self._is_known(shown) else STRANGER_LIMIT
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await too_large(limit).response()(scope, receive, send)
            return
        read, started = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
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
