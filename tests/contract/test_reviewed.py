"""Production takes committed specs and code only; development deploys with the schedule off unless asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import validate

from sfml.cli.entry import run
from sfml.graph.model import Target
from sfml.snowflake.connection import open_local
from sfml.snowflake.sql import records, rows
from sfml_local.http.app import LocalServer

PROJECT = """
version: 1
targets:
  prod: {connection: here, database: ML, schema: PROD, warehouse: LOCAL_WH, mode: production}
  dev: {connection: here, database: ML, schema: DEV, warehouse: LOCAL_WH, mode: development, default: true}
"""
SPEC = """
version: 1
pipeline: clv
graph:
  tasks:
    count: {sql: {file: count.sql}}
    fit: {step: mine.steps.fit, after: [count]}
schedule: {every: 12h}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        connection = open_local(server.connect_args(), Target("local", "local", "ML", "PROD", "LOCAL_WH"))
        for statement in ("CREATE DATABASE ML", "CREATE SCHEMA ML.PROD", "CREATE SCHEMA ML.DEV"):
            rows(connection, statement)
        connection.close()
        yield server


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(("git", *who, *arguments), cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of a repository, all of it committed."""
    place = server.connect_args()
    keys = ("account", "user", "password", "host", "port", "protocol")
    lines = [f"{key} = {json.dumps(place[key])}" for key in keys]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[here]", *lines]))
    folder = tmp_path / "ml project"
    steps = folder / "steps" / "mine"
    steps.mkdir(parents=True)
    (folder / "sfml.yaml").write_text(PROJECT)
    (folder / "clv.yaml").write_text(SPEC)
    (folder / "count.sql").write_text("select 1\n")
    (steps / "__init__.py").write_text("")
    (steps / "steps.py").write_text(
        "from sfml_steps import Context, step\nfrom mine import helping\n\n\n@step\ndef fit(ctx: Context) -> None:\n"
        "    helping.help()\n"
    )
    (steps / "helping.py").write_text("def help() -> None:\n    pass\n")
    (tmp_path / ".gitignore").write_text("secret*.py\n__pycache__/\n.sfml/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.chdir(folder)
    return folder


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["apply", "clv.yaml", "-t", "prod", "--auto-approve"]) == 1
    told = capsys.readouterr().err
    assert "target `prod` is production" in told
    return told


def test_a_committed_project_is_applied_with_its_schedule_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["apply", "clv.yaml", "-t", "prod", "--auto-approve"]) == 0, capsys.readouterr()
    assert state("PROD", project) == "started"


def state(schema: str, project: Path) -> str:
    from sfml.snowflake.connection import open_named

    connection = open_named("here")
    try:
        shown = records(connection, f"SHOW TASKS LIKE 'CLV' IN SCHEMA ML.{schema}")
        return str(shown[0]["state"])
    finally:
        connection.close()


def test_development_deploys_with_the_schedule_off_unless_asked(project: Path) -> None:
    (project / "count.sql").write_text("select 2\n")
    assert run(["apply", "clv.yaml", "--auto-approve"]) == 0
    assert state("DEV", project) == "suspended"
    assert run(["apply", "clv.yaml", "--auto-approve", "--resume"]) == 0
    assert state("DEV", project) == "started"
    # It stays as somebody wanted it.
    (project / "count.sql").write_text("select 3\n")
    assert run(["apply", "clv.yaml", "--auto-approve"]) == 0
    assert state("DEV", project) == "started"


def test_changed_and_untracked_files_are_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "count.sql").write_text("select 4\n")
    (project / "steps" / "mine" / "helping.py").write_text("def help() -> None:\n    print('other')\n")
    (project / "notes — old.md").write_text("x")
    told = refused(capsys)
    assert "3 files are not committed" in told
    for name in ("count.sql (used", "steps/mine/helping.py (used", "notes — old.md\n"):
        assert name in told


def test_a_step_that_git_ignores_is_seen_by_its_use(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "steps" / "mine" / "secret_trick.py").write_text("X = 1\n")
    path = project / "steps" / "mine" / "helping.py"
    path.write_text("from mine import secret_trick\n\n\ndef help() -> None:\n    print(secret_trick.X)\n")
    git(project, "commit", "-q", "-a", "-m", "use it")
    told = refused(capsys)
    assert "1 file is not committed" in told
    assert "steps/mine/secret_trick.py (used, but not tracked as it is)" in told


def test_a_file_that_git_was_told_to_leave_alone_is_seen_by_its_content(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project, "update-index", "--assume-unchanged", "count.sql")
    (project / "count.sql").write_text("select 'sneaked in'\n")
    assert "count.sql (used, but not tracked as it is)" in refused(capsys)


def test_many_files_are_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(14):
        (project / f"note{number:02}.md").write_text("x")
    told = refused(capsys)
    assert "14 files are not committed" in told
    assert "… and 4 more" in told


def test_without_a_repository_it_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert "not in a git work tree with a commit" in refused(capsys)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_what_was_not_committed_is_recorded_and_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A changed file and one that git ignores take part; a file that no task uses does not."""
    (project / "steps" / "mine" / "secret_trick.py").write_text("X = 1\n")
    (project / "steps" / "mine" / "helping.py").write_text(
        "from mine import secret_trick\n\n\ndef help() -> None:\n    print(secret_trick.X)\n"
    )
    (project / "steps" / "mine" / "unused.py").write_text("")
    (project / "notes.md").write_text("x")
    assert run(["apply", "clv.yaml", "--auto-approve"]) == 0
    files = ["steps/mine/helping.py", "steps/mine/secret_trick.py"]
    words = f"with uncommitted changes in {', '.join(files)}"
    [status] = json.loads(printed(capsys, "status", "clv.yaml", "-o", "json"))["pipelines"]
    assert status["uncommitted"] == {"count": 2, "files": files}
    commit = status["commit"]
    assert f"deployed from commit {commit} {words}" in printed(capsys, "status", "clv.yaml")
    plan = json.loads(printed(capsys, "plan", "clv.yaml", "-o", "json"))
    assert f"deployed from commit {commit} {words}" in plan["notes"]
    assert f"deployed from commit {commit} {words}" in printed(capsys, "plan", "clv.yaml")
    assert words.removeprefix("with ") in printed(capsys, "history", "clv.yaml", "--deployments")
    told = json.loads(printed(capsys, "history", "clv.yaml", "--deployments", "-o", "json"))
    for name, value in (("status", {"format_version": 1, "pipelines": [status]}), ("history", told)):
        schema = Path(__file__).parents[2] / "schemas" / "output" / f"{name}.schema.json"
        validate(value, json.loads(schema.read_text(encoding="utf-8")))
    assert told["deployments"][0]["uncommitted"] == status["uncommitted"]
    number = str(told["deployments"][0]["number"])

    # All of it committed, and deployed again: nothing is left to say.
    (project / "count.sql").write_text("select 2\n")
    git(project, "add", "-A", "-f", "steps", "count.sql")
    git(project, "commit", "-q", "-m", "all of it")
    assert run(["apply", "clv.yaml", "--auto-approve"]) == 0
    [status] = json.loads(printed(capsys, "status", "clv.yaml", "-o", "json"))["pipelines"]
    assert status["uncommitted"] == {"count": 0, "files": []} and status["commit"] != commit
    assert "uncommitted" not in printed(capsys, "status", "clv.yaml")
    # A rollback brings back what was deployed, and with it what is known of it.
    assert run(["rollback", "clv.yaml", "--to", number, "--auto-approve"]) == 0
    [status] = json.loads(printed(capsys, "status", "clv.yaml", "-o", "json"))["pipelines"]
    assert (status["commit"], status["uncommitted"]["files"]) == (commit, files)


def test_a_file_behind_a_link_stands_in_the_commit_under_its_own_name(project: Path) -> None:
    from sfml.base.git import differing_from_head

    (project / "linked.sql").symlink_to("count.sql")
    assert differing_from_head(project, ("linked.sql", "count.sql")) == ()
    (project / "count.sql").write_text("select 2\n")
    assert differing_from_head(project, ("linked.sql", "count.sql")) == ("linked.sql", "count.sql")
