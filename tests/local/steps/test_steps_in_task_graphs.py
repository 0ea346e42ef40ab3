"""The runtime and the finalizer's clean-up inside real task graphs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark import Session

from sfml_local.http.app import LocalServer

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent

STAGE = "@SFML.STEPS.SFML"


@pytest.fixture
def steps(server: LocalServer) -> Iterator[Session]:
    """A session in an empty schema with the pipeline's stage."""
    with Session.builder.configs(server.connect_args()).create() as session:
        session.sql("CREATE OR REPLACE SCHEMA STEPS").collect()
        session.use_schema("STEPS")
        session.sql("CREATE STAGE SFML").collect()
        yield session


def body(task: str, step: str, arguments: dict[str, Any] | None = None, **more: Any) -> str:
    """A task's body that runs a step, with the code taken from the checkout instead of an archive."""
    call = {
        "pipeline": "clv",
        "task": task,
        "step": step,
        "root": "CLV",
        "stage": STAGE,
        "with": arguments or {},
        **more,
    }
    text = json.dumps(call).replace("\\", "\\\\").replace("'", "''")
    return f"""WITH SFML_STEP AS PROCEDURE (CALL STRING)
RETURNS STRING
LANGUAGE PYTHON
RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python')
HANDLER = 'main'
AS $$
import sys
sys.path[:0] = [{str(ROOT / "steps")!r}, {str(HERE)!r}]
def main(session, call):
    from sfml_steps.runtime import run_step
    return run_step(session, call)
$$
CALL SFML_STEP('{text}')"""


def create(session: Session, task: str, clauses: str, definition: str) -> None:
    session.sql(f"CREATE TASK {task} {clauses} AS {definition}").collect()
    if "AFTER" in clauses or "FINALIZE" in clauses:
        session.sql(f"ALTER TASK {task} RESUME").collect()


def run(session: Session, how: str = "") -> dict[str, tuple[str, str | None]]:
    """Run the graph once more and answer task → (state, return value) of the latest attempt."""
    before = finished(session)
    session.sql(f"EXECUTE TASK CLV {how}").collect()
    deadline = time.monotonic() + 60
    while finished(session) == before:
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.05)
    rows: Any = session.sql(
        "SELECT NAME, STATE, RETURN_VALUE, ERROR_MESSAGE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY NAME ORDER BY QUERY_START_TIME DESC) = 1"
    ).collect()
    return {row["NAME"]: (row["STATE"], row["RETURN_VALUE"] or row["ERROR_MESSAGE"]) for row in rows}


def finished(session: Session) -> int:
    rows: Any = session.sql(
        "SELECT COUNT(*) FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS(ROOT_TASK_NAME => 'CLV'))"
        " WHERE SCHEMA_NAME = 'STEPS'"
    ).collect()
    return int(rows[0][0])


def files(session: Session) -> list[str]:
    rows: Any = session.sql(f"LIST {STAGE}/clv/runs/").collect()
    return sorted(row["name"].rpartition("/")[2] for row in rows)


@pytest.fixture
def graph(steps: Session) -> Session:
    """`write` keeps a file, `use` reads it once the table SWITCH is there, `cleanup` is the finalizer."""
    create(steps, "CLV", """CONFIG = '{"greeting": "hello"}'""", "SELECT 1")
    create(
        steps, "CLV$WRITE", "AFTER CLV", body("write", "graph_steps.write", {"text": {"$config": "greeting"}})
    )
    create(steps, "CLV$SWITCH", "AFTER CLV$WRITE", "SELECT * FROM SWITCH")
    create(
        steps,
        "CLV$USE",
        "AFTER CLV$SWITCH",
        body(
            "use",
            "graph_steps.use",
            {"path": {"$result": ["CLV$WRITE", "path"]}},
        ),
    )
    cleanup = body("cleanup", "sfml_steps.cleanup.remove_run_artifacts", {"keep_days": 14})
    create(steps, "CLV$CLEANUP", "FINALIZE = CLV", cleanup)
    return steps


def test_a_failed_run_keeps_its_files_until_a_retry_has_used_them(graph: Session) -> None:
    first = run(graph)
    assert first["CLV$SWITCH"][0] == "FAILED"
    assert "CLV$USE" not in first
    assert first["CLV$CLEANUP"][0] == "SUCCEEDED", first["CLV$CLEANUP"][1]
    assert files(graph) == ["greeting.txt"]

    graph.sql("CREATE TABLE SWITCH AS SELECT 1 AS A").collect()
    retried = run(graph, "RETRY LAST")
    assert retried["CLV$USE"] == ("SUCCEEDED", '{"text":"hello","from":"write"}')
    assert files(graph) == []


def test_files_of_other_runs_stay_until_they_are_old(graph: Session) -> None:
    graph.sql("CREATE TABLE SWITCH AS SELECT 1 AS A").collect()
    graph.file.put_stream(BytesIO(b"x"), f"{STAGE}/clv/runs/other/t/young.txt", auto_compress=False)
    assert {state for state, _ in run(graph).values()} == {"SUCCEEDED"}
    assert files(graph) == ["young.txt"]


def test_an_undeclared_outcome_fails_its_task_with_a_sentence(steps: Session) -> None:
    create(steps, "CLV", "", "SELECT 1")
    outcomes = {"good": "GOOD", "bad": "BAD"}
    create(
        steps,
        "CLV$CHECK",
        "AFTER CLV",
        body("check", "graph_steps.answer", {"value": "goood"}, outcomes=outcomes),
    )
    state, reason = run(steps)["CLV$CHECK"]
    assert state == "FAILED"
    assert "graph_steps.answer returned 'goood', which is none of its outcomes (good, bad)" in str(reason)
