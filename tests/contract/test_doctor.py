"""`sfml doctor` on a server that is an account, on a local target, and without any connection."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from snowflake.connector import SnowflakeConnection

from sfml.base.resources import schema
from sfml.cli.entry import run
from sfml.graph.model import Target
from sfml.snowflake.connection import open_local
from sfml.snowflake.sql import rows
from sfml_local.http.app import LocalServer

PROJECT = """
version: 1
targets:
  prod:
    default: true
    connection: prod
    account: LOCAL-LOCAL
    owner_role: ML_OWNER
    database: ML_PROD
    schema: CLV
    warehouse: ML_WH
    compute_pool: ML_POOL
    mode: production
  each: {connection: prod, database: ML_PROD, schema: "{{ pipeline }}", warehouse: ML_WH}
  lost: {connection: nowhere, database: ML_PROD, warehouse: ML_WH}
  local: {kind: local}
"""
SPEC = "version: 1\npipeline: clv\ngraph:\n  tasks:\n    only: {sql: select 1}\nschedule: manual\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture(scope="module")
def admin(server: LocalServer) -> Iterator[SnowflakeConnection]:
    connection = open_local(server.connect_args(), Target("local", "local", "SFML", "PUBLIC", "LOCAL_WH"))
    yield connection
    connection.close()


@pytest.fixture
def project(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "clv.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    settings = replace(server.account.settings, unknown_compute="refuse")
    monkeypatch.setattr(server.account, "settings", settings)
    place = server.connect_args()
    keys = ("account", "user", "password", "host", "port", "protocol")
    lines = [f"{key} = {json.dumps(place[key])}" for key in keys]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[prod]", *lines]))
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], *arguments: str, code: int) -> dict[str, Any]:
    """The checks by name; the document fits its schema and holds no secret."""
    capsys.readouterr()
    assert run(["doctor", *arguments, "-o", "json"]) == code, capsys.readouterr()
    out = capsys.readouterr().out
    document = json.loads(out)
    jsonschema.validate(document, schema("output/doctor.schema.json"))
    assert sum(document["summary"].values()) == len(document["checks"])
    return {check["name"]: check for check in document["checks"]}


def states(checks: dict[str, Any]) -> dict[str, str]:
    return {name: check["state"] for name, check in checks.items()}


def test_what_is_missing_fails_with_what_to_do(
    project: Path, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = asked(capsys, code=1)
    assert states(checks) == {
        "clients": "ok",
        "work tree": "warn",
        "connection": "ok",
        "server": "ok",
        "clock": "ok",
        "database": "fail",
        "schema": "skipped",
        "warehouse": "fail",
        "compute pool": "fail",
        "stage": "skipped",
        "event table": "ok",
        "model registry": "skipped",
        "privileges": "skipped",
    }
    assert checks["database"]["help"] == "CREATE DATABASE ML_PROD"
    assert checks["connection"]["text"] == "`prod` of SNOWFLAKE_CONNECTIONS: password"
    assert "as ML_OWNER" in checks["server"]["text"]


def test_an_account_that_is_ready(
    project: Path, admin: SnowflakeConnection, server: LocalServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for statement in (
        *("CREATE DATABASE ML_PROD", "CREATE SCHEMA ML_PROD.CLV", "CREATE STAGE ML_PROD.CLV.SFML"),
        "CREATE WAREHOUSE ML_WH AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE",
        "CREATE COMPUTE POOL ML_POOL MIN_NODES = 1 MAX_NODES = 2 INSTANCE_FAMILY = CPU_X64_S",
        "CREATE ROLE ML_OWNER",
    ):
        rows(admin, statement)
    for command in (
        "git init -q",
        "git add -A",
        "git -c user.name=a -c user.email=a@example.org commit -q -m a",
    ):
        subprocess.run(command.split(), cwd=project, check=True)
    checks = asked(capsys, code=0)
    assert set(states(checks).items()) >= {("stage", "ok"), ("model registry", "ok"), ("work tree", "ok")}
    assert {name for name, state in states(checks).items() if state != "ok"} == {"privileges"}, checks
    assert checks["warehouse"]["text"] == "ML_WH is suspended, and resumes by itself"
    assert checks["compute pool"]["text"] == "ML_POOL is idle, 1 to 2 nodes"
    assert checks["stage"]["text"] == "ML_PROD.CLV.SFML can be written"
    assert rows(admin, "LIST @ML_PROD.CLV.SFML") == [], "nothing is left behind"
    # With a spec the privileges count, and what it names.
    named = asked(capsys, "clv.yaml", code=1)
    assert named["privileges"]["state"] == "fail"
    assert named["privileges"]["help"] == "sfml grants clv.yaml -t prod --compare ML_OWNER"
    assert named["environment"]["state"] == "ok"
    rows(admin, "ALTER WAREHOUSE ML_WH SET AUTO_RESUME = FALSE")
    told = asked(capsys, code=0)["warehouse"]
    assert (told["state"], told["help"]) == ("warn", "ALTER WAREHOUSE ML_WH SET AUTO_RESUME = TRUE")
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("target prod: ready, with 1 warnings\n")
    assert str(server.connect_args()["password"]) not in out
    # Without `account:` nothing says that the connection leads where it should.
    each = asked(capsys, "-t", "each", code=0)
    assert each["server"]["state"] == "warn"
    assert each["schema"]["state"] == "skipped"


def test_without_a_connection_it_says_what_it_could_not_look_at(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = asked(capsys, "-t", "lost", code=1)
    assert states(checks) == {"clients": "ok", "connection": "fail", "account": "skipped"}
    assert (
        "there is no connection `nowhere`; SNOWFLAKE_CONNECTIONS has `prod`" in checks["connection"]["text"]
    )


def test_an_unreachable_host_is_a_failure_and_no_traceback(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_PROD_PORT", "1")
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_PROD_LOGIN_TIMEOUT", "1")
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_PROD_PASSWORD", "hunter2")
    checks = asked(capsys, code=1)
    assert checks["connection"]["state"] == "fail"
    assert "hunter2" not in json.dumps(checks)


def test_the_local_target_starts_its_server_for_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = asked(capsys, "-t", "local", code=0)
    assert set(states(checks).values()) <= {"ok", "skipped"}, checks
    assert "starts and stops as it should" in checks["local server"]["text"]


def test_a_folder_that_is_no_project_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["doctor"]) == 2
    assert "sfml init" in capsys.readouterr().err
