"""JSON over HTTP, for the few calls that a host's API takes; the token is in a header and nowhere else."""

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
    """The host says no, and would again (403, 404): the token may not."""


class Unavailable(SfmlError):
    """The host did not do it now (5xx, a limit, no answer); whether it did is not always known.

    `pause` is how many seconds it asks to wait.
    """

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


@record
class HttpAnswer:
    """What came back; `has_next` says that there is another page."""

    body: Any
    has_next: bool


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take the token along, to wherever that leads."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def call(
    method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
) -> HttpAnswer:
    """The answer to one request; raises `HostRefusal`, `Unavailable`, or `SfmlError` for any other refusal."""
    if not url.startswith(("https://", "http://")):
        raise SfmlError(f"`{url[:60]}` is no address of an API")
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
        raise Unavailable(f"{what}: what came back is no JSON") from None


def _refusal(what: str, status: int, headers: Message, body: bytes) -> SfmlError:
    said = f"{what}: {status} {_message(body)}".rstrip()
    # GitHub answers 403 for a limit as well, and tells them apart by these.
    # https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    is_limit = headers.get("x-ratelimit-remaining") == "0" or headers.get("Retry-After") is not None
    if status >= 500 or status == 429 or (status == 403 and is_limit):
        return Unavailable(said, _seconds(headers.get("Retry-After")))
    if status in (403, 404):
        return HostRefusal(said)
    return SfmlError(said, help="the token is not valid, or no longer" if status == 401 else None)


def _message(body: bytes) -> str:
    try:
        found = json.loads(body)
        return str(found.get("message") or found.get("error") or "")[:300]
    except (ValueError, AttributeError):
        return ""


def _seconds(value: str | None) -> float | None:
    return min(float(value), _LONGEST_PAUSE) if value and value.isdecimal() else None
