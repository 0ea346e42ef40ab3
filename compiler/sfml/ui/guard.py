"""Who may ask: this machine's browser with the token, from the page's own address, and nobody else.

A page that changes things in an account must not be reached by other sites in the same browser. So each request names
the address in `Host` (a name that was made to lead here does not fit), and shows the token: once in the address, then
in a cookie that no script reads and no other site sends. What changes something must come from the page itself, by
`Origin` and `Sec-Fetch-Site`, and carry a field that only its forms have.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfml.base.record import record

TOKEN = "token"
"""The parameter of an address that holds the token."""

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with `no-referrer`, the origin of our own forms would be `null`
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}

_SAFE_METHODS = ("GET", "HEAD")


@record
class Secrets:
    """The token of the address, and what the cookie holds, which is another secret."""

    token: str
    cookie: str

    @classmethod
    def new(cls) -> Secrets:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24))

    @property
    def form(self) -> str:
        """The value of the field that forms carry."""
        return hmac.new(self.cookie.encode(), b"form", hashlib.sha256).hexdigest()


@record
class Refusal:
    """Why a request is refused: the status, a sentence, and what to do."""

    status: int
    message: str
    help: str


_OTHER_HOST = Refusal(
    421, "this address is not the page's own", "open the address that `sfml ui` printed, as it stands there"
)
_NO_TOKEN = Refusal(
    403,
    "the token is missing, or it belongs to a page that has ended",
    "open the address that `sfml ui` printed; each start has a new one",
)
_OTHER_SITE = Refusal(403, "another site sent this request", "open the page itself, and do it there")
_READ_ONLY = Refusal(
    403, "this page was started with --read-only", "start it without that to change anything"
)
_OTHER_METHOD = Refusal(405, "the page knows no such request", "go back to the page")


class Guard:
    """Passes the requests that are allowed on to an application, and adds the headers that bind the browser."""

    def __init__(self, app: ASGIApp, keys: Secrets, port: int, *, read_only: bool) -> None:
        self._app = app
        self._keys = keys
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._cookie = f"sfml_ui_{port}"  # cookies do not tell ports apart
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # the server closes what it gets no answer for
        request = Request(scope)
        refusal = self._refusal(request)
        sets_cookie = refusal is None and not self._has_cookie(request)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if sets_cookie:
                    headers.append("set-cookie", self._set_cookie())
            await send(message)

        if refusal is None:
            await self._app(scope, receive, guarded)
        else:
            text = f"{refusal.message}\n{refusal.help}\n"
            await Response(text, refusal.status, media_type="text/plain")(scope, receive, guarded)

    def _refusal(self, request: Request) -> Refusal | None:
        """Why a request is refused; None if it is allowed."""
        if request.headers.get("host", "").lower() not in self._hosts:
            return _OTHER_HOST
        if request.method in _SAFE_METHODS:
            return None if self._has_cookie(request) or self._has_token(request) else _NO_TOKEN
        if request.method != "POST":
            return _OTHER_METHOD
        if self._is_from_elsewhere(request):
            return _OTHER_SITE
        if not self._has_cookie(request):  # a form has the cookie; the token alone would also be in a link
            return _NO_TOKEN
        return _READ_ONLY if self._read_only else None

    def _is_from_elsewhere(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}" for host in self._hosts}:
            return True
        return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin",)

    def _has_token(self, request: Request) -> bool:
        return _is_same(request.query_params.getlist(TOKEN), self._keys.token)

    def _has_cookie(self, request: Request) -> bool:
        return _is_same([request.cookies.get(self._cookie, "")], self._keys.cookie)

    def _set_cookie(self) -> str:
        return f"{self._cookie}={self._keys.cookie}; HttpOnly; SameSite=Strict; Path=/"


def _is_same(values: Iterable[str], secret: str) -> bool:
    """Whether one of the values is the secret; how long that takes does not tell how much of it is right."""
    return any(hmac.compare_digest(value.encode(), secret.encode()) for value in values)
