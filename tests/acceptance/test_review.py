"""Pull requests of every kind on a repository of three pipelines, each with the comment that a reviewer gets.

With SFML_UPDATE_GOLDENS=1 the comments are written anew; fingerprints, which change with the tool, are left out.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import fork_server
import jsonschema
import pytest
from tests.acceptance.conftest import ROOT, SFML, Done
from tests.acceptance.review_repository import PULL_REQUESTS, Repository, repository_in, with_pull_requests

GOLDENS = Path(__file__).parent / "review"
PAGE = ROOT / "docs" / "review.md"
_MASKS = ((re.compile(r"\b[0-9a-f]{64}\b"), "‹fingerprint›"), (re.compile(r"\b[0-9a-f]{12}\b"), "‹code›"))


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return with_pull_requests(tmp_path_factory.mktemp("reviewed"))


def diff(it: Repository, *arguments: str, folder: Path | None = None) -> Done:
    done = fork_server.run(
        (str(SFML), "diff", *arguments), cwd=folder or it.folder, env=os.environ, timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def file_of(branch: str) -> Path:
    return GOLDENS / f"{re.sub('[^a-z-]', '', branch)}.md"


@pytest.mark.parametrize("branch", PULL_REQUESTS)
def test_the_comment_reads_as_agreed(reviewed: Repository, branch: str) -> None:
    done = diff(reviewed, "specs", "--base", "main", "--head", branch, "-o", "markdown")
    printed = masked(done.out)
    golden = file_of(branch)
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(printed, encoding="utf-8")
    assert printed == golden.read_text(encoding="utf-8")
    assert done.code == (1 if branch == "broken" else 0)


def test_there_is_no_comment_without_a_pull_request() -> None:
    assert {path.name for path in GOLDENS.iterdir()} == {file_of(branch).name for branch in PULL_REQUESTS}


def test_the_page_shows_a_real_comment() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    comment = file_of("threshold").read_text(encoding="utf-8")
    assert comment.strip() in shown.replace("\n    ", "\n"), (
        "docs/review.md shows another comment than diff writes"
    )


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((ROOT / "schemas" / "output" / "diff.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("branch", ["step-code", "task-renamed", "broken", "removed-and-another-schema"])
def test_the_json_is_as_its_schema_says(reviewed: Repository, schema: Any, branch: str) -> None:
    found = diff(reviewed, "specs", "--base", "main", "--head", branch, "-o", "json").json
    jsonschema.validate(found, schema)
    assert found["head"]["ref"] == branch


def test_another_clone_in_another_folder_gives_the_same_bytes(reviewed: Repository, tmp_path: Path) -> None:
    other = with_pull_requests(tmp_path / "elsewhere" / "deeper")
    branch = "schedule-over-a-clock-change"
    arguments = ("--base", "main", "--head", branch, "-o", "markdown")
    one = diff(reviewed, "specs", *arguments).out
    inside = diff(other, "churn.yaml", "*.yaml", *arguments, folder=other.folder / "specs").out
    assert one and one == inside


def test_without_a_spec_it_is_the_project_and_a_name_is_its_file(reviewed: Repository) -> None:
    branch = next(iter(PULL_REQUESTS))
    sides = ("--base", "main", "--head", branch)
    assert diff(reviewed, *sides).out == diff(reviewed, ".", *sides).out
    below = reviewed.folder / "specs"
    assert diff(reviewed, *sides, folder=below).out == diff(reviewed, ".", *sides).out
    named = diff(reviewed, "churn", *sides)
    assert named.out == diff(reviewed, "specs/churn.yaml", *sides).out != ""


def test_the_work_tree_counts_with_what_is_not_committed(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    assert diff(it, "specs", "--base", "main", "--detailed-exitcode").code == 0
    it.edit("specs/report.yaml", "select 1", "select 2")
    it.write("specs/extra.yaml", "version: 1\npipeline: extra\ngraph: {tasks: {one: {sql: select 1}}}\n")
    done = diff(it, "specs", "--base", "main", "--detailed-exitcode", "-o", "json")
    found = {one["pipeline"]: one["status"] for one in done.json["pipelines"]}
    assert found == {"extra": "added", "report": "changed"}
    assert done.code == 2
    assert done.json["untouched"] == 2


def test_what_main_did_since_is_no_part_of_the_change(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    it.git("checkout", "-q", "-b", "change")
    it.edit("specs/report.yaml", "select 1", "select 2")
    it.commit("Change the report")
    it.git("checkout", "-q", "main")
    it.edit("specs/forecast.yaml", "12h", "6h")
    it.commit("Forecast more often")
    found = diff(it, "specs", "--base", "main", "--head", "change", "-o", "json").json
    assert [one["pipeline"] for one in found["pipelines"]] == ["report"]


def test_moving_yaml_is_said_to_be_no_change(reviewed: Repository) -> None:
    done = diff(reviewed, "specs", "--base", "main", "--head", "moved-without-meaning", "--detailed-exitcode")
    assert done.code == 0
    assert "no change of meaning" in done.out


def test_an_apply_takes_what_was_reviewed_and_nothing_else(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    it.edit("specs/report.yaml", "select 1", "select 2")
    found = diff(it, "specs/report.yaml", "--base", "main", "-t", "local", "-o", "json").json
    fingerprint = found["pipelines"][0]["targets"]["local"]["fingerprint"]
    it.edit("specs/report.yaml", "select 2", "select 3")
    apply = (str(SFML), "apply", "specs/report.yaml", "--require-fingerprint", fingerprint)
    refused = fork_server.run(apply, cwd=it.folder, env=os.environ, timeout=300)
    assert refused.returncode == 1
    assert "is not what was reviewed" in refused.stderr
    assert not (it.folder / ".sfml").exists()
    it.edit("specs/report.yaml", "select 3", "select 2")
    taken = fork_server.run((*apply, "--dry-run"), cwd=it.folder, env=os.environ, timeout=300)
    assert taken.returncode == 0, taken.stderr


def test_changed_seed_data_is_said_though_no_apply_brings_it(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    it.write("data/orders.csv", "id\n1\n")
    it.edit("specs/report.yaml", "graph:", "seeds: {ORDERS: ../data/orders.csv}\ngraph:")
    it.commit("Seed orders")
    it.write("data/orders.csv", "id\n2\n")
    done = diff(it, "specs", "--base", "main")
    assert "no change of meaning: 1 pipeline is deployed as before" in done.out
    assert "`data/orders.csv`, the seed of `ORDERS` in `report`, is changed" in done.out
