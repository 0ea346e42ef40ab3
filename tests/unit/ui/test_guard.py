"""Who may ask the page: the token and the cookie, the host, other sites, and what is read only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from sfml.ui.guard import Guard, Secrets

KEYS = Secrets("the-token", "the-cookie")
PORT = 8123
COOKIE = {"cookie": f"other=1; sfml_ui_{PORT}=the-cookie"}
OWN = {"origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def asked(
    method: str = "GET", path: str = "/", query: str = "", *, read_only: bool = False, **headers: str
) -> Answer:
    """The answer to a request; the application behind the guard says only that it was reached."""
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"reached"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    named = {
        "host": f"127.0.0.1:{PORT}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    asyncio.run(Guard(application, KEYS, PORT, read_only=read_only)(scope, receive, send))
    start, *rest = sent
    headers_of = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], headers_of, b"".join(one["body"] for one in rest).decode())


def test_the_token_in_the_address_gives_a_cookie_that_only_this_page_sends() -> None:
    answer = asked(query="token=the-token")
    assert (answer.status, answer.text) == (200, "reached")
    cookie = answer.headers["set-cookie"]
    assert cookie == f"sfml_ui_{PORT}=the-cookie; HttpOnly; SameSite=Strict; Path=/"
    assert "the-token" not in cookie
    again = asked(**COOKIE)
    assert (again.status, again.text) == (200, "reached")
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize(
    ("query", "cookie"),
    [("", ""), ("token=", ""), ("token=the-toke", ""), ("token=the-cookie", ""), ("", f"sfml_ui_{PORT}=old")],
)
def test_without_the_token_nothing_is_shown(query: str, cookie: str) -> None:
    answer = asked(query=query, **({"cookie": cookie} if cookie else {}))
    assert answer.status == 403
    assert answer.text.startswith(
        "the token is missing, or it belongs to a page that has ended\nopen the address"
    )
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:8124", ""])
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    assert asked(host=host, **COOKIE).status == 421
    assert asked(host=host, query="token=the-token").status == 421


def test_localhost_is_this_machine_too() -> None:
    assert asked(host=f"LOCALHOST:{PORT}", **COOKIE).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://127.0.0.1:{PORT + 1}"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {**OWN, "sec_fetch_site": "cross-site"},
    ],
)
def test_what_another_site_sends_changes_nothing(headers: dict[str, str]) -> None:
    answer = asked("POST", **COOKIE, **headers)
    assert (answer.status, answer.text.splitlines()[0]) == (403, "another site sent this request")


def test_a_form_of_the_page_is_passed_on() -> None:
    own = {name.replace("-", "_"): value for name, value in OWN.items()}
    assert asked("POST", **COOKIE, **own).text == "reached"
    # Programs that are no browsers send neither; the form's own field is asked of them.
    assert asked("POST", **COOKIE).text == "reached"


def test_the_token_alone_lets_nothing_be_changed() -> None:
    assert asked("POST", query="token=the-token").status == 403


def test_read_only_refuses_every_form() -> None:
    answer = asked("POST", read_only=True, **COOKIE)
    assert answer.status == 403
    assert "--read-only" in answer.text
    assert asked(read_only=True, **COOKIE).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(method: str) -> None:
    assert asked(method, **COOKIE).status == 405


@pytest.mark.parametrize("query", ["token=the-token", "token=wrong"])
def test_every_answer_binds_the_browser(query: str) -> None:
    headers = asked(query=query).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_each_start_has_other_secrets() -> None:
    one, other = Secrets.new(), Secrets.new()
    assert len({one.token, other.token, one.cookie, other.cookie, one.form, other.form}) == 6
    assert len(one.token) >= 32
