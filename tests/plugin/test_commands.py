"""Whole commands on the server of a test: what they find there, and the faults that hit them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import fork_server
import pytest

from sfml.testing import commands

if TYPE_CHECKING:
    from sfml.testing.local_snowflake import LocalSnowflake

PROJECT = """version: 1
steps: [steps]
targets:
  local: {kind: local, default: true}
  dev: {connection: work, database: SFML, schema: PUBLIC, warehouse: LOCAL_WH}
"""
SPEC = """version: 1
pipeline: small
graph:
  version: 1
  tasks: {first: {sql: select 1}, second: {sql: select 2, after: [first]}}
schedule: {version: 1, schedule: manual}
"""


OF_CLIENTS = ("SNOWFLAKE_HOME", "PYTHONIOENCODING")
"""Variables that are read when the clients are imported; a target of kind `local` needs none of them."""


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork commands from what has imported the clients; without this they start from nothing, as for users."""
    monkeypatch.setattr(commands, "subprocess", SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL))


def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in options["env"].items() if name not in OF_CLIENTS}
    Path(environment["HOME"], "connections.toml").unlink()
    return fork_server.run(
        (fork_server.SFML, *words[3:]), cwd=options["cwd"], env=environment, timeout=commands.SECONDS
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "steps").mkdir()
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "small.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def test_commands_follow_each_other_on_the_server_of_the_test(
    forked: None, local_snowflake: LocalSnowflake, project: Path
) -> None:
    applied = local_snowflake.sfml("apply", "small.yaml", "--auto-approve", "-o", "json", project=project)
    assert applied.code == 0, applied.err
    assert applied.json["pipeline"] == "small"
    run = local_snowflake.sfml("run", "small.yaml", project=project)
    assert run.code == 0, run.err
    assert "small succeeded" in run.out
    assert local_snowflake.faults.count("EXECUTE TASK") == 1
    assert not (project / ".sfml" / "local" / "server.log").exists(), "no server of the project's own"


def test_a_fault_hits_a_command_and_the_next_one_mends_it(
    forked: None, local_snowflake: LocalSnowflake, project: Path
) -> None:
    refused = local_snowflake.faults.fail("SECOND", status=403, kind="rest", times=None)
    failed = local_snowflake.sfml("apply", "small.yaml", "--auto-approve", project=project)
    assert failed.code != 0
    assert refused.fired >= 1
    assert "Traceback" not in failed.err
    local_snowflake.faults.clear()
    mended = local_snowflake.sfml("apply", "small.yaml", "--auto-approve", project=project)
    assert mended.code == 0, mended.err


def test_a_target_of_an_account_finds_the_server_by_its_connection(
    local_snowflake: LocalSnowflake, project: Path
) -> None:
    local_snowflake.sql("CREATE DATABASE IF NOT EXISTS SFML")
    planned = local_snowflake.sfml(
        "plan", "small.yaml", "-t", "dev", "-o", "json", project=project, connection="work"
    )
    assert planned.code in (0, 2), planned.err
    assert {"SMALL$FIRST", "SMALL$SECOND"} <= {change["name"] for change in planned.json["changes"]}
    elsewhere = local_snowflake.sfml("plan", "small.yaml", "-t", "dev", project=project)
    assert "work" in elsewhere.err


def test_any_process_finds_the_server_by_name(local_snowflake: LocalSnowflake) -> None:
    code = (
        "import snowflake.connector as s\n"
        "print(s.connect(connection_name='mine').cursor().execute('SELECT CURRENT_DATABASE()').fetchone()[0])"
    )
    done = fork_server.run(
        (sys.executable, "-X", f"forked={fork_server.LIGHT}", "-c", code),
        cwd=Path.cwd(),
        env=local_snowflake.environment("mine"),
        timeout=commands.SECONDS,
    )
    assert done.stdout.strip() == local_snowflake.database, done.stderr


def test_a_served_project_is_one_of_its_own_commands_too(
    local_snowflake: LocalSnowflake, project: Path
) -> None:
    sfml = Path(sys.executable).parent / "sfml"
    dropped = local_snowflake.faults.drop("CREATE TABLE", when="after")
    with local_snowflake.serving(project):
        for words in (("local", "sql", "CREATE TABLE T (A INT)"), ("local", "stop")):
            done = fork_server.run([str(sfml), *words], cwd=project, env=os.environ, timeout=commands.SECONDS)
            assert done.returncode == 0, done.stderr
    assert dropped.fired == 1
    assert [row["name"] for row in local_snowflake.sql("SHOW TABLES")] == ["T"]
