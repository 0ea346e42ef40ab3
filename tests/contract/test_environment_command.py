"""What a graph names is looked for before anything is changed, through the commands, on a server that is an account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

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
  dev:
    default: true
    connection: dev
    account: LOCAL-LOCAL
    owner_role: ML_DEV
    database: ML_DEV
    warehouse: ML_WH
    compute_pool: ML_POOL
    create: {compute_pool: {instance_family: GPU_NV_S, max_nodes: 2, auto_suspend: 5m}}
"""
SPEC = """
version: 1
pipeline: clv
graph:
  tasks:
    prepare: {sql: select 1}
    train: {job: {folder: job, entrypoint: main.py}, run_on: {pool: ML_POOL}, after: [prepare]}
schedule: {schedule: manual, alerts: {on_error: ML_ERRORS}}
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("SFML_LOCAL_UNKNOWN_COMPUTE", "refuse")
    with LocalServer(tmp_path / "server") as server:
        yield server


@pytest.fixture
def admin(server: LocalServer) -> Iterator[SnowflakeConnection]:
    connection = open_local(server.connect_args(), Target("local", "local", "SFML", "PUBLIC", "LOCAL_WH"))
    yield connection
    connection.close()


@pytest.fixture
def spec(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "main.py").write_text("print('trained')\n")
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "clv.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    place = server.connect_args()
    lines = [
        f"{key} = {json.dumps(place[key])}"
        for key in ("account", "user", "password", "host", "port", "protocol")
    ]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[dev]", *lines]))
    return "clv.yaml"


def test_apply_names_everything_that_is_missing_and_makes_only_what_it_may(
    spec: str, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["apply", spec, "--auto-approve"]) == 1
    told = capsys.readouterr().err
    for line in (
        "5 things that clv names in target `dev` cannot be found; nothing was changed",
        "database ML_DEV",
        "CREATE SCHEMA ML_DEV.CLV;",
        "compute pool ML_POOL, for train",
        "INSTANCE_FAMILY = GPU_NV_S AUTO_SUSPEND_SECS = 300;",
        "CREATE WAREHOUSE ML_WH",
        "CREATE NOTIFICATION INTEGRATION ML_ERRORS",
        "note: no image repository is visible; without any in the account train fails: CREATE IMAGE REPOSITORY",
        "role ML_DEV cannot see it",
        "--create-missing` creates compute pool and database and schema",
    ):
        assert line in told
    # What somebody else has to decide stands in the way, so that nothing is made.
    assert run(["apply", spec, "--auto-approve", "--create-missing"]) == 1
    assert "2 things" in capsys.readouterr().err
    assert "ML_DEV" not in {row[1] for row in rows(admin, "SHOW DATABASES")}
    for statement in (
        *("CREATE WAREHOUSE ML_WH", "CREATE DATABASE OPS", "CREATE SCHEMA OPS.X"),
        *(
            "CREATE NOTIFICATION INTEGRATION ML_ERRORS ENABLED = TRUE TYPE = QUEUE",
            "CREATE IMAGE REPOSITORY OPS.X.I",
        ),
    ):
        rows(admin, statement)
    assert run(["apply", spec, "--create-missing"]) == 2, "nobody is there to say yes"
    assert "ML_DEV" not in {row[1] for row in rows(admin, "SHOW DATABASES")}
    capsys.readouterr()
    assert run(["apply", spec, "--auto-approve", "--create-missing"]) == 0
    made = capsys.readouterr().out
    assert "+ compute pool ML_POOL, for train" in made
    [pool] = [row for row in rows(admin, "SHOW COMPUTE POOLS") if row[0] == "ML_POOL"]
    assert pool[4] == "GPU_NV_S"
    # Nothing is asked for when nothing changes.
    rows(admin, "DROP INTEGRATION ML_ERRORS")
    assert run(["apply", spec, "--auto-approve"]) == 0


def test_a_plan_looks_when_it_is_asked_to(
    spec: str, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    for statement in ("CREATE DATABASE ML_DEV", "CREATE SCHEMA ML_DEV.CLV", "CREATE WAREHOUSE ML_WH"):
        rows(admin, statement)
    assert run(["plan", spec]) == 0
    capsys.readouterr()
    assert run(["plan", spec, "--check-environment", "-o", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("output/plan.schema.json"))
    assert [(one["kind"], one["name"], one["tasks"]) for one in document["environment"]["missing"]] == [
        ("compute pool", "ML_POOL", ["train"]),
        ("notification integration", "ML_ERRORS", []),
        ("image repository", "any", ["train"]),
    ]
    assert run(["plan", spec, "--check-environment"]) == 1
    assert "CREATE COMPUTE POOL ML_POOL" in capsys.readouterr().out


ALERTS = """
version: 1
pipeline: clv
graph:
  tasks:
    prepare: {sql: select 1}
schedule:
  schedule: {every: 1d}
  alerts: {channels: {slack: ML_SLACK, queue: ML_QUEUE, email: ML_MAIL}}
"""


def test_integrations_of_alerts_are_of_the_right_type_and_on(
    spec: str, admin: SnowflakeConnection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / spec).write_text(ALERTS)
    for statement in (
        *("CREATE DATABASE ML_DEV", "CREATE SCHEMA ML_DEV.CLV", "CREATE WAREHOUSE ML_WH"),
        "CREATE NOTIFICATION INTEGRATION ML_SLACK TYPE = EMAIL ENABLED = TRUE",
        "CREATE NOTIFICATION INTEGRATION ML_QUEUE TYPE = WEBHOOK ENABLED = TRUE",
        "CREATE NOTIFICATION INTEGRATION ML_MAIL TYPE = EMAIL ENABLED = TRUE",
    ):
        rows(admin, statement)
    assert run(["apply", spec, "--auto-approve"]) == 1
    told = capsys.readouterr().err
    for line in (
        "2 things that clv names in target `dev` cannot be used; nothing was changed",
        "notification integration ML_SLACK, for sfml_alerts: it is of type EMAIL, and is used as WEBHOOK",
        "notification integration ML_QUEUE, for sfml_alerts: it is of type WEBHOOK, and is used as QUEUE",
        "DESCRIBE NOTIFICATION INTEGRATION ML_QUEUE;",
        "change what is said above in the account, or name another integration",
    ):
        assert line in told, told
    assert run(["doctor", spec]) == 1
    assert "it is of type EMAIL" in capsys.readouterr().out
    rows(admin, "CREATE OR REPLACE NOTIFICATION INTEGRATION ML_SLACK TYPE = WEBHOOK ENABLED = TRUE")
    rows(admin, "CREATE OR REPLACE NOTIFICATION INTEGRATION ML_QUEUE TYPE = QUEUE ENABLED = TRUE")
    assert run(["apply", spec, "--auto-approve"]) == 0
