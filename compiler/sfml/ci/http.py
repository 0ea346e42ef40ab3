"""JSON over HTTP for the calls to a host's API. The token is sent only in a header and is never logged."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import Any

from sfml.base.errors import SfmlError
from sfml.base.record import record

_SECONDS = 30
_LONGEST_PAUSE = 60.0


class HostRefusal(SfmlError):
    """The host refuses the call because the token lacks a permission (403, 404); a repetition would not help."""


class Unavailable(SfmlError):
    """The host could not answer now (5xx, a rate limit, no answer). It may have carried out the call nevertheless.

    `pause` is the number of seconds to wait that the host asked for, or None.
    """

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


@record
class HttpAnswer:
    """The parsed JSON body of an answer; `has_next` says whether there is another page."""

    body: Any
    has_next: bool


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirects, because a redirect would send the token to another address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def call(
    method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
) -> HttpAnswer:
    """Make one request. Raises `HostRefusal`, `Unavailable`, or `SfmlError` for any other error of the host."""
    if not url.startswith(("https://", "http://")):
        raise SfmlError(f"`{url[:60]}` is not the address of an API")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    for name, value in {"Content-Type": "application/json", "User-Agent": "sfml", **headers}.items():
        request.add_header(name, value)
    what = f"{method} {url.partition('?')[0]}"
    try:
        with _OPENER.open(request, timeout=_SECONDS) as answer:
            text = answer.read()
            has_next = 'rel="next"' in (answer.headers.get("Link") or "")
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(what, error.code, error.headers, error.read(10_000)) from None
    except (OSError, ValueError) as cause:
        raise Unavailable(f"{what}: {getattr(cause, 'reason', None) or type(cause).__name__}") from None
    try:
        return HttpAnswer(json.loads(text) if text else None, has_next)
    except ValueError:
        raise Unavailable(f"{what}: the answer is not JSON") from None


def _refusal(what: str, status: int, headers: Message, body: bytes) -> SfmlError:
    message = f"{what}: {status} {_message(body)}".rstrip()
    # GitHub answers 403 for a rate limit, too; these headers tell it from a missing permission.
    # https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    is_limit = headers.get("x-ratelimit-remaining") == "0" or headers.get("Retry-After") is not None
    if status >= 500 or status == 429 or (status == 403 and is_limit):
        return Unavailable(message, _seconds(headers.get("Retry-After")))
    if status in (403, 404):
        return HostRefusal(message)
    return SfmlError(message, help="the token is invalid or has expired" if status == 401 else None)


def _message(body: bytes) -> str:
    try:
        answer = json.loads(body)
        return str(answer.get("message") or answer.get("error") or "")[:300]
    except (ValueError, AttributeError):
        return ""


def _seconds(value: str | None) -> float | None:
    return min(float(value), _LONGEST_PAUSE) if value and value.isdecimal() else None
