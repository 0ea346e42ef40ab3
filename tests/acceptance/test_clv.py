"""The CLV pipeline as a user runs it: seed, apply, run, both ways through its branch, failures, retries, clean-up.

The tests of this module share one project and run in order: each leaves the account as the next one finds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import ROOT, Project

SPEC = "specs/clv.yaml"


def valid(payload: Any, name: str) -> Any:
    """The payload, checked against the published schema of its command."""
    schema = json.loads((ROOT / "schemas" / "output" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(payload)
    return payload


def states(run: Any) -> dict[str, str | None]:
    return {task["name"]: task["state"] for task in run["tasks"]}


def result(run: Any, task: str) -> Any:
    return next(one["return_value"] for one in run["tasks"] if one["name"] == task)


@pytest.fixture(scope="module", autouse=True)
def server(clv: Project) -> Iterator[dict[str, Any]]:
    """A local Snowflake that stays up for the module."""
    started = valid(clv.sfml("local", "start", "-o", "json").json, "local")
    yield started


@pytest.fixture
def session(clv: Project) -> Iterator[Any]:
    """A plain Snowpark session, told nothing of sfml."""
    from snowflake.snowpark import Session

    info = clv.sfml("local", "status", "-o", "json").json
    keys = ("host", "port", "protocol", "account", "user", "password")
    place = {"database": "SFML", "schema": "CLV"}
    with Session.builder.configs({**{key: info[key] for key in keys}, **place}).create() as session:
        yield session


@pytest.fixture
def registry(session: Any) -> Any:
    """Snowflake's own registry client."""
    from snowflake.ml.registry import Registry

    return Registry(session, database_name="SFML", schema_name="CLV")


def test_seeds_are_loaded(clv: Project) -> None:
    seeds = valid(clv.sfml("seed", SPEC, "-o", "json").json, "seed")["seeds"]
    assert [(seed["table"], seed["rows"]) for seed in seeds] == [("CDNOW_TRANSACTIONS", 69_659)]


def test_before_the_first_apply_everything_is_to_create(clv: Project) -> None:
    plan = valid(clv.sfml("plan", SPEC, "-o", "json").json, "plan")
    assert plan["summary"]["create"] == 8
    assert clv.sfml("plan", SPEC, "--detailed-exitcode", ok=None).code == 2


def test_a_refused_candidate_is_never_logged_on_an_empty_registry(clv: Project, registry: Any) -> None:
    """The first version of a model becomes its default by itself, so it must not be logged at all."""
    clv.sfml("apply", SPEC, "--auto-approve")
    run = valid(clv.sfml("run", SPEC, "--config", "threshold=0.99", "-o", "json").json, "run")
    assert run["state"] == "SUCCEEDED"
    assert states(run)["promote_model"] in ("SKIPPED", None)
    assert states(run)["score_customers"] in ("SKIPPED", None)
    assert states(run)["send_alert"] == states(run)["cleanup"] == "SUCCEEDED"
    assert result(run, "check_model_quality") == "send_alert"
    assert registry.show_models().empty


def test_a_run_ends_with_a_promoted_model_and_scored_customers(clv: Project, registry: Any) -> None:
    run = valid(clv.sfml("run", SPEC, "-o", "json").json, "run")
    assert run["state"] == "SUCCEEDED"
    assert states(run) == {
        "prepare_data": "SUCCEEDED",
        "train_model": "SUCCEEDED",
        "check_model_quality": "SUCCEEDED",
        "promote_model": "SUCCEEDED",
        "send_alert": "SKIPPED",
        "score_customers": "SUCCEEDED",
        "cleanup": "SUCCEEDED",
    }
    assert result(run, "check_model_quality") == "promote_model"
    trained = result(run, "train_model")
    assert trained["metrics"]["spearman"] > 0.47
    promoted = result(run, "promote_model")["version"]
    model = registry.get_model("CLV_MODEL")
    assert model.default.version_name == promoted
    assert [version.version_name for version in model.versions()] == [promoted]
    logged = model.default.show_metrics()
    assert logged["spearman"] == pytest.approx(trained["metrics"]["spearman"])
    assert result(run, "score_customers")["customers"] == 23_570


def test_every_customer_has_a_prediction_with_the_version_that_made_it(session: Any, registry: Any) -> None:
    rows = session.sql(
        "SELECT COUNT(*), COUNT(DISTINCT CUSTOMER_ID), MIN(MODEL_VERSION), MAX(MODEL_VERSION) FROM CLV_PREDICTIONS"
    ).collect()
    version = registry.get_model("CLV_MODEL").default.version_name
    assert tuple(rows[0]) == (23_570, 23_570, version, version)


def test_a_second_apply_changes_nothing_and_says_so(clv: Project) -> None:
    assert clv.sfml("plan", SPEC, "--detailed-exitcode").code == 0
    done = clv.sfml("apply", SPEC, "--auto-approve")
    assert "no changes" in done.out
    assert "Applied" not in done.out


def test_the_alert_path_leaves_the_default_version_alone(clv: Project, registry: Any) -> None:
    before = registry.get_model("CLV_MODEL").default.version_name
    run = clv.sfml("run", SPEC, "--config", "threshold=0.99", "-o", "json").json
    assert run["state"] == "SUCCEEDED"
    assert states(run)["send_alert"] == states(run)["cleanup"] == "SUCCEEDED"
    assert "SUCCEEDED" not in (states(run)["promote_model"], states(run)["score_customers"])
    model = registry.get_model("CLV_MODEL")
    assert model.default.version_name == before
    assert len(model.versions()) == 1


def test_one_edited_step_alters_the_tasks_that_run_it_and_no_others(clv: Project) -> None:
    gate = clv.folder / "steps" / "clv" / "gate.py"
    original = gate.read_text(encoding="utf-8")
    gate.write_text(original + "\n# looked at again\n", encoding="utf-8")
    try:
        plan = clv.sfml("plan", SPEC, "-o", "json").json
        altered = {
            change["task"]: [field["path"] for field in change["fields"]]
            for change in plan["changes"]
            if change["action"] == "alter"
        }
        assert altered == {"check_model_quality": ["code"]}
    finally:
        gate.write_text(original, encoding="utf-8")


def test_a_step_that_raises_fails_the_run_and_shows_why(clv: Project) -> None:
    gate = clv.folder / "steps" / "clv" / "gate.py"
    original = gate.read_text(encoding="utf-8")
    head, docstring, body = original.partition('''"""Promote''')
    sentence, quotes, rest = body.partition('"""')
    broken = f"{head}{docstring}{sentence}{quotes}\n    raise ValueError('the metrics table is empty'){rest}"
    assert quotes, "check_model_quality has a docstring that begins with Promote"
    gate.write_text(broken, encoding="utf-8")
    try:
        clv.sfml("apply", SPEC, "--auto-approve")
        run = valid(clv.sfml("run", SPEC, "-o", "json", ok=False).json, "run")
        assert run["state"] == "FAILED"
        assert run["attempt"] == 2, "the schedule config asks for one retry"
        assert states(run)["check_model_quality"] == "FAILED"
        assert states(run)["promote_model"] is states(run)["send_alert"] is None
        assert states(run)["cleanup"] == "SUCCEEDED"
        log = clv.sfml("logs", SPEC, "check_model_quality").out
        assert "ValueError: the metrics table is empty" in log
        assert "clv/gate.py" in log
        status = clv.sfml("status", SPEC, ok=False).out
        assert "check_model_quality: ValueError: the metrics table is empty" in status
        valid(clv.sfml("status", SPEC, "-o", "json", ok=False).json, "status")
        valid(clv.sfml("logs", SPEC, "-o", "json").json, "logs")
    finally:
        gate.write_text(original, encoding="utf-8")
    clv.sfml("apply", SPEC, "--auto-approve")


def test_a_job_writes_a_log_too(clv: Project) -> None:
    """The job of the run that failed after it."""
    assert "spearman" in clv.sfml("logs", SPEC, "train_model").out.lower()


def test_what_was_deployed_survives_a_restart_of_the_server(clv: Project) -> None:
    clv.sfml("local", "stop")
    clv.sfml("local", "start")
    assert clv.sfml("plan", SPEC, "--detailed-exitcode").code == 0
    status = clv.sfml("status", SPEC, "-o", "json", ok=False).json["pipelines"][0]
    assert status["deployed"] is True and status["last_run"]["state"] == "FAILED"


def test_an_unknown_config_key_is_refused(clv: Project) -> None:
    done = clv.sfml("run", SPEC, "--config", "treshold=1", ok=False)
    assert done.code == 2
    assert "`treshold` is not a key" in done.err


def test_a_task_that_is_not_in_the_spec_has_no_log(clv: Project) -> None:
    done = clv.sfml("logs", SPEC, "train_modle", ok=False)
    assert done.code == 2
    assert "did you mean `train_model`?" in done.err


def test_the_build_holds_no_trace_of_where_it_was_made(clv: Project, tmp_path: Path) -> None:
    clv.sfml("compile", SPEC, "--out", str(tmp_path / "build"))
    for file in (tmp_path / "build").rglob("*"):
        if file.is_file():
            assert str(clv.folder).encode() not in file.read_bytes(), file
