"""Bodies are run here, or read back, not compared with themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_graphs import WAREHOUSE, File, clv, config, graph, result, sql, step
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokenizer_core import TokenType

from sfml.graph.model import (
    CallBody,
    JobBody,
    NotifyBody,
    OnPool,
    Reference,
    Source,
    SqlBody,
    TaskGraph,
    TaskNode,
    Template,
)
from sfml.lower.archives import archive_of
from sfml.lower.bodies import definition_of
from sfml.lower.desired import Archive, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.ml_jobs import registration
from sfml.lower.named_graph import named_graph

# What the real runtime takes; here it gives back what it was called with.
RUNTIME = (
    File("sfml_steps/__init__.py", b""),
    File(
        "sfml_steps/runtime.py",
        b"def run_step(session, call):\n    return f'{session} {call}'\n"
        b"def run_job(call):\n    print(call)\n",
    ),
)
ARCHIVE = archive_of("clv", RUNTIME)


def body(made: TaskGraph, name: str, archive: Archive = ARCHIVE) -> str:
    definition = definition_of(named_graph(made), made.task(name), archive, None)
    assert isinstance(definition, SqlDefinition)
    return definition.sql


def job(made: TaskGraph, name: str, archive: Archive = ARCHIVE) -> MLJobDefinitionSpec:
    definition = definition_of(named_graph(made), made.task(name), archive, None)
    assert isinstance(definition, MLJobDefinitionSpec)
    return definition


def called_with(statement: str) -> dict[str, Any]:
    """The argument as Snowflake reads it: the last string of the statement."""
    strings = [token for token in Snowflake().tokenize(statement) if token.token_type is TokenType.STRING]
    call: dict[str, Any] = json.loads(strings[-1].text)
    return call


def run_handler(statement: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the procedure as Snowflake does: its imports in a folder, its handler called."""
    program = statement.split("$$")[1]
    monkeypatch.setitem(sys._xoptions, "snowflake_import_directory", str(folder))
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.split(".")[0] == "sfml_steps"]:
        monkeypatch.delitem(sys.modules, name)
    handler: dict[str, Any] = {}
    exec(program, handler)
    answer = str(handler["main"]("session", "call"))
    for name in [name for name in sys.modules if name.split(".")[0] == "sfml_steps"]:
        monkeypatch.delitem(sys.modules, name)
    return answer


def test_a_step_runs_from_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "steps.zip").write_bytes(ARCHIVE.content)
    assert run_handler(body(clv(), "prepare_data"), tmp_path, monkeypatch) == "session call"


def test_a_step_refuses_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "steps.zip").write_bytes(archive_of("clv", [*RUNTIME, File("more.py", b"")]).content)
    with pytest.raises(RuntimeError, match="not what this task was compiled with") as caught:
        run_handler(body(clv(), "prepare_data"), tmp_path, monkeypatch)
    assert ARCHIVE.sha256 in str(caught.value)


def test_the_clauses_of_a_procedure() -> None:
    made = graph(
        step("fit", packages=("xgboost==3.0.5",), external_access=("pypi",), secrets={"key": "vault.token"})
    )
    head = body(made, "fit").split("$$")[0].splitlines()
    assert head == [
        "WITH SFML_STEP AS PROCEDURE (CALL STRING)",
        "RETURNS STRING",
        "LANGUAGE PYTHON",
        "RUNTIME_VERSION = '3.11'",
        "PACKAGES = ('snowflake-snowpark-python', 'xgboost==3.0.5')",
        f"IMPORTS = ('@ML_PROD.CLV.SFML/clv/code/{ARCHIVE.sha256}/steps.zip')",
        "EXTERNAL_ACCESS_INTEGRATIONS = (PYPI)",
        "SECRETS = ('key' = VAULT.TOKEN)",
        "HANDLER = 'main'",
        "AS ",
    ]


def test_a_pinned_snowpark_is_not_asked_for_twice() -> None:
    made = graph(step("fit", packages=("snowflake-snowpark-python==1.56.0", "pandas")))
    assert "PACKAGES = ('snowflake-snowpark-python==1.56.0', 'pandas')" in body(made, "fit")


def test_the_call_says_who_it_is_and_what_it_may_read() -> None:
    assert called_with(body(clv(), "check_model_quality")) == {
        "pipeline": "clv",
        "task": "check_model_quality",
        "step": "clv.gate.check_model_quality",
        "root": "CLV",
        "stage": "@ML_PROD.CLV.SFML",
        "with": {
            "value": {"$result": ["CLV$TRAIN_MODEL", "metrics", "spearman"]},
            "at_least": {"$config": "threshold"},
        },
        "outcomes": {"promote_model": "PROMOTE_MODEL", "send_alert": "SEND_ALERT"},
    }


def test_tasks_right_below_a_branch_know_its_outcomes() -> None:
    expected = {"CLV$CHECK_MODEL_QUALITY": {"PROMOTE_MODEL": "promote_model", "SEND_ALERT": "send_alert"}}
    assert called_with(body(clv(), "promote_model"))["branches"] == expected


def test_a_body_does_not_depend_on_tasks_far_above() -> None:
    assert "branches" not in called_with(body(clv(), "score_customers"))
    assert "PREPARE_DATA" not in body(clv(), "score_customers")


def test_a_finalizer_has_no_results_to_read() -> None:
    assert {"outcomes", "branches"}.isdisjoint(called_with(body(clv(), "cleanup")))


def test_values_of_every_kind_travel() -> None:
    run = Reference(Source.RUN, None, ("id",))
    arguments = {
        "text": 'it\'s \\ "quoted" $$ \n ü',
        "numbers": (1, 0.5, True, None),
        "nested": {"deep": (config("k"),), "other": run},
        "note": Template(("a ", result("a", 0, "k"), " b")),
        "odd": {"$config": 1},
    }
    made = graph(sql("a"), step("fit", after=("a",), arguments=arguments))
    assert called_with(body(made, "fit"))["with"] == {
        "text": 'it\'s \\ "quoted" $$ \n ü',
        "numbers": [1, 0.5, True, None],
        "nested": {"deep": [{"$config": "k"}], "other": {"$run": "id"}},
        "note": {"$text": ["a ", {"$result": ["CLV$A", 0, "k"]}, " b"]},
        "odd": {"$literal": {"$config": 1}},
    }


def test_a_key_that_looks_like_a_reference_may_hold_one() -> None:
    made = graph(step("fit", arguments={"odd": {"$x": config("k")}}))
    assert '"with": {"odd": {"$object": {"$x": {"$config": "k"}}}}' in body(made, "fit")


def test_a_step_on_a_pool_is_an_ml_job_that_runs_from_its_archive(tmp_path: Path) -> None:
    spec = job(clv(), "train_model")
    assert (spec.pool, spec.entrypoint, spec.warehouse) == ("ML_POOL", "main.py", "ML_WH")
    for name, content in spec.payload.items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-I", "main.py", *spec.arguments]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(ran.stdout)["with"] == {"features": {"$result": ["CLV$PREPARE_DATA", "features"]}}

    (tmp_path / "steps.zip").write_bytes(archive_of("clv", [File("a.py", b"")]).content)
    refused = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 1
    assert "not what this job was compiled with" in refused.stderr


def test_a_jobs_name_carries_all_that_it_is_made_of() -> None:
    names = {
        job(made, "fit", archive).name
        for archive in (ARCHIVE, archive_of("clv", [File("a.py", b"")]))
        for made in (
            graph(step("fit", run_on=OnPool("POOL"))),
            graph(step("fit", run_on=OnPool("POOL", instances=2))),
            graph(step("fit", run_on=OnPool("POOL", runtime="2.3.0"))),
            graph(step("fit", run_on=OnPool("POOL"), pip=("xgboost==3.0.5",))),
            graph(step("fit", run_on=OnPool("POOL"), env_vars={"A": "1"})),
            graph(step("fit", run_on=OnPool("POOL"), arguments={"a": 1})),
        )
    }
    assert len(names) == 12
    assert all(re.fullmatch(r"CLV_FIT_[0-9A-F]{12}", name) for name in names)


def test_a_jobs_statement_begins_with_its_qualified_name() -> None:
    spec = job(clv(), "train_model")
    assert spec.preview_sql.startswith(f"CALL SYSTEM$EXECUTE_ML_JOB('ML_PROD.CLV.{spec.name}_', 'ML_POOL', '")


def test_a_folder_as_a_job() -> None:
    files = (File("train.py", b"print(1)"), File("lib/a.py", b""))
    node = TaskNode("fit", JobBody("jobs/fit", "train.py", ("--rounds", 10, True)), OnPool("POOL"))
    spec = definition_of(
        named_graph(graph(node)), node, None, lambda folder: files if folder == "jobs/fit" else ()
    )
    assert isinstance(spec, MLJobDefinitionSpec)
    assert spec.payload == {"train.py": b"print(1)", "lib/a.py": b""}
    assert spec.arguments == ("--rounds", "10", "true")


def test_a_job_takes_folders_files_and_secrets_along() -> None:
    node = TaskNode(
        "fit",
        JobBody("jobs/fit", "train.py"),
        OnPool("POOL"),
        imports=("lib/shared", "tools/one.py"),
        secrets={"TOKEN": "vault.hub"},
        artifact_repositories=("ops.pypi",),
    )
    files = {
        "jobs/fit": (File("train.py", b"fit"),),
        "lib/shared": (File("a/b.py", b"b"),),
        "tools/one.py": (File("one.py", b"one"),),
    }
    spec = definition_of(named_graph(graph(node)), node, None, files.__getitem__)
    assert isinstance(spec, MLJobDefinitionSpec)
    assert spec.payload == {"train.py": b"fit", "shared/a/b.py": b"b", "one.py": b"one"}
    secret = {
        "snowflakeSecret": {"objectName": "VAULT.HUB"},
        "secretKeyRef": "secret_string",
        "envVarName": "TOKEN",
    }
    overrides = {"spec": {"containers": [{"name": "main", "secrets": [secret]}]}}
    given = registration(spec, graph(node).target)
    assert given["spec_overrides"] == overrides
    assert given["artifact_repositories"] == ["OPS.PYPI"]
    assert json.dumps(overrides) in spec.preview_sql


def test_a_procedure_is_called_with_sql_values() -> None:
    arguments = ("it's", 1, 0.5, True, None, (1, "a"), {"k": "v'"}, config("k"))
    node = TaskNode("p", CallBody("ops.load", arguments), WAREHOUSE)
    assert body(graph(node), "p") == (
        "CALL OPS.LOAD('it''s', 1, 0.5, TRUE, NULL, PARSE_JSON('[1,\"a\"]'), PARSE_JSON('{\"k\":\"v''\"}'),"
        " SYSTEM$GET_TASK_GRAPH_CONFIG('k'))"
    )


def test_references_inside_lists_and_mappings_keep_their_types() -> None:
    values = (config("k"), {"a": None, "b": [result("prepare", "n")]}, True)
    node = TaskNode("p", CallBody("load", (values,)), WAREHOUSE, after=("prepare",))
    made = graph(sql("prepare"), node, config={"k": 0.5})
    assert body(made, "p") == (
        "CALL LOAD(ARRAY_CONSTRUCT(PARSE_JSON(SYSTEM$GET_TASK_GRAPH_CONFIG('k')),"
        " OBJECT_CONSTRUCT_KEEP_NULL('a', NULL, 'b', ARRAY_CONSTRUCT("
        "GET_PATH(PARSE_JSON(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$PREPARE')), 'n'))), TRUE))"
    )


@pytest.mark.parametrize("text", ["select 1", "select 1;", "\n select 1 ;\n"])
def test_sql_is_left_as_written(text: str) -> None:
    assert body(graph(TaskNode("q", SqlBody(text), WAREHOUSE)), "q") == "select 1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("it's", "'it''s'"),
        (Template(("a ", config("k"))), "'a ' || SYSTEM$GET_TASK_GRAPH_CONFIG('k')"),
        (config("odd key"), "SYSTEM$GET_TASK_GRAPH_CONFIG('[\"odd key\"]')"),
        (
            Reference(Source.RUN, None, ("id",)),
            "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID')",
        ),
        (result("fit"), "PARSE_JSON(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$FIT'))::STRING"),
        (
            result("fit", "metrics", 0, "a b"),
            "GET_PATH(PARSE_JSON(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$FIT')),"
            " 'metrics[0][\"a b\"]')::STRING",
        ),
        (
            result("check"),
            "CASE SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$CHECK') WHEN 'TELL' THEN 'good' END",
        ),
        ((1, "a"), "'[1,\"a\"]'"),
    ],
)
def test_a_message_reads_its_references_when_it_is_sent(value: Any, expected: str) -> None:
    made = graph(
        sql("fit"),
        sql("check", after=("fit",), outcomes={"good": ("tell",)}),
        TaskNode("tell", NotifyBody("alerts", value), WAREHOUSE, after=("check",)),
    )
    assert body(made, "tell") == (
        "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION("
        + (
            f"SNOWFLAKE.NOTIFICATION.TEXT_PLAIN({expected})"
            if "SYSTEM$" not in expected
            else f"'{{\"text/plain\":' || TO_JSON(TO_VARIANT({expected})) || '}}'"
        )
        + ", SNOWFLAKE.NOTIFICATION.INTEGRATION('ALERTS'))"
    )


def test_an_email_has_receivers_and_a_subject() -> None:
    made = graph(TaskNode("tell", NotifyBody("mail", "done", ("a@example.com", "b@example.com")), WAREHOUSE))
    assert body(made, "tell").endswith(
        "SNOWFLAKE.NOTIFICATION.EMAIL_INTEGRATION_CONFIG('MAIL', 'clv: tell',"
        " ARRAY_CONSTRUCT('a@example.com', 'b@example.com')))"
    )
