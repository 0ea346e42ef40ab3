"""The GitHub Action, run step by step in clones as a runner makes them, against a server that keeps comments."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ci_hosts import BOT, OWNER_TOKEN, READER_TOKEN, Fault, Host, host
from ci_jobs import ROOT, Ran, action, install
from ci_private_git import private_git
from kept_bytecode import link_compiled
from kept_pip import python_with_kept_pip
from packaging.utils import canonicalize_name
from review_repository import Repository, repository_in

MARKER = "<!-- sfml diff -->"


@pytest.fixture
def github() -> Iterator[Host]:
    with host() as made:
        yield made


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose `main` went on after `threshold` left it, with the merge that the host tries."""
    made = repository_in(tmp_path_factory.mktemp("origin"))
    made.git("checkout", "-q", "-b", "threshold")
    made.edit("specs/churn.yaml", "threshold: 0.75", "threshold: 0.6")
    made.commit("Lower the threshold")
    made.git("checkout", "-q", "-b", "elsewhere", "main")
    made.write("README.md", "Pipelines\n")
    made.commit("Say what this is")
    made.git("checkout", "-q", "-b", "broken", "main")
    made.edit("specs/churn/job_config.yaml", "outcomes: [publish, alert]", "outcomes: [publich, alert]")
    made.commit("Mistype")
    made.git("checkout", "-q", "-b", "moved", "main")
    (made.folder / "ml").mkdir()
    made.git("mv", "specs", "steps", "sql", "sfml.yaml", "ml")
    made.edit("ml/specs/forecast.yaml", "every: 12h", "every: 12x")
    made.commit("Move")
    made.git("checkout", "-q", "main")
    made.edit("specs/report.yaml", "select 1", "select 2")
    made.commit("Report something else")
    for branch in ("threshold", "elsewhere", "broken", "moved"):
        made.git("checkout", "-q", "--detach", "main")
        made.git("merge", "-q", "--no-ff", "-m", "Try the merge", branch)
        made.git("update-ref", f"refs/pull/{branch}", "HEAD")
    made.git("checkout", "-q", "main")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return made


@dataclass(frozen=True)
class Runner:
    """A clone as actions/checkout makes it, and what the runner says about the pull request."""

    folder: Path
    temp: Path
    environment: Mapping[str, str]
    github: Host

    def act(self, token: str = OWNER_TOKEN, **inputs: str) -> Ran:
        ran = action(
            self.folder, self.temp, self.environment, token, **{"specs": "specs", "sarif": "false", **inputs}
        )
        assert "Traceback" not in ran.log, ran.log
        assert OWNER_TOKEN not in ran.log + ran.summary
        assert READER_TOKEN not in ran.log + ran.summary
        return ran

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ("git", *arguments), cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()


def add_code_of_a_stranger(folder: Path) -> None:
    """Modules that `python -m` would find before those that are meant."""
    names = (
        "json",
        "sitecustomize",
        "venv",
        "pip/__init__",
        "pip/__main__",
        "sfml/__init__",
        "sfml/ci/__main__",
    )
    for name in names:
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("raise SystemExit('code of a stranger ran')\n", encoding="utf-8")


def test_it_installs_what_the_lock_names(temp: Path) -> None:
    python = str(temp / "sfml" / "bin" / "python")
    listed = subprocess.run(
        (python, "-I", "-m", "pip", "list", "--format=json"), capture_output=True, text=True, check=True
    ).stdout
    pins = {f"{canonicalize_name(one['name'])}=={one['version']}" for one in json.loads(listed)}
    others = {pin for pin in pins if not pin.startswith(("pip==", "setuptools==", "sfml-snowflake=="))}
    lock = (ROOT / "requirements" / "core.txt").read_text(encoding="utf-8")
    assert len(others) > 10
    assert others <= set(re.findall(r"^\S+==\S+", lock, re.MULTILINE))


def test_what_has_another_hash_is_not_installed(python: Path, tmp_path: Path) -> None:
    """As it is when somebody has put other files under a version that is in the lock."""
    (tmp_path / "requirements").mkdir()
    lock = (ROOT / "requirements" / "core.txt").read_text(encoding="utf-8")
    planted = re.sub(r"(?<=sha256:)[0-9a-f]{64}", "0" * 64, lock)
    (tmp_path / "requirements" / "core.txt").write_text(planted, encoding="utf-8")
    with pytest.raises(AssertionError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        install(tmp_path, tmp_path, python, source=tmp_path)


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the action makes its environment with."""
    assert request.config.cache is not None
    return python_with_kept_pip(request.config.cache, tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def temp(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the action installs itself, from this checkout, once."""
    folder, made = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("runner")
    add_code_of_a_stranger(folder)
    assert "stranger" not in install(folder, made, python)
    (packages,) = (made / "sfml" / "lib").glob("python*/site-packages")
    linked = link_compiled(packages)
    assert linked > 100 or packages.stat().st_dev != ROOT.stat().st_dev
    return made


def basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def runner_for(
    origin: Repository,
    github: Host,
    temp: Path,
    folder: Path,
    branch: str = "threshold",
    depth: int | None = 2,
) -> Runner:
    folder.mkdir()
    depths = () if depth is None else (f"--depth={depth}",)
    for words in (
        ("init", "-q"),
        ("remote", "add", "origin", origin.folder.as_uri()),
        ("fetch", "-q", "--no-tags", *depths, "origin", f"+refs/pull/{branch}:refs/remotes/pull/7/merge"),
        ("checkout", "-q", "--detach", "refs/remotes/pull/7/merge"),
    ):
        subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True)
    base = origin.git("rev-parse", "main^").strip()  # as events have it: not always the newest
    event = temp / "event.json"
    event.write_text(
        json.dumps({"pull_request": {"number": 7, "base": {"sha": base, "ref": "main"}}}), encoding="utf-8"
    )
    environment = {
        "GITHUB_API_URL": github.url,
        "GITHUB_GRAPHQL_URL": f"{github.url}/graphql",
        "GITHUB_SERVER_URL": github.url,
        "GITHUB_REPOSITORY": "OWNER/project",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_SHA": origin.git("rev-parse", f"refs/pull/{branch}").strip(),
    }
    return Runner(folder, temp, environment, github)


@pytest.fixture
def runner(origin: Repository, github: Host, temp: Path, tmp_path: Path) -> Runner:
    return runner_for(origin, github, temp, tmp_path / "clone")


def test_the_first_run_comments_and_later_ones_update_that_comment(runner: Runner) -> None:
    ran = runner.act(sarif="true")
    assert ran.code == 0, ran.log
    (comment,) = runner.github.by(BOT)
    assert comment.startswith(f"{MARKER}\n## `churn`: 1 task changed\n")
    assert "`origin/main` at `" in comment and "→ `pull/7/merge` at `" in comment
    assert "report" not in comment  # what main did since the branch left it is no part of the change
    assert ran.outputs["changed"] == "true"
    assert int(ran.outputs["findings"]) == ran.log.count("::warning file=specs/")
    assert f"--require-fingerprint {ran.outputs['fingerprint']}" in comment
    assert json.loads(ran.outputs["fingerprints"]) == {
        "specs/churn.yaml": {"prod": ran.outputs["fingerprint"]}
    }
    assert json.loads(Path(ran.uploaded or "").read_text(encoding="utf-8"))["version"] == "2.1.0"

    assert runner.github.writes() == ["POST /repos/OWNER/project/issues/7/comments"]
    runner.github.comments[0]["body"] = f"{MARKER}\nas it was before the last push"
    assert "comment updated" in runner.act().log
    assert runner.github.by(BOT) == [comment]


def test_a_token_that_may_not_write_leaves_the_comment_in_the_summary(runner: Runner) -> None:
    ran = runner.act(token=READER_TOKEN)
    assert ran.code == 0, ran.log
    assert runner.github.comments == []
    assert ran.summary.startswith(f"{MARKER}\n## `churn`: 1 task changed")
    assert "::notice title=sfml::no comment posted: this job's token may not" in ran.log
    assert "403 Resource not accessible by integration" in ran.log


def test_a_host_that_keeps_failing_fails_the_job_and_says_so(runner: Runner) -> None:
    runner.github.faults = [Fault("GET", 503, times=99, headers={"Retry-After": "0"})]
    ran = runner.act()
    assert ran.code == 1
    assert "::error title=sfml::the comment could not be posted: GET " in ran.log
    assert ran.log.count("503 Server Error; once more in 0 s") == 3
    assert "## `churn`" in ran.summary
    assert ran.outputs["changed"] == "true", "later steps know all the same"


def test_a_change_that_reaches_no_pipeline_makes_no_comment(
    origin: Repository, github: Host, temp: Path, tmp_path: Path
) -> None:
    runner = runner_for(origin, github, temp, tmp_path / "clone", "elsewhere")
    ran = runner.act()
    assert (ran.code, ran.outputs["changed"], github.comments) == (0, "false", [])
    assert "no comment: the change reaches no pipeline" in ran.log


def test_errors_are_marked_at_their_lines_and_commented_and_fail_the_job(
    origin: Repository, github: Host, temp: Path, tmp_path: Path
) -> None:
    ran = runner_for(origin, github, temp, tmp_path / "clone", "broken").act(sarif="true")
    assert ran.code == 1
    assert "::error file=specs/churn/job_config.yaml,line=19,col=16," in ran.log
    assert int(ran.outputs["findings"]) >= 1
    assert "publich" in github.by(BOT)[0]
    results = json.loads(Path(ran.uploaded or "").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert len(results) == int(ran.outputs["findings"])


def test_what_a_private_repository_has_is_fetched_with_the_token(
    origin: Repository, runner: Runner, tmp_path: Path
) -> None:
    """`persist-credentials: false` leaves the clone without any."""
    with private_git(origin.folder.parent, OWNER_TOKEN) as server:
        folder = tmp_path / "private"
        folder.mkdir()
        url = f"{server}/{origin.folder.name}/.git"
        header = f"http.extraHeader=AUTHORIZATION: basic {basic(OWNER_TOKEN)}"
        for words in (
            ("init", "-q"),
            ("remote", "add", "origin", url),
            ("-c", header, "fetch", "-q", "--depth=1", "origin", "refs/pull/threshold"),
            ("checkout", "-q", "FETCH_HEAD"),
        ):
            subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True)
        asked = replace(
            runner, folder=folder, environment={**runner.environment, "GITHUB_SERVER_URL": server}
        )
        ran = asked.act()
    assert ran.code == 0, ran.log
    assert basic(OWNER_TOKEN) not in ran.log
    assert runner.github.by(BOT)[0].startswith(f"{MARKER}\n## `churn`: 1 task changed\n")
    assert "AUTHORIZATION" not in (folder / ".git" / "config").read_text(encoding="utf-8")


def test_a_project_in_a_folder_of_the_repository(
    origin: Repository, github: Host, temp: Path, tmp_path: Path
) -> None:
    ran = runner_for(origin, github, temp, tmp_path / "clone", "moved").act(working_directory="ml")
    assert ran.code == 1
    assert "::error file=ml/specs/forecast.yaml,line=" in ran.log
    assert "`ml/specs/forecast.yaml`" in github.by(BOT)[0]


@pytest.mark.parametrize("depth", [1, None])
def test_what_a_clone_lacks_is_fetched(
    origin: Repository, github: Host, temp: Path, tmp_path: Path, depth: int | None
) -> None:
    runner = runner_for(origin, github, temp, tmp_path / "clone", depth=depth)
    assert runner.act().code == 0
    assert github.by(BOT)[0].startswith(f"{MARKER}\n## `churn`: 1 task changed\n")


def test_a_branch_that_is_checked_out_by_itself_is_compared_with_where_it_left(
    origin: Repository, github: Host, temp: Path, tmp_path: Path
) -> None:
    runner = runner_for(origin, github, temp, tmp_path / "clone", depth=1)
    runner.git("fetch", "-q", "--depth=1", "origin", "threshold")
    runner.git("checkout", "-q", "FETCH_HEAD")
    assert runner.act().code == 0
    assert "report" not in github.by(BOT)[0]
    again = runner.act(base="main", key="main", target="local")
    assert "git fetch" not in again.log
    assert [body.split("\n", 1)[0] for body in github.by(BOT)] == [MARKER, "<!-- sfml diff main -->"]


def test_nothing_of_the_code_under_review_runs(runner: Runner) -> None:
    add_code_of_a_stranger(runner.folder)
    (runner.folder / "steps" / "churn" / "gate.py").write_text(
        "print('code of a stranger ran')\n" + (runner.folder / "steps/churn/gate.py").read_text(),
        encoding="utf-8",
    )
    ran = runner.act()
    assert ran.code == 0, ran.log
    assert "stranger" not in ran.log


def test_inputs_are_words_and_no_script(runner: Runner) -> None:
    ran = runner.act(target="$(touch pwned); `touch pwned` ' \"")
    assert ran.code == 1
    assert not list(runner.folder.rglob("pwned"))
    assert runner.github.comments == []


def test_without_a_pull_request_the_summary_says_what_changed(runner: Runner) -> None:
    runner = replace(runner, environment={**runner.environment, "GITHUB_REF": "refs/heads/main"})
    (runner.temp / "event.json").write_text(
        json.dumps({"before": runner.git("rev-parse", "HEAD^1")}), encoding="utf-8"
    )
    ran = runner.act()
    assert ran.code == 0
    assert "## `churn`" in ran.summary
    (runner.temp / "event.json").write_text("{}", encoding="utf-8")
    ran = runner.act()
    assert (ran.code, ran.summary) == (0, "")
    assert "::notice title=sfml::nothing to compare with" in ran.log
