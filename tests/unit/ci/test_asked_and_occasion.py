"""What a job is asked for, and what its host says about why it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfml.base.errors import SfmlError, UsageError
from sfml.ci.job_inputs import asked_of
from sfml.ci.occasion import occasion_of

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "OWNER/project"}
GITLAB = {"GITLAB_CI": "true", "CI_PROJECT_ID": "42"}
ONE, TWO, NONE = "1" * 40, "2" * 40, "0" * 40


def test_specs_are_lines_and_start_at_the_top_of_the_repository() -> None:
    asked = asked_of({"SFML_SPECS": "specs\n\n  a folder/*.yaml \n/elsewhere\n../shared"})
    assert asked.specs == ("specs", "a folder/*.yaml", "/elsewhere", "../shared")
    assert asked.specs_from("ml/") == ("ml/specs", "ml/a folder/*.yaml", "/elsewhere", "shared")
    assert asked_of({}).specs_from("") == (".",)
    assert asked_of({}).specs_from("ml/") == ("ml",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SFML_SPECS", "specs\n--fix"),
        ("SFML_BASE", "--upload-pack=touch"),
        ("SFML_KEY", "a -->"),
        ("SFML_KEY", "x" * 41),
        ("SFML_COMMENT", "yes"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError):
        asked_of({name: value})


def test_a_token_is_not_shown_by_what_holds_it() -> None:
    asked = asked_of({"SFML_TOKEN": "tok-1"})
    assert asked.token == "tok-1"
    assert "tok-1" not in repr(asked)
    assert asked_of({"SFML_TOKEN": "", "SFML_GITLAB_TOKEN": "tok-2"}).token == "tok-2"


@pytest.mark.parametrize(
    ("event", "base", "number"),
    [
        ({"pull_request": {"number": 7, "base": {"sha": ONE, "ref": "main"}}}, ONE, 7),
        ({"merge_group": {"base_sha": ONE}}, ONE, None),
        ({"before": ONE}, ONE, None),
        ({"before": NONE}, None, None),
        ({"before": "--output=x"}, None, None),
        ({"pull_request": None}, None, None),
        ({}, None, None),
        ([], None, None),
    ],
)
def test_events_of_github(event: object, base: str | None, number: int | None, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event), encoding="utf-8")
    found = occasion_of({**GITHUB, "GITHUB_EVENT_PATH": str(file)})
    assert (found.base, found.number) == (base, number)


@pytest.mark.parametrize(
    ("ref", "merged", "name"),
    [
        ("refs/pull/7/merge", TWO, "pull/7/merge"),
        ("refs/pull/7/head", None, "pull/7/head"),
        ("refs/heads/x", None, None),
    ],
)
def test_only_a_trial_merge_is_taken_for_one(ref: str, merged: str | None, name: str | None) -> None:
    found = occasion_of({**GITHUB, "GITHUB_REF": ref, "GITHUB_SHA": TWO})
    assert (found.merged, found.head_name) == (merged, name)


def test_a_merged_result_of_gitlab_is_compared_with_what_it_was_merged_with() -> None:
    request = {**GITLAB, "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": ONE}
    assert occasion_of(request).base == ONE
    assert occasion_of({**request, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": TWO}).base == TWO
    assert occasion_of({**GITLAB, "CI_COMMIT_BEFORE_SHA": NONE}).base is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {**GITHUB, "GITHUB_REPOSITORY": "OWNER/../user"},
        {**GITLAB, "CI_PROJECT_ID": "1/../../user"},
        {**GITHUB, "GITHUB_EVENT_NAME": "pull_request_target"},
        {**GITHUB, "GITHUB_EVENT_PATH": "/nowhere/event.json"},
    ],
)
def test_what_is_no_job_to_work_in_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SfmlError):
        occasion_of(environment)
