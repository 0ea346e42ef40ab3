"""One comment a request, whatever the host does: the posting itself, against a server that keeps comments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from ci_hosts import BOT, OWNER_TOKEN, READER_TOKEN, STRANGER, Fault, Host, host

from sfml.base.errors import SfmlError
from sfml.ci.http import HostRefusal
from sfml.ci.occasion import Occasion, occasion_of
from sfml.ci.posting import marked, post, shortened
from sfml.ci.threads import GitHub, GitLab, Thread
from sfml.render.review_markdown import LIMIT, MARKER

Connect = Callable[[str], Thread]
COMMENT = f"{MARKER}\n## new\n"


@pytest.fixture
def there() -> Iterator[Host]:
    with host() as made:
        yield made


def occasion(it: Host, kind: str) -> Occasion:
    if kind == "github":
        return occasion_of(
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": it.url,
                "GITHUB_GRAPHQL_URL": f"{it.url}/graphql",
                "GITHUB_REPOSITORY": "OWNER/project",
            }
        )
    return occasion_of(
        {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{it.url}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
        }
    )


@pytest.fixture(params=["github", "gitlab"])
def connect(there: Host, request: pytest.FixtureRequest) -> Connect:
    """The conversation as seen with a token."""
    found = occasion(there, request.param)
    if request.param == "gitlab":
        return lambda token: GitLab(found, token)
    return lambda token: GitHub(replace(found, number=7), token)


def test_it_is_made_once_and_then_kept_up_to_date(there: Host, connect: Connect) -> None:
    thread = connect(OWNER_TOKEN)
    assert post(thread, COMMENT, only_update=False) == "comment made"
    assert post(thread, COMMENT, only_update=False) == "comment is up to date"
    assert post(thread, f"{MARKER}\n## newer\n", only_update=False) == "comment updated"
    assert there.by(BOT) == [f"{MARKER}\n## newer\n"]


def test_only_ours_is_updated_on_whatever_page_it_is(there: Host, connect: Connect) -> None:
    theirs = f"{MARKER}\nlooks like ours"
    there.add(STRANGER, theirs)
    for number in range(230):
        there.add("reviewer", f"remark {number}\n{MARKER}")
    there.add(BOT, f"of another job, which quotes {MARKER}")
    there.add(BOT, "<!-- sfml diff other -->\nunder another key")
    ours = there.add(BOT, f"{MARKER}\r\nold")
    twin = there.add(BOT, f"{MARKER}\nof a job that ran at the same time")
    assert post(connect(OWNER_TOKEN), COMMENT, only_update=False) == "comment updated"
    assert there.by(STRANGER) == [theirs]
    assert ours["body"] == COMMENT
    assert twin not in there.comments
    assert (len(there.by("reviewer")), len(there.by(BOT))) == (230, 3)
    assert len([line for line in there.requests if "page=" in line]) == 3


def test_a_comment_as_long_as_the_host_takes_is_posted_whole(there: Host, connect: Connect) -> None:
    text = f"{MARKER}\n## heading\n".ljust(LIMIT, "x")
    assert shortened(text) == text
    assert post(connect(OWNER_TOKEN), text, only_update=False) == "comment made"
    assert there.by(BOT) == [text]


def test_a_longer_one_says_that_it_was_too_long(there: Host, connect: Connect) -> None:
    text = marked(f"{MARKER}\n## heading\n".ljust(LIMIT, "ü"), "key")
    short = shortened(text)
    assert short.startswith("<!-- sfml diff key -->\n## heading\n\n_Too long for a comment")
    post(connect(OWNER_TOKEN), short, only_update=False)
    assert there.by(BOT) == [short]


def test_a_token_that_may_not_write_is_refused(there: Host, connect: Connect) -> None:
    with pytest.raises(HostRefusal, match="403 Resource not accessible by integration"):
        post(connect(READER_TOKEN), COMMENT, only_update=False)
    assert there.comments == []


def test_a_token_that_is_none_is_an_error_of_its_own(connect: Connect) -> None:
    with pytest.raises(SfmlError, match="401 Bad credentials") as found:
        post(connect("tok-expired"), COMMENT, only_update=False)
    assert not isinstance(found.value, HostRefusal)
    assert "tok-expired" not in str(found.value)


@pytest.mark.parametrize("status", [500, 502, 429, 403])
def test_a_host_that_falters_is_asked_again(there: Host, connect: Connect, status: int) -> None:
    """403 with a time to wait is a limit, and not a refusal."""
    there.faults = [
        Fault("GET", status, headers={"Retry-After": "0"}),
        # Carried out, and the answer lost: a second comment would be one too many.
        Fault("POST", status, headers={"Retry-After": "0"}, carried_out=True),
    ]
    assert post(connect(OWNER_TOKEN), COMMENT, only_update=False) == "comment is up to date"
    assert there.by(BOT) == [COMMENT]


def test_a_host_that_keeps_failing_is_given_up(there: Host, connect: Connect) -> None:
    there.faults = [Fault("GET", 503, times=99, headers={"Retry-After": "0"})]
    with pytest.raises(SfmlError, match=r"could not be posted: GET .* 503 Server Error"):
        post(connect(OWNER_TOKEN), COMMENT, only_update=False)
    assert there.faults[0].times == 95


def test_a_redirect_takes_the_token_nowhere(there: Host, connect: Connect) -> None:
    with host() as elsewhere:
        there.faults = [Fault("GET", 302, headers={"Location": f"{elsewhere.url}/caught"})]
        with pytest.raises(SfmlError, match="302"):
            post(connect(OWNER_TOKEN), COMMENT, only_update=False)
        assert elsewhere.requests == []


def test_where_there_is_nothing_to_correct_nothing_is_made(there: Host, connect: Connect) -> None:
    post(connect(OWNER_TOKEN), COMMENT, only_update=True)
    assert there.comments == []
    there.add(BOT, f"{MARKER}\nold")
    post(connect(OWNER_TOKEN), COMMENT, only_update=True)
    assert there.by(BOT) == [COMMENT]


def test_a_user_s_token_is_known_by_its_user(there: Host, connect: Connect) -> None:
    there.me = "reviewer"
    there.add(BOT, f"{MARKER}\nof another bot")
    there.add("reviewer", f"{MARKER}\nold")
    post(connect(OWNER_TOKEN), COMMENT, only_update=False)
    assert there.by("reviewer") == [COMMENT]
    assert there.by(BOT) == [f"{MARKER}\nof another bot"]
