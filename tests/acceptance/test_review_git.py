"""Git under `sfml diff`: nothing of a repository runs, nothing in it moves, and what it has not is said."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from tests.acceptance.conftest import SFML, Done
from tests.acceptance.review_repository import Repository, repository_in


def diff(it: Repository, *arguments: str, folder: Path | None = None, **environment: str) -> Done:
    done = subprocess.run(
        (str(SFML), "diff", *arguments),
        cwd=folder or it.folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of the repository, git's own included, with its time and content."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def it(tmp_path: Path) -> Repository:
    return repository_in(tmp_path / "repository")


def test_nothing_that_the_repository_configures_is_run(it: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho $0 $@ >> {ran}\ncat\n", encoding="utf-8")
    script.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "post-checkout", "reference-transaction", "pre-auto-gc"):
        (hooks / name).symlink_to(script)
    it.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    it.commit("Attributes")
    for key in ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv"):
        it.git("config", key, str(script))
    for key in (
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "gpg.program",
        "core.editor",
    ):
        it.git("config", key, str(script))
    it.git("config", "diff.evil.command", str(script))
    it.git("config", "filter.evil.required", "true")
    it.git("config", "log.showSignature", "true")
    it.git("config", "core.hooksPath", str(hooks))
    it.git("config", "alias.ls-tree", f"!{script}")
    it.edit("specs/report.yaml", "select 1", "select 2")
    (it.folder / "specs" / "churn.yaml").touch()
    for arguments in (("--base", "main"), ("--base", "HEAD~1", "--head", "main")):
        assert diff(it, "specs", *arguments).code == 0
    assert not ran.exists(), ran.read_text(encoding="utf-8")
    subprocess.run(("git", "status"), cwd=it.folder, capture_output=True, check=False)
    assert ran.exists(), "the test could not have failed"


def test_no_step_is_imported_and_no_file_of_the_repository_is_touched(it: Repository, tmp_path: Path) -> None:
    trap = f"import pathlib\npathlib.Path({str(tmp_path / 'imported')!r}).touch()\n"
    for name in ("steps/churn/features.py", "steps/churn/__init__.py", "sitecustomize.py", "conftest.py"):
        old = (it.folder / name).read_text(encoding="utf-8") if (it.folder / name).exists() else ""
        it.write(name, trap + old)
    it.commit("Traps")
    it.edit("specs/report.yaml", "select 1", "select 2")
    before = state_of(it.folder)
    assert diff(it, "specs", "--base", "HEAD~1").code == 0
    assert diff(it, "specs", "--base", "HEAD~1", "--head", "HEAD").code == 0
    assert state_of(it.folder) == before
    assert not (tmp_path / "imported").exists()


def test_links_are_followed_inside_and_refused_outside(it: Repository, tmp_path: Path) -> None:
    secret = tmp_path / "secret.sql"
    secret.write_text("select 'secret of another folder'", encoding="utf-8")
    it.write("sql/real.sql", "select 'inside'")
    for name, target in (
        ("inside.sql", "real.sql"),
        ("out.sql", str(secret)),
        ("climbing.sql", "../../secret.sql"),
        ("here", "."),
        ("chained.sql", "here/here/../../../secret.sql"),
    ):
        (it.folder / "sql" / name).symlink_to(target)
        it.write(
            f"specs/{name.removesuffix('.sql')}.yaml",
            f"version: 1\npipeline: {name.removesuffix('.sql')}\n"
            f"graph: {{tasks: {{one: {{sql: {{file: ../sql/{name}}}}}}}}}\nschedule: {{schedule: manual}}\n",
        )
    it.commit("Links")
    done = diff(it, "specs", "--base", "HEAD~1", "--head", "HEAD", "-t", "local", "-o", "json")
    assert "secret of another folder" not in done.text
    found = {one["pipeline"]: one for one in done.json["pipelines"]}
    assert found["inside"]["status"] == "added"
    for name in ("out", "climbing", "chained"):
        assert found[name]["status"] == "broken", name
    assert sum("is a link that leads out" in note for note in done.json["notes"]) == 3
    assert done.code == 1


def test_submodules_are_said_not_to_be_compared(it: Repository) -> None:
    commit = it.git("rev-parse", "HEAD").strip()
    it.git("update-index", "--add", "--cacheinfo", f"160000,{commit},steps/lib")
    it.git("commit", "-q", "-m", "A submodule")
    it.edit("steps/churn/train.py", "0.5", "0.6")
    it.git("commit", "-q", "-am", "Change a step")
    done = diff(it, "specs", "--base", "HEAD~1", "--head", "HEAD")
    assert "`steps/lib` is a submodule: what is in it is not compared" in done.out


def pointer(content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(content)}\n"


def test_files_in_lfs_are_read_where_they_are_and_missed_where_they_are_not(it: Repository) -> None:
    old, new = b"select 'old'", b"select 'new'"
    it.write("sql/publish.sql", pointer(old))
    it.commit("Keep it in LFS")
    it.write("sql/publish.sql", pointer(new))
    it.commit("Another one")
    arguments = ("specs/churn.yaml", "--base", "HEAD~1", "--head", "HEAD", "-t", "local")
    missed = diff(it, *arguments)
    assert missed.code == 1
    assert "`sql/publish.sql` is kept in Git LFS, and what it holds is not here" in missed.out
    for content in (old, new):
        sha256 = hashlib.sha256(content).hexdigest()
        kept = it.folder / ".git" / "lfs" / "objects" / sha256[:2] / sha256[2:4] / sha256
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(content)
    read = diff(it, *arguments)
    assert read.code == 0
    assert "select 'old' → select 'new'" in read.out


def test_a_clone_that_is_too_shallow_says_what_to_fetch(it: Repository, tmp_path: Path) -> None:
    it.git("checkout", "-q", "-b", "change")
    it.edit("specs/report.yaml", "select 1", "select 2")
    it.commit("Change the report")
    it.git("checkout", "-q", "main")
    it.edit("specs/forecast.yaml", "12h", "6h")
    it.commit("Go on")
    it.git(
        "clone", "-q", "--depth", "1", "--branch", "change", f"file://{it.folder}", str(tmp_path / "shallow")
    )
    clone = Repository(tmp_path / "shallow")
    unknown = diff(clone, "specs", "--base", "origin/main")
    assert unknown.code == 2
    assert "git fetch origin main:refs/remotes/origin/main" in unknown.err
    clone.git("fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main")
    shallow = diff(clone, "specs", "--base", "origin/main")
    assert shallow.code == 2
    assert "too shallow" in shallow.err and "git fetch --unshallow" in shallow.err
    clone.git("fetch", "-q", "--unshallow")
    assert "report" in diff(clone, "specs", "--base", "origin/main").out


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=touch x", "-h", "main:specs", "", "a b"])
def test_what_is_no_commit_is_refused(it: Repository, ref: str) -> None:
    for arguments in ((f"--base={ref}",), ("--base", "main", f"--head={ref}")):
        done = diff(it, "specs", *arguments)
        assert done.code == 2
        assert "is not a commit of this repository" in done.err


def test_unrelated_histories_have_no_base(it: Repository) -> None:
    it.git("checkout", "-q", "--orphan", "other")
    it.git("commit", "-q", "-m", "Begin anew")
    done = diff(it, "specs", "--base", "main")
    assert done.code == 2
    assert "no history in common" in done.err


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    done = diff(Repository(tmp_path), "specs", "--base", "main")
    assert done.code == 1
    assert "in no git work tree" in done.err


@pytest.mark.parametrize("spec", ["nothing", "specs/none*.yaml", "README.md"])
def test_a_spec_that_is_on_neither_side_is_refused(it: Repository, spec: str) -> None:
    done = diff(it, "specs", spec, "--base", "main")
    assert done.code == 2
    assert f"`{spec}` names no pipeline" in done.err


def test_a_spec_outside_of_the_repository_is_refused(it: Repository) -> None:
    done = diff(it, "../specs", "--base", "main")
    assert done.code == 2
    assert "is not in this repository" in done.err


def test_a_project_in_a_folder_is_named_from_the_top(it: Repository) -> None:
    it.git("checkout", "-q", "-b", "moved")
    (it.folder / "ml").mkdir()
    for name in ("sfml.yaml", "specs", "steps", "sql"):
        it.git("mv", name, f"ml/{name}")
    it.commit("Move the project")
    it.edit("ml/specs/churn.yaml", "threshold: 0.75", "threshold: 0.6")
    it.edit("ml/specs/report.yaml", "select 1", "select 2")
    (found,) = diff(it, "specs/churn.yaml", "--base", "moved", "-o", "json", folder=it.folder / "ml").json[
        "pipelines"
    ]
    assert [file["path"] for file in found["files"]] == ["ml/specs/churn.yaml"]
    done = diff(it, ".", "--base", "moved", "-t", "prod", folder=it.folder / "ml")
    assert "ml/specs/churn.yaml:9" in done.out and "ml/specs/report.yaml:3" in done.out


def test_git_settings_of_the_environment_are_kept(it: Repository) -> None:
    """Continuous integration trusts folders by them."""
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    assert diff(it, "specs", "--base", "main", **given).code == 0
