"""The comments under a pull request of GitHub, and the notes under a merge request of GitLab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.ci.http import HostRefusal, call
from sfml.ci.job_inputs import JobInputs
from sfml.ci.occasion import Occasion

_PAGES = 200
"""The maximum number of pages, of 100 comments each; hosts allow fewer comments than that."""


@record
class Comment:
    """An existing comment."""

    id: int
    author: str
    body: str


class Thread(Protocol):
    """The conversation of a request; `me` is the name of the token's user."""

    def me(self) -> str: ...

    def comments(self) -> Iterator[Comment]: ...

    def create(self, body: str) -> None: ...

    def update(self, comment: Comment, body: str) -> None: ...

    def delete(self, comment: Comment) -> None: ...


def thread_of(inputs: JobInputs, occasion: Occasion) -> Thread | None:
    """The conversation of the job's request; None if there is no request or no token."""
    if occasion.number is None or inputs.token is None:
        return None
    if occasion.host == "github":
        return GitHub(occasion, inputs.token)
    return GitLab(occasion, inputs.token)


class GitHub:
    """https://docs.github.com/en/rest/issues/comments"""

    def __init__(self, occasion: Occasion, token: str) -> None:
        self._graphql = occasion.graphql
        self._comments = f"{occasion.api}/repos/{occasion.project}/issues/comments"
        self._thread = f"{occasion.api}/repos/{occasion.project}/issues/{occasion.number}/comments"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def me(self) -> str:
        # `GET /user` refuses the token of a job, which belongs to no user; this query accepts every kind of token.
        try:
            answer = call("POST", self._graphql, self._headers, {"query": "query { viewer { login } }"}).body
            return str(answer["data"]["viewer"]["login"])
        except (HostRefusal, KeyError, TypeError):
            return "github-actions[bot]"

    def comments(self) -> Iterator[Comment]:
        for page in _pages(self._thread, "per_page=100", self._headers):
            yield Comment(
                int(page["id"]), (page.get("user") or {}).get("login") or "", page.get("body") or ""
            )

    def create(self, body: str) -> None:
        call("POST", self._thread, self._headers, {"body": body})

    def update(self, comment: Comment, body: str) -> None:
        call("PATCH", f"{self._comments}/{comment.id}", self._headers, {"body": body})

    def delete(self, comment: Comment) -> None:
        call("DELETE", f"{self._comments}/{comment.id}", self._headers)


class GitLab:
    """https://docs.gitlab.com/api/notes/#merge-requests"""

    def __init__(self, occasion: Occasion, token: str) -> None:
        self._user = f"{occasion.api}/user"
        self._notes = f"{occasion.api}/projects/{occasion.project}/merge_requests/{occasion.number}/notes"
        self._headers = {"PRIVATE-TOKEN": token}

    def me(self) -> str:
        return str(call("GET", self._user, self._headers).body["username"])

    def comments(self) -> Iterator[Comment]:
        for page in _pages(self._notes, "sort=asc&order_by=created_at&per_page=100", self._headers):
            yield Comment(
                int(page["id"]), (page.get("author") or {}).get("username") or "", page.get("body") or ""
            )

    def create(self, body: str) -> None:
        call("POST", self._notes, self._headers, {"body": body})

    def update(self, comment: Comment, body: str) -> None:
        call("PUT", f"{self._notes}/{comment.id}", self._headers, {"body": body})

    def delete(self, comment: Comment) -> None:
        call("DELETE", f"{self._notes}/{comment.id}", self._headers)


def _pages(url: str, query: str, headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The entries of all pages. Pages are addressed by number, because a link to the next page could lead elsewhere."""
    for page in range(1, _PAGES + 1):
        answer = call("GET", f"{url}?{query}&page={page}", headers)
        if not isinstance(answer.body, list):
            raise SfmlError(f"GET {url}: the answer is not a list of comments")
        yield from answer.body
        if not answer.has_next:
            return
