"""The privileges of a spec as SQL that runs, and roles compared with them, through the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from snowflake.connector import SnowflakeConnection

from sfml.base.resources import schema
from sfml.cli.entry import run
from sfml.graph.comparing import GrantRow, compared
from sfml.graph.model import Target
from sfml.graph.privileges import Privilege
from sfml.snowflake.connection import open_local
from sfml.snowflake.sql import rows
from sfml.snowflake.statements import answers
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
"""
SPEC = """
version: 1
pipeline: clv
graph:
  tasks:
    prepare:
      sql: INSERT INTO FEATURES SELECT * FROM RAW.ORDERS
      reads: [RAW.ORDERS]
      writes: [FEATURES, RAW.SEEN]
    refresh: {call: OPS.REFRESH, after: [prepare], reads: [FEATURES]}
    small: {sql: select 1, run_on: {serverless: {initial: XSMALL}}, log_level: INFO, tags: {cost: ml}}
    tell: {notify: {integration: ML_ALERTS, message: done}, after: [refresh]}
schedule: {schedule: {every: 1h}, alerts: {on_error: ML_ERRORS}}
"""
TARGET = Target("local", "local", "ML_PROD", "CLV", "ML_WH")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture(scope="module")
def admin(server: LocalServer) -> Iterator[SnowflakeConnection]:
    connection = open_local(server.connect_args(), TARGET)
    for statement in (
        *("CREATE DATABASE ML_PROD", "CREATE SCHEMA ML_PROD.CLV", "CREATE SCHEMA ML_PROD.RAW"),
        *(
            "CREATE SCHEMA ML_PROD.OPS",
            "CREATE ROLE ML_OWNER",
            "CREATE ROLE ML_BASE",
            "CREATE ROLE ML_READER",
        ),
        *("CREATE TABLE ML_PROD.RAW.ORDERS (A INT)", "CREATE TABLE ML_PROD.RAW.SEEN (A INT)"),
        *("CREATE TABLE ML_PROD.CLV.FEATURES (A INT)", "CREATE STAGE ML_PROD.CLV.SFML"),
        "CREATE NOTIFICATION INTEGRATION ML_ERRORS ENABLED = TRUE TYPE = QUEUE",
        "CREATE NOTIFICATION INTEGRATION ML_ALERTS ENABLED = TRUE TYPE = EMAIL",
    ):
        rows(connection, statement)
    yield connection
    connection.close()


@pytest.fixture
def spec(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "clv.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    place = {**server.connect_args(), "database": "", "schema": ""}
    keys = ("account", "user", "password", "host", "port", "protocol")
    lines = [f"{key} = {json.dumps(place[key])}" for key in keys]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[prod]", *lines]))
    return "clv.yaml"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(["grants", *arguments]) == code, capsys.readouterr()
    return capsys.readouterr().out


def test_the_lists_name_what_the_graph_names(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, spec)
    statements = [line.partition(";")[0] for line in text.splitlines() if line.startswith("GRANT ")]
    for expected in (
        "GRANT CREATE TASK ON SCHEMA ML_PROD.CLV TO ROLE ML_OWNER",
        "GRANT EXECUTE TASK ON ACCOUNT TO ROLE ML_OWNER",
        "GRANT EXECUTE MANAGED TASK ON ACCOUNT TO ROLE ML_OWNER",
        "GRANT MODIFY LOG LEVEL ON ACCOUNT TO ROLE ML_OWNER",
        "GRANT APPLY ON TAG ML_PROD.CLV.COST TO ROLE ML_OWNER",
        "GRANT USAGE ON WAREHOUSE ML_WH TO ROLE ML_OWNER",
        "GRANT USAGE ON INTEGRATION ML_ALERTS TO ROLE ML_OWNER",
        "GRANT USAGE ON INTEGRATION ML_ERRORS TO ROLE ML_OWNER",
        "GRANT USAGE ON SCHEMA ML_PROD.RAW TO ROLE ML_OWNER",
        "GRANT SELECT ON TABLE ML_PROD.RAW.ORDERS TO ROLE ML_OWNER",
        "GRANT CREATE TABLE ON SCHEMA ML_PROD.CLV TO ROLE ML_OWNER",
        "GRANT TRUNCATE ON TABLE ML_PROD.RAW.SEEN TO ROLE ML_OWNER",
        "GRANT USAGE ON PROCEDURE ML_PROD.OPS.REFRESH(…) TO ROLE ML_OWNER",
        "GRANT MONITOR ON FUTURE TASKS IN SCHEMA ML_PROD.CLV TO ROLE CLV_READER",
    ):
        assert expected in statements
    # Least: no pool and no service without an ML Job, no model without a registry step.
    assert not any("POOL" in one or "SERVICE" in one or "MODEL" in one for one in statements)
    assert "what the code of small reads and writes" in text
    assert not any("TABLE ML_PROD.CLV.FEATURES" in one for one in statements), "its maker owns it"


OPERATING = """
version: 1
pipeline: clv
graph:
  tasks:
    check:
      step: sfml_steps.gate.compare_with_champion
      with: {value: 0.5, model_name: MODELS.SCORER, metric: auc}
      outcomes: {passed: [], failed: []}
    own:
      step: sfml_steps.registry.promote_model
      with: {candidate: {model: "@S/a", format: pickle, sample: "@S/b"}, model_name: "${config.model}"}
    same:
      step: sfml_steps.gate.compare_with_champion
      with: {value: 1, model_name: OWN, metric: a}
      outcomes: {passed: [], failed: []}
    look: {step: sfml_steps.alerting.watch.watch_pipelines, with: {schemas: [OTHER, ml_prod.raw, ML_PROD.CLV]}}
  config: {model: OWN}
schedule: {schedule: {every: 1h}, alerts: {channels: {slack: ML_SLACK, email: ML_MAIL}}}
"""


def test_general_steps_and_alerts_need_what_they_call(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(spec).write_text(OPERATING)
    text = printed(capsys, spec)
    statements = {line.partition(";")[0] for line in text.splitlines() if line.startswith("GRANT ")}
    assert {one for one in statements if "MODEL" in one or "TASKS" in one or "STAGE" in one} == {
        "GRANT CREATE STAGE ON SCHEMA ML_PROD.CLV TO ROLE ML_OWNER",
        "GRANT USAGE ON SCHEMA ML_PROD.MODELS TO ROLE ML_OWNER",
        "GRANT USAGE ON MODEL ML_PROD.MODELS.SCORER TO ROLE ML_OWNER",
        "GRANT CREATE MODEL ON SCHEMA ML_PROD.CLV TO ROLE ML_OWNER",
        "GRANT MONITOR ON ALL TASKS IN DATABASE OTHER TO ROLE ML_OWNER",
        "GRANT MONITOR ON FUTURE TASKS IN DATABASE OTHER TO ROLE ML_OWNER",
        "GRANT MONITOR ON ALL TASKS IN SCHEMA ML_PROD.RAW TO ROLE ML_OWNER",
        "GRANT MONITOR ON FUTURE TASKS IN SCHEMA ML_PROD.RAW TO ROLE ML_OWNER",
        "GRANT READ ON STAGE ML_PROD.RAW.SFML TO ROLE ML_OWNER",
        "GRANT MONITOR ON ALL TASKS IN SCHEMA ML_PROD.CLV TO ROLE CLV_READER",
        "GRANT MONITOR ON FUTURE TASKS IN SCHEMA ML_PROD.CLV TO ROLE CLV_READER",
        "GRANT READ ON STAGE ML_PROD.CLV.SFML TO ROLE CLV_READER",
        "GRANT USAGE ON MODEL ML_PROD.MODELS.SCORER TO ROLE CLV_READER",
        "GRANT USAGE ON MODEL ML_PROD.CLV.OWN TO ROLE CLV_READER",
    }
    assert "-- Not known: READ on the secrets that the integrations ML_SLACK name, if they do." in text
    assert "-- Not known: USAGE on the integrations that the pipelines watched by look name" in text
    assert run(["grants", spec, "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("output/grants.schema.json"))
    assert len(document["unknown"]) == 2


def test_a_watcher_that_sees_tasks_of_a_place_lacks_nothing_there() -> None:
    watching = Privilege("MONITOR", "TASKS", "DB.S", "to look")
    for grant, is_missing in (
        (GrantRow("MONITOR", "TASK", "DB.S.A", "R"), False),
        (GrantRow("OPERATE", "TASK", "DB.S.A", "R"), False),
        (GrantRow("MONITOR EXECUTION", "ACCOUNT", "X", "R"), False),
        (GrantRow("MONITOR", "TASK", "DB.S2.A", "R"), True),
        (GrantRow("SELECT", "TABLE", "DB.S.A", "R"), True),
    ):
        assert bool(compared("R", [watching], [grant]).missing) is is_missing


def test_a_role_that_was_given_all_of_it_lacks_nothing(
    spec: str, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = printed(capsys, spec, "--compare", "ML_OWNER", code=1)
    assert "role ML_OWNER lacks" in lacking
    assert "GRANT EXECUTE TASK ON ACCOUNT TO ROLE ML_OWNER;" in lacking
    text = printed(capsys, spec, "--for", "deploying", "--for", "running")
    # Some of it through another role, as people do it; procedures need their types.
    base, own = text.replace("(…)", "()"), "GRANT ROLE ML_BASE TO ROLE ML_OWNER"
    list(answers(admin, base.replace("TO ROLE ML_OWNER", "TO ROLE ML_BASE")))
    rows(admin, own)
    assert "role ML_OWNER has what deploying and running needs" in printed(
        capsys, spec, "--compare", "ml_owner"
    )
    rows(admin, "REVOKE EXECUTE TASK ON ACCOUNT FROM ROLE ML_BASE")
    rows(admin, "GRANT MANAGE GRANTS ON ACCOUNT TO ROLE ML_BASE")
    rows(admin, "GRANT DELETE ON TABLE ML_PROD.RAW.ORDERS TO ROLE ML_OWNER")
    rows(admin, "GRANT USAGE ON WAREHOUSE ELSEWHERE TO ROLE ML_OWNER")
    assert run(["grants", spec, "--compare", "ML_OWNER", "-o", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("output/grants.schema.json"))
    found = document["comparison"]
    assert [one["statement"] for one in found["missing"]] == [
        "GRANT EXECUTE TASK ON ACCOUNT TO ROLE ML_OWNER"
    ]
    assert {(one["privilege"], one["name"], one["through"]) for one in found["excess"]} == {
        ("MANAGE GRANTS", None, "ML_BASE"),
        ("DELETE", "ML_PROD.RAW.ORDERS", "ML_OWNER"),
    }
    assert found["elsewhere"] == 1


def test_an_owner_needs_no_grants_on_what_it_owns(
    spec: str, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    """SYSADMIN created the database and its schemas."""
    lacking = printed(capsys, spec, "--compare", "SYSADMIN", "--for", "deploying", code=1)
    assert "ON SCHEMA" not in lacking
    assert "ON DATABASE" not in lacking
    assert "USAGE ON WAREHOUSE ML_WH" in lacking


def test_a_reader_that_monitors_all_executions_sees_the_tasks(
    spec: str, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    for grant in (
        *("USAGE ON DATABASE ML_PROD", "USAGE ON SCHEMA ML_PROD.CLV", "MONITOR EXECUTION ON ACCOUNT"),
        *("READ ON STAGE ML_PROD.CLV.SFML", "USAGE ON WAREHOUSE ML_WH"),
    ):
        rows(admin, f"GRANT {grant} TO ROLE ML_READER")
    assert "has what reading needs" in printed(capsys, spec, "--compare", "ML_READER", "--for", "reading")


def test_a_role_that_does_not_exist_is_an_error(
    spec: str, admin: SnowflakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["grants", spec, "--compare", "NOBODY"]) == 1
    assert "NOBODY" in capsys.readouterr().err
