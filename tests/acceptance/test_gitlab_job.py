"""The job of the GitLab template, run in clones as a runner makes them, against a server that keeps notes."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ci_hosts import OWNER_TOKEN, STRANGER, Host, host
from ci_jobs import ROOT, Ran, gitlab_job
from kept_pip import python_with_kept_pip
from review_repository import Repository, repository_in

MARKER = "<!-- sfml diff -->"
BOT = "project_42_bot"


@pytest.fixture
def gitlab() -> Iterator[Host]:
    with host() as made:
        made.me = BOT
        yield made


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A clone of twenty commits that has a branch checked out, as a runner makes it, and lacks where it left `main`."""
    made = repository_in(tmp_path_factory.mktemp("origin"))
    made.git("checkout", "-q", "-b", "threshold")
    for number in range(30):
        made.git("commit", "-q", "--allow-empty", "-m", f"Note {number}")
    made.edit("specs/churn.yaml", "threshold: 0.75", "threshold: 0.6")
    made.commit("Lower the threshold")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    folder = tmp_path_factory.mktemp("builds") / "project"
    made.git(
        "clone", "-q", "--no-tags", "--depth=20", "--branch=threshold", made.folder.as_uri(), str(folder)
    )
    return Repository(folder)


def run(
    clone: Repository,
    gitlab: Host,
    token: str | None = OWNER_TOKEN,
    *,
    base: str | None = None,
    whole: Mapping[str, str] | None = None,
    **inputs: str,
) -> Ran:
    environment = {
        "CI_API_V4_URL": f"{gitlab.url}/api/v4",
        "CI_PROJECT_ID": "43",  # a fork's
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base or clone.git("ls-remote", "origin", "main").split()[0],
        **({} if token is None else {"SFML_GITLAB_TOKEN": token}),
        **(whole or {}),
    }
    venv = Path(sys.executable).parents[1] if whole is None else None
    ran = gitlab_job(clone.folder, venv, environment, specs="specs", **inputs)
    assert "Traceback" not in ran.log, ran.log
    assert token is None or token not in ran.log
    return ran


def test_the_first_run_comments_and_later_ones_update_that_note(clone: Repository, gitlab: Host) -> None:
    gitlab.add(STRANGER, f"{MARKER}\nlooks like ours")
    for number in range(130):
        gitlab.add("reviewer", f"remark {number}")
    ran = run(clone, gitlab)
    assert ran.code == 0, ran.log
    (note,) = gitlab.by(BOT)
    assert note.startswith(f"{MARKER}\n## `churn`: 1 task changed\n")
    assert ran.outputs["SFML_CHANGED"] == "true"
    assert f"--require-fingerprint {ran.outputs['SFML_FINGERPRINT']}" in note
    gitlab.comments[-1]["body"] = f"{MARKER}\nold"
    assert run(clone, gitlab).code == 0
    assert gitlab.by(BOT) == [note]
    assert gitlab.writes() == [
        "POST /api/v4/projects/42/merge_requests/7/notes",
        "PUT /api/v4/projects/42/merge_requests/7/notes/231",
    ]


@pytest.fixture(scope="module")
def template_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host with the project `tools/sfml`: what of this checkout the job installs, under the tag `v0`."""
    project = tmp_path_factory.mktemp("host") / "tools" / "sfml.git"
    names = (
        "pyproject.toml",
        "README.md",
        "requirements",
        "schemas",
        "compiler",
        "emulator",
        "steps/sfml_steps",
    )
    for name in names:
        source, copy = ROOT / name, project / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    made = Repository(project)
    made.git("init", "-q")
    # Of a thousand files, git would compress each into a file of its own; so it writes them into one.
    made.git("config", "core.compression", "0")
    made.git("config", "core.bigFileThreshold", "1")
    made.git("add", "-A")
    made.commit("Release")
    made.git("tag", "v0")
    return project.parents[1]


def test_it_installs_its_own_source_from_the_lock(
    clone: Repository, gitlab: Host, template_server: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """In a folder with modules of strangers, from the project and ref that it was included from."""
    assert request.config.cache is not None
    python = python_with_kept_pip(request.config.cache, tmp_path)
    where = {
        "CI_SERVER_URL": template_server.as_uri(),
        "CI_JOB_TOKEN": "job-token-3b",
        "PATH": f"{python.parent}:{os.environ['PATH']}",
    }
    ran = run(clone, gitlab, whole=where, project="tools/sfml", ref="v0")
    assert ran.code == 0, ran.log
    assert gitlab.by(BOT)[0].startswith(f"{MARKER}\n## `churn`: 1 task changed\n")
    assert "job-token-3b" not in ran.log


def test_a_ref_that_is_not_there_fails_before_anything_is_installed(
    clone: Repository, gitlab: Host, template_server: Path
) -> None:
    where = {"CI_SERVER_URL": template_server.as_uri(), "CI_JOB_TOKEN": "job-token-3b"}
    ran = run(clone, gitlab, whole=where, project="tools/sfml", ref="v9")
    assert ran.code != 0
    assert "couldn't find remote ref v9" in ran.log
    assert gitlab.requests == []


def test_findings_are_a_code_quality_report(clone: Repository, gitlab: Host) -> None:
    clone.edit("specs/report.yaml", "schedule: {schedule: manual}", "schedule: {schedule: manuel}")
    try:
        ran = run(clone, gitlab, comment="false")
    finally:
        clone.edit("specs/report.yaml", "manuel", "manual")
    assert ran.code == 1
    report = json.loads((clone.folder / "sfml-review" / "code-quality.json").read_text(encoding="utf-8"))
    assert str(len(report)) == ran.outputs["SFML_FINDINGS"]
    assert len({one["fingerprint"] for one in report}) == len(report)
    (error,) = (one for one in report if one["severity"] == "major")
    assert error["location"] == {"path": "specs/report.yaml", "lines": {"begin": 4}}
    assert set(error) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert gitlab.requests == []


def test_without_a_token_the_comment_is_in_the_log(clone: Repository, gitlab: Host) -> None:
    ran = run(clone, gitlab, None)
    assert ran.code == 0, ran.log
    assert "notice: no comment posted: this job has no token" in ran.log
    assert "\n  ## `churn`: 1 task changed\n" in ran.log
    assert (clone.folder / "sfml-review" / "comment.md").read_text(encoding="utf-8").startswith(MARKER)
    assert gitlab.comments == []


def test_files_stay_in_the_job_s_folder(clone: Repository, gitlab: Host, tmp_path: Path) -> None:
    """A folder of that name in the code under review may be a link to somewhere else."""
    out = clone.folder / "sfml-review"
    if out.exists():
        out.rename(tmp_path / "before")
    out.symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "comment.md").write_text("precious", encoding="utf-8")
    assert run(clone, gitlab, None).code == 0
    assert (tmp_path / "comment.md").read_text(encoding="utf-8") == "precious"


def test_a_base_that_nobody_has_is_said(clone: Repository, gitlab: Host) -> None:
    ran = run(clone, gitlab, base="1" * 40)
    assert ran.code == 1
    assert f"error: `{'1' * 40}` could not be fetched" in ran.log
    assert "GIT_DEPTH: 0 on GitLab" in ran.log
