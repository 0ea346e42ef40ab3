"""The comments of GitHub and GitLab on loopback: a real HTTP server that keeps them, checks tokens, and can refuse."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

OWNER_TOKEN, READER_TOKEN = "tok-owner-5f1d9c", "tok-reader-77ab02"
BOT, STRANGER = "github-actions[bot]", "someone[bot]"
_GITHUB = re.compile(r"/repos/OWNER/project/issues/(?:(7)/comments|comments/(\d+))")
_GITLAB = re.compile(r"/api/v4/projects/42/merge_requests/7/notes(?:/(\d+))?")


@dataclass
class Fault:
    """An answer that the next requests of a method get in place of their own; `after` carries them out first."""

    method: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    carried_out: bool = False


@dataclass
class Host:
    """What is under the request, and what was asked; `limit` is how many characters a comment may have."""

    url: str = ""
    me: str = BOT
    limit: int = 65_536
    comments: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, author: str, body: str) -> dict[str, Any]:
        one = {"id": len(self.comments) + 100, "author": author, "body": body}
        self.comments.append(one)
        return one

    def by(self, author: str) -> list[str]:
        return [one["body"] for one in self.comments if one["author"] == author]

    def writes(self) -> list[str]:
        return [line for line in self.requests if not line.startswith("GET") and "graphql" not in line]


class _Handler(BaseHTTPRequestHandler):
    host: Host

    def log_message(self, *_: object) -> None:
        return

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        self.host.requests.append(f"{self.command} {self.path}")
        url = urlsplit(self.path)
        for fault in self.host.faults:
            if fault.method == self.command and fault.times and "graphql" not in url.path:
                fault.times -= 1
                if fault.carried_out:
                    self.answer(url.path, parse_qs(url.query), body)
                self.send(fault.status, {"message": "Server Error"}, fault.headers)
                return
        self.send(*self.answer(url.path, parse_qs(url.query), body))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any, dict[str, str]]:
        token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        if token not in (OWNER_TOKEN, READER_TOKEN):
            return 401, {"message": "Bad credentials"}, {}
        if path == "/graphql":
            return 200, {"data": {"viewer": {"login": self.host.me}}}, {}
        if path == "/api/v4/user":
            return 200, {"username": self.host.me}, {}
        found = _GITHUB.fullmatch(path) or _GITLAB.fullmatch(path)
        if found is None:
            return 404, {"message": "Not Found"}, {}
        id = found[found.lastindex] if found.lastindex and found[found.lastindex] != "7" else None
        if self.command != "GET" and token == READER_TOKEN:
            return 403, {"message": "Resource not accessible by integration"}, {}
        return self.carry_out(id, query, body, is_github=path.startswith("/repos"))

    def carry_out(
        self, id: str | None, query: dict[str, list[str]], body: Any, *, is_github: bool
    ) -> tuple[int, Any, dict[str, str]]:
        if self.command == "GET":
            size, page = int(query["per_page"][0]), int(query["page"][0])
            shown = self.host.comments[(page - 1) * size : page * size]
            more = len(self.host.comments) > page * size
            link = {"Link": f'<{self.host.url}/next?page={page + 1}>; rel="next"'} if more else {}
            return 200, [self.shown(one, is_github) for one in shown], link
        if self.command == "POST":
            if len(body["body"]) > self.host.limit:
                return 422, {"message": "Validation Failed"}, {}
            return 201, self.shown(self.host.add(self.host.me, body["body"]), is_github), {}
        (one,) = (one for one in self.host.comments if one["id"] == int(id or 0))
        if one["author"] != self.host.me:
            return 403, {"message": "Must have admin rights"}, {}
        if self.command == "DELETE":
            self.host.comments.remove(one)
            return 204, None, {}
        assert self.command == ("PATCH" if is_github else "PUT")
        one["body"] = body["body"]
        return 200, self.shown(one, is_github), {}

    def shown(self, one: dict[str, Any], is_github: bool) -> dict[str, Any]:
        who = {"user": {"login": one["author"]}} if is_github else {"author": {"username": one["author"]}}
        return {"id": one["id"], "body": one["body"], **who}

    def send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def host() -> Iterator[Host]:
    """A host that listens until the end."""
    made = Host()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"host": made}))
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
