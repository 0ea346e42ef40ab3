"""Where git is asked at all: its search for a repository is not repeated by a process that would find none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sfml.base.git_process import git_text, may_have_repository


@pytest.fixture(autouse=True)
def _without_a_chosen_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_DIR", raising=False)


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each git that was started."""
    lines, git = tmp_path / "started", tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\necho git >> '{lines}'\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(git.parent), prepend=os.pathsep)
    return lines


def made(folder: Path, *arguments: str) -> Path:
    subprocess.run(("git", "init", "-q", *arguments, str(folder)), check=True, capture_output=True)
    return folder


def test_no_git_is_started_where_no_folder_above_has_a_repository(counted: Path, tmp_path: Path) -> None:
    assert git_text(tmp_path, "rev-parse", "HEAD") is None
    assert not counted.exists()
    (tmp_path / ".git").mkdir()
    assert git_text(tmp_path, "rev-parse", "HEAD") == ""
    assert counted.read_text() == "git\n"


def test_a_repository_is_found_from_below_and_over_a_link(tmp_path: Path) -> None:
    inner = made(tmp_path / "project") / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inner)
    for folder in (inner, tmp_path / "link"):
        assert git_text(folder, "rev-parse", "--show-prefix") == "a/b/\n"


def test_a_file_that_leads_to_a_repository_is_found(tmp_path: Path) -> None:
    made(tmp_path / "project", f"--separate-git-dir={tmp_path / 'kept'}")
    assert git_text(tmp_path / "project", "rev-parse", "--is-inside-work-tree") == "true\n"


def test_a_repository_without_a_work_tree_is_found(tmp_path: Path) -> None:
    assert git_text(made(tmp_path / "bare", "--bare"), "rev-parse", "--is-bare-repository") == "true\n"


def test_a_repository_that_the_environment_names_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = made(tmp_path / "elsewhere")
    (tmp_path / "project").mkdir()
    assert not may_have_repository(tmp_path / "project")
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    assert git_text(tmp_path / "project", "rev-parse", "--git-dir") is not None
