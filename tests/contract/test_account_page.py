"""What docs/account.md shows is what the commands say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sfml.cli.entry import run
from sfml.graph.model import Target
from sfml.snowflake.connection import open_local
from sfml.snowflake.sql import rows
from sfml_local.http.app import LocalServer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "account.md").read_text(encoding="utf-8")


def shown(command: str) -> str:
    """What the page shows below a command."""
    found = re.search(rf"^\$ {re.escape(command)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page does not show {command}"
    return found[1]


def test_the_list_of_privileges(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["grants", "specs/clv.yaml", "-t", "prod", "--for", "running"]) == 0
    assert capsys.readouterr().out == shown("sfml grants specs/clv.yaml -t prod --for running")


def test_what_doctor_says_without_a_connection(tmp_path: Path) -> None:
    """In a process of its own: the connector settles where its files are when it is imported."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / "sfml.yaml", project)
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@example.org commit -q -m a"):
        subprocess.run(("git", *command.split()), cwd=project, check=True)
    home = tmp_path / "home" / ".snowflake"
    home.mkdir(parents=True)
    (home / "connections.toml").write_text('[dev]\naccount = "A"\n')
    (home / "connections.toml").chmod(0o600)
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home.parent),
        "SNOWFLAKE_HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        (
            sys.executable,
            "-c",
            "import sys; from sfml.cli.entry import run; sys.exit(run(['doctor', '-t', 'prod']))",
        ),
        cwd=project,
        env={
            **environment,
            "PYTHONPATH": f"{ROOT / 'compiler'}:{ROOT / 'steps'}",
            "PYTHONIOENCODING": "utf-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    said = done.stdout.replace(str(home.parent), "~")
    assert versionless(said) == versionless(shown("sfml doctor -t prod"))


def versionless(text: str) -> str:
    return re.sub(r"\d+(\.\d+)+", "1.2.3", text)


def test_what_apply_says_of_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's pipeline with the names that matter, on a server that is an account."""
    monkeypatch.setenv("SFML_LOCAL_UNKNOWN_COMPUTE", "refuse")
    (tmp_path / "specs").mkdir()
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "main.py").write_text("print('trained')\n")
    target = "{connection: prod, owner_role: ML_OWNER, database: ML_PROD, schema: CLV, warehouse: LOCAL_WH}"
    (tmp_path / "sfml.yaml").write_text(f"version: 1\ntargets:\n  prod: {target}\n")
    (tmp_path / "specs" / "clv.yaml").write_text(
        "version: 1\npipeline: clv\ngraph:\n  tasks:\n    train_model:\n"
        "      job: {folder: ../job, entrypoint: main.py}\n      run_on: {pool: ML_POOL}\n      timeout: 1h\n"
        "schedule: {schedule: manual, alerts: {on_error: ML_ERRORS}}\n"
    )
    monkeypatch.chdir(tmp_path)
    with LocalServer(tmp_path / "server") as server:
        place = server.connect_args()
        keys = ("account", "user", "password", "host", "port", "protocol")
        entry = "\n".join(["[prod]", *(f"{key} = {json.dumps(place[key])}" for key in keys)])
        monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", entry)
        admin = open_local(place, Target("local", "local", "SFML", "PUBLIC", "LOCAL_WH"))
        for statement in (
            "CREATE DATABASE ML_PROD",
            "CREATE SCHEMA ML_PROD.CLV",
            "CREATE IMAGE REPOSITORY ML_PROD.CLV.I",
        ):
            rows(admin, statement)
        admin.close()
        assert run(["apply", "specs/clv.yaml", "-t", "prod", "--auto-approve"]) == 1
    assert capsys.readouterr().err == shown("sfml apply specs/clv.yaml -t prod")
