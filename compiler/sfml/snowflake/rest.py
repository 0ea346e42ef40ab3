"""Reads Snowflake's REST API with GET in the connector's session, without `snowflake.core`.

Importing that client takes several times as long as a login and everything that a plan asks; what writes imports it.
This does what it does around a GET: the same address and headers, lists that come in pages, answers that are fetched
later (202), a renewed token when the session's has expired, and the same patience.
https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/large-results
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sfml.base.errors import ConnectionFailed
from sfml.base.release import VERSION
from sfml.base.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

BASE = "/api/v2"

CONNECTION_TRIES = 4
"""The maximum number of attempts for a GET whose connection breaks."""

NOT_YET = frozenset({202, 429, 503, 504})
"""HTTP statuses after which the GET is repeated."""

_EXPIRED = "390112"
_LAST_PAGE = re.compile(r'<([^<>]*?)\?page=(\d+)>; *rel="last"', re.I)
_LARGE_RESULT = "Large result set"
_SOMETHING_ELSE = "no connection to Snowflake: what answers is not Snowflake's API"


class RestRefusal(Exception):
    """An HTTP answer that is neither a result nor a missing object; `body` is its text."""

    def __init__(self, status: int, reason: str, body: str) -> None:
        super().__init__(f"({status}) {reason}")
        self.status = status
        self.reason = reason
        self.body = body


RESULT_POLICY = RetryPolicy(longest=600.0, first_pause=0.25, growth=1.6)
"""How a GET is repeated whose result is not available yet."""


class RestReader:
    """Makes GETs to the account of a connection; several threads may use one reader."""

    def __init__(self, connection: SnowflakeConnection, policy: RetryPolicy = RESULT_POLICY) -> None:
        self._connection: Any = connection
        self._policy = policy
        self._renewing = threading.Lock()

    def get(self, *path: str) -> Any:
        """The JSON at a path, with all pages of a list, or None if there is no such object; raises `RestRefusal`.

        The parts of the path are names as in Snowflake's API; this quotes them for the URL.
        """
        place = "/".join((BASE, *(quote(part, safe="") for part in path)))
        answer = self._settled(place)
        if answer.status_code == 404:
            return None
        content = _content(answer)
        pages = _pages(answer, content)
        if pages is None:
            return content
        rest, count = pages
        # The answer contains the first page, or only a link to the pages.
        rows = list(content) if isinstance(content, list) else []
        for page in range(1 if isinstance(content, list) else 0, count):
            rows += self._page(f"{rest}?page={page}")
        return rows

    def _page(self, place: str) -> list[Any]:
        answer = self._settled(place)
        content = _content(answer) if answer.status_code != 404 else None
        if not isinstance(content, list):
            raise RestRefusal(answer.status_code, "a page of the result is not there", "")
        return content

    def _settled(self, requested: str) -> Any:
        """The answer once it is available, or the answer 404 for a missing object; raises `RestRefusal` for others."""
        policy, place, tries = self._policy, requested, 0
        deadline = policy.clock() + policy.longest
        while True:
            answer = self._answer(place)
            if answer.status_code not in NOT_YET:
                break
            if answer.status_code == 202:
                place = _location(answer)
            pause = policy.pause(tries)
            if policy.clock() + pause > deadline:
                raise _refusal(answer)
            policy.sleep(pause)
            tries += 1
        if 200 <= answer.status_code < 300 or (
            answer.status_code == 404 and place == requested and _is_told(answer)
        ):
            return answer
        raise _refusal(answer)

    def _answer(self, place: str) -> Any:
        """The answer to one GET; if the session has expired, it is renewed and the GET is repeated."""
        token = self._rest.token
        answer = self._sent(place, token)
        if not _has_expired(answer):
            return answer
        with self._renewing:
            if self._rest.token == token:  # otherwise another thread has renewed it
                self._renew()
        return self._sent(place, self._rest.token)

    def _renew(self) -> None:
        from snowflake.connector.network import ReauthenticationRequest

        try:
            self._rest._renew_session()
        except ReauthenticationRequest as again:
            raise again.cause from again

    def _sent(self, place: str, token: str) -> Any:
        from snowflake.connector.network import DEFAULT_SOCKET_CONNECT_TIMEOUT
        from snowflake.connector.vendored.requests.exceptions import RequestException

        rest = self._rest
        url = f"{rest._protocol}://{rest._host}:{rest._port}{place}"
        timeout = self._connection.socket_timeout or DEFAULT_SOCKET_CONNECT_TIMEOUT
        for left in reversed(range(CONNECTION_TRIES)):
            try:
                with rest.use_session(url) as session:
                    return session.get(url, auth=self._signed(token), timeout=timeout)
            except RequestException:
                if not left:
                    raise
        raise AssertionError("the last try answers or raises")

    def _signed(self, token: str) -> Callable[[Any], Any]:
        """A function that adds the session's headers to a request. Plain headers could be replaced by a .netrc file."""
        headers = {
            "Accept": "application/json",
            "Authorization": f'Snowflake Token="{token}"',
            "User-Agent": f"sfml/{VERSION}",
        }
        if self._connection._authenticator == "PAT_WITH_EXTERNAL_SESSION":
            headers["Authorization"] = f"Bearer {token}"
            headers["X-Snowflake-External-Session-ID"] = self._rest._external_session_id or ""
            headers["X-Snowflake-Authorization-Token-Type"] = "PAT_WITH_EXTERNAL_SESSION_ID"

        def sign(request: Any) -> Any:
            request.headers.update(headers)
            return request

        return sign

    @property
    def _rest(self) -> Any:
        rest = self._connection.rest
        if rest is None:
            raise ConnectionFailed("the connection to Snowflake is closed")
        return rest


def _content(answer: Any) -> Any:
    try:
        content = json.loads(answer.content)
    except ValueError as cause:
        raise ConnectionFailed(_SOMETHING_ELSE) from cause
    if content is None:
        raise ConnectionFailed(_SOMETHING_ELSE)
    return content


def _pages(answer: Any, content: Any) -> tuple[str, int] | None:
    """The path and the number of the pages of a long list; None for a complete answer."""
    if link := answer.headers.get("Link"):
        last = _LAST_PAGE.search(link)
        if last is None or not last[1].startswith("/"):
            raise RestRefusal(answer.status_code, f"pages that cannot be followed: {link}", "")
        return last[1], int(last[2]) + 1
    if isinstance(content, dict) and _LARGE_RESULT in str(content.get("message")):
        return f"{BASE}/results/{quote(str(content.get('result_handler')), safe='')}", 1
    return None


def _location(answer: Any) -> str:
    place = str(answer.headers.get("Location") or "")
    if not place.startswith("/"):
        raise RestRefusal(answer.status_code, "accepted, without a place to look for the result", "")
    return place


def _has_expired(answer: Any) -> bool:
    return _EXPIRED.encode() in answer.content and _EXPIRED in _codes(answer)


def _is_told(answer: Any) -> bool:
    """True if the answer comes from Snowflake; raises `ConnectionFailed` if another server has sent it."""
    if not _codes(answer):
        raise ConnectionFailed(_SOMETHING_ELSE)
    return True


def _codes(answer: Any) -> tuple[str, ...]:
    """Snowflake's codes in an error; `error_code` is the older key."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ()
    if not isinstance(body, dict):
        return ()
    return tuple(str(body[key]) for key in ("error_code", "code") if body.get(key) is not None)


def _refusal(answer: Any) -> RestRefusal:
    return RestRefusal(answer.status_code, str(answer.reason), answer.content.decode("utf-8", "replace"))
