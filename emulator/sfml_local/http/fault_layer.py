"""The layer around a server's application that applies `Faults` and logs calls."""

from __future__ import annotations

import asyncio
import json
import uuid
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfml_local.core.connections import Connections
from sfml_local.core.deep import in_thread
from sfml_local.core.limits import Refused, limit_for, unpacked
from sfml_local.http import rest
from sfml_local.http.faults import Call, Delay, Do, Drop, Fail, Faults, Kind, Rule, When
from sfml_local.http.protocol import failed, is_known, session_by_header

if TYPE_CHECKING:
    from sfml_local.core.account import Account

QUERY_PATH = "/queries/v1/query-request"
ERROR_LIMIT = 20_000
"""The most bytes of an answer that is searched for an error."""


class FaultLayer:
    """An ASGI application around another, which can close the connection of a request."""

    def __init__(self, app: ASGIApp, account: Account, faults: Faults, connections: Connections) -> None:
        self._app = app
        self._account = account
        self._faults = faults
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = _kind(scope["path"])
        statement = None
        if kind == "sql":
            limit = limit_for(scope, lambda shown: is_known(self._account, shown))
            body, receive = await _read_ahead(receive, limit)
            statement = _statement(dict(scope["headers"]), body, limit)
        call, rules = self._faults.begun(self._call(scope, kind, statement))
        answer = _Answer(call, send, self._faults, held=any(rule.when == "after" for rule in rules))
        try:
            if not await self._happens(rules, "before", call, answer):
                await self._app(scope, receive, answer.send)
                await self._happens(rules, "after", call, answer)
            if answer.dropped:
                answer.log()
                await self._drop(scope, receive)
            else:
                await answer.release()
        finally:
            answer.log()

    def _call(self, scope: Scope, kind: Kind, statement: str | None) -> Call:
        headers = dict(scope["headers"])
        session = session_by_header(self._account, headers.get(b"authorization", b"").decode("latin-1"))
        options = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        return Call(
            number=0,
            kind=kind,
            method=scope["method"],
            path=scope["path"],
            statement=statement,
            request_id=options["requestId"][0] if kind == "sql" and "requestId" in options else None,
            inside=session is not None and session.parent is not None,
        )

    async def _happens(self, rules: tuple[Rule, ...], when: When, call: Call, answer: _Answer) -> bool:
        """Apply the rules before or after the effect; returns whether one of them ends the call."""
        for rule in rules:
            if rule.when != when:
                continue
            match rule.effect:
                case Delay(seconds):
                    await asyncio.sleep(seconds)
                case Do(function):
                    await in_thread(partial(function, call))
                case Fail() as failure:
                    answer.replace(failure)
                    return True
                case Drop():
                    answer.drop()
                    return True
        return False

    async def _drop(self, scope: Scope, receive: Receive) -> None:
        """Close the connection, and wait until the server has noticed it; otherwise it would answer 500."""
        host, port = scope["client"]
        self._connections.abort((host, port))
        while (await receive())["type"] != "http.disconnect":
            pass


class _Answer:
    """The answer to the client: passed on at once, or held back until the rules have decided."""

    def __init__(self, call: Call, send: Send, faults: Faults, *, held: bool) -> None:
        self._call = call
        self._send = send
        self._faults = faults
        self._held = held
        self._messages: list[Message] = []
        self.status: int | None = None
        self.code: str | None = None
        self.dropped = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.code is None:
            self.code = self._code_in(message.get("body", b""))
        if self._held:
            self._messages.append(message)
        else:
            self.log()
            await self._send(message)

    def log(self) -> None:
        """Record the answer before it is sent, so that a client that has it finds it in the log."""
        self._faults.ended(self._call, status=self.status, code=self.code, dropped=self.dropped)

    def _code_in(self, body: bytes) -> str | None:
        """Snowflake's code if the answer is an error."""
        is_error = b'"success":false' in body if self._call.kind == "sql" else (self.status or 0) >= 400
        if not is_error or len(body) > ERROR_LIMIT:
            return None
        try:
            code = json.loads(body).get("code")
        except (ValueError, AttributeError):
            return None
        return None if code is None else str(code)

    def drop(self) -> None:
        self._messages.clear()
        self.status, self.code, self.dropped = None, None, True

    def replace(self, failure: Fail) -> None:
        """The error in place of the true answer."""
        response = _response(self._call, failure)
        self.status, self.code = response.status_code, failure.code
        self._messages = [
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": response.raw_headers,
            },
            {"type": "http.response.body", "body": response.body},
        ]

    async def release(self) -> None:
        self.log()
        for message in self._messages:
            await self._send(message)


def _response(call: Call, failure: Fail) -> JSONResponse:
    if call.kind == "rest":
        return rest.failure(failure.status or 500, failure.code, failure.sentence)
    # An error of a statement comes with HTTP's 200; a gateway's has a status.
    told: dict[str, Any] = failed(failure.code, failure.sentence, "XX000", str(uuid.uuid4()))
    return JSONResponse(told, failure.status or 200)


def _kind(path: str) -> Kind:
    if path == QUERY_PATH:
        return "sql"
    return "rest" if path.startswith(f"{rest.BASE}/") else "session"


async def _read_ahead(receive: Receive, limit: int) -> tuple[bytes, Receive]:
    """The body, up to the server's limit, and a `receive` that returns it again."""
    messages: list[Message] = []
    size = 0
    while size <= limit:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    body = b"".join(message.get("body", b"") for message in messages)

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return body, again


def _statement(headers: dict[bytes, bytes], body: bytes, limit: int) -> str:
    """The statement in a request; an empty text if the request cannot be read."""
    try:
        if headers.get(b"content-encoding") == b"gzip":
            body = unpacked(body, limit)
        found = json.loads(body)
    except (ValueError, RecursionError, zlib.error, Refused):
        return ""
    return str(found.get("sqlText", "")) if isinstance(found, dict) else ""
