"""The pull or merge request that a job runs for, and the commits to compare, from the host's environment variables.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from sfml.base.errors import SfmlError, UsageError
from sfml.base.record import record

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NONE = re.compile(r"0+")
_PROJECT = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+|[0-9]+")


@record
class Occasion:
    """The request that a job runs for. `number` is the request's number, `merged` the host's trial merge commit.

    `summary` and `outputs` are GitHub's files for the job's summary and output values.
    """

    host: Literal["github", "gitlab"]
    api: str
    graphql: str
    project: str
    number: int | None
    base: str | None
    base_name: str | None
    head_name: str | None
    merged: str | None
    summary: Path | None
    outputs: Path | None


def occasion_of(environment: Mapping[str, str]) -> Occasion:
    """Read the environment variables of the host; raises `UsageError` outside of a job."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return _of_github(environment)
    if environment.get("GITLAB_CI") == "true":
        return _of_gitlab(environment)
    raise UsageError(
        "this is not a job of GitHub Actions or GitLab CI",
        help="elsewhere:  sfml validate SPEC…   sfml diff SPEC… --base REF -o markdown",
    )


def _of_github(environment: Mapping[str, str]) -> Occasion:
    if environment.get("GITHUB_EVENT_NAME") == "pull_request_target":
        raise UsageError(
            "`pull_request_target` gives the repository's own token to a job about foreign code",
            help="run this on `pull_request`: there a fork's comment goes into the summary",
        )
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    request = event.get("pull_request") or {}
    group = event.get("merge_group") or {}
    base = request.get("base") or {}
    ref = environment.get("GITHUB_REF", "")
    return Occasion(
        host="github",
        api=environment.get("GITHUB_API_URL", ""),
        graphql=environment.get("GITHUB_GRAPHQL_URL", ""),
        project=_project(environment.get("GITHUB_REPOSITORY", "")),
        number=_number(request.get("number")),
        base=_commit(base.get("sha") or group.get("base_sha") or event.get("before")),
        base_name=base.get("ref") or None,
        head_name=ref.removeprefix("refs/") if ref.startswith("refs/pull/") else None,
        merged=_commit(environment.get("GITHUB_SHA")) if re.fullmatch(r"refs/pull/\d+/merge", ref) else None,
        summary=_path(environment, "GITHUB_STEP_SUMMARY"),
        outputs=_path(environment, "GITHUB_OUTPUT"),
    )


def _of_gitlab(environment: Mapping[str, str]) -> Occasion:
    # Set only in pipelines for merged results; it is the commit of the target branch that was merged.
    target = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
    return Occasion(
        host="gitlab",
        api=environment.get("CI_API_V4_URL", ""),
        graphql="",
        project=_project(
            environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
        ),
        number=_number(environment.get("CI_MERGE_REQUEST_IID")),
        base=_commit(
            target
            or environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")
            or environment.get("CI_COMMIT_BEFORE_SHA")
        ),
        base_name=environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or None,
        head_name=None,
        merged=None,
        summary=None,
        outputs=None,
    )


def _event(path: str | None) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise SfmlError(f"the event of this job cannot be read: {cause}") from cause
    return event if isinstance(event, dict) else {}


def _project(text: str) -> str:
    if not _PROJECT.fullmatch(text):
        raise UsageError(f"`{text}` is not the name of a repository")
    return text


def _number(value: object) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None


def is_commit(text: str) -> bool:
    """Whether the text is a full commit hash."""
    return _COMMIT.fullmatch(text) is not None


def _commit(value: object) -> str | None:
    """The value if it is a full commit hash; None otherwise, and for the hash of zeros, which means no commit."""
    return value if isinstance(value, str) and is_commit(value) and not _NONE.fullmatch(value) else None


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None
