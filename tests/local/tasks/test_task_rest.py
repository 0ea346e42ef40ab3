"""The task endpoints as the unmodified snowflake.core calls them, and as plain HTTP."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

pytest.importorskip("snowflake.core")


@pytest.fixture(scope="module")
def root(server: LocalServer) -> Iterator[Any]:
    import snowflake.connector
    from snowflake.core import Root

    with snowflake.connector.connect(**server.connect_args()) as connection:
        yield Root(connection)


@pytest.fixture
def schema(root: Any) -> Iterator[Any]:
    schema = root.databases["SFML"].schemas["PUBLIC"]
    yield schema
    for task in schema.tasks.iter(root_only=True):
        schema.tasks[task.name].suspend()
    for task in schema.tasks.iter():
        schema.tasks[task.name].drop(if_exists=True)


def test_a_task_comes_back_as_it_was_made(schema: Any) -> None:
    from snowflake.core.task import Cron, Task

    made = Task(
        name="clv",
        definition="select 'it''s'",
        schedule=Cron("0 0 * * 0", "America/New_York"),
        warehouse="WH",
        config={"threshold": 0.4, "name": "x", "on": True},
        session_parameters={"QUERY_TAG": '{"sfml":1}'},
        comment="a\nb",
        user_task_timeout_ms=0,
        suspend_task_after_num_failures=3,
        task_auto_retry_attempts=2,
        allow_overlapping_execution=False,
        error_integration="ERRS",
        condition="1 = 1",
    )
    found = schema.tasks.create(made).fetch()
    for field in [
        "definition",
        "schedule",
        "warehouse",
        "config",
        "session_parameters",
        "comment",
        "user_task_timeout_ms",
        "condition",
        "suspend_task_after_num_failures",
        "task_auto_retry_attempts",
        "error_integration",
    ]:
        assert getattr(found, field) == getattr(made, field), field
    assert (found.name, found.state, found.owner, found.database_name) == (
        "CLV",
        "suspended",
        "SYSADMIN",
        "SFML",
    )
    assert found.allow_overlapping_execution is False
    assert found.created_on.tzinfo is not None


@pytest.mark.parametrize("name", ['"a b"', '"x/y:execute"', '"it\'s 100%"', "A$B", '"ä"'])
def test_names_of_any_kind(schema: Any, name: str) -> None:
    from snowflake.core.task import Task

    task = schema.tasks.create(Task(name=name, definition="select 1", schedule=timedelta(seconds=90)))
    assert task.fetch().name == name
    assert task.fetch().schedule == timedelta(seconds=90)
    task.resume()
    assert task.fetch().state == "started"
    task.suspend()
    task.drop()
    task.drop(if_exists=True)


def test_errors_have_their_classes(schema: Any) -> None:
    from snowflake.core.exceptions import APIError, ConflictError, NotFoundError
    from snowflake.core.task import Task

    task = schema.tasks.create(Task(name="t", definition="select 1"))
    with pytest.raises(ConflictError, match="already exists"):
        schema.tasks.create(Task(name="t", definition="select 1"))
    schema.tasks.create(Task(name="t", definition="select 2"), mode="if_not_exists")
    assert task.fetch().definition == "select 1"
    schema.tasks.create(Task(name="t", definition="select 2"), mode="or_replace")
    assert task.fetch().definition == "select 2"
    for missing in (schema.tasks["nope"].fetch, schema.tasks["nope"].execute, schema.tasks["nope"].drop):
        with pytest.raises(NotFoundError, match="does not exist or not authorized"):
            missing()
    task.resume()
    with pytest.raises(APIError, match="since that root task is not suspended") as refused:
        task.create_or_alter(Task(name="t", definition="select 3"))
    assert (refused.value.status, json.loads(refused.value.body)["code"]) == (400, "091421")


def test_put_replaces_every_setting_and_keeps_the_identity(schema: Any) -> None:
    from snowflake.core.task import Task

    task = schema.tasks["t"]
    task.create_or_alter(Task(name="t", definition="select 1", comment="x", schedule=timedelta(hours=1)))
    before = task.fetch()
    task.create_or_alter(Task(name="t", definition="select 1", warehouse="W"))
    after = task.fetch()
    assert (after.id, after.comment, after.schedule, after.warehouse) == (before.id, None, None, "W")


def test_list_filters(schema: Any) -> None:
    from snowflake.core.task import Task

    for name, after in (("a1", None), ("a2", ["a1"]), ("b1", None)):
        schema.tasks.create(Task(name=name, definition="select 1", predecessors=after))

    def names(**options: Any) -> list[str]:
        return [task.name for task in schema.tasks.iter(**options)]

    assert names() == ["A1", "A2", "B1"]
    assert names(root_only=True) == ["A1", "B1"]
    assert names(like="a%") == ["A1", "A2"]
    assert names(starts_with="B") == ["B1"]
    assert names(limit=1, from_name="A1") == ["A2"]
    assert schema.tasks["a2"].fetch().predecessors == ["A1"]
    assert [t.name for t in schema.tasks["a1"].fetch_task_dependents()] == ["A1", "A2"]


def test_a_dag_is_deployed_run_and_dropped(schema: Any) -> None:
    from snowflake.core import CreateMode
    from snowflake.core.task.dagv1 import DAG, DAGOperation, DAGTask, DAGTaskBranch

    with DAG("graph", schedule=timedelta(days=1), config={"k": "v"}) as dag:
        branch = DAGTaskBranch("branch", "call system$set_return_value('good')")
        DAGTask("first", "select 1") >> branch >> [DAGTask("good", "select 2"), DAGTask("bad", "select 3")]
        DAGTask("last", "select 4", is_finalizer=True)
    operation = DAGOperation(schema)
    operation.deploy(dag)
    operation.deploy(dag, mode=CreateMode.or_replace)
    operation.run(dag)
    deadline = time.monotonic() + 20
    while not operation.get_complete_dag_runs(dag, error_only=False):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    [run] = operation.get_complete_dag_runs(dag, error_only=False)
    assert (run.dag_name, run.state, run.graph_version) == ("GRAPH", "SUCCEEDED", 1)
    assert operation.get_complete_dag_runs(dag) == []
    rows = schema.root.connection.cursor().execute(
        "SELECT NAME, STATE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE RUN_ID = %s", (run.run_id,)
    )
    assert dict(rows) == {
        "GRAPH": "SUCCEEDED",
        "GRAPH$FIRST": "SUCCEEDED",
        "GRAPH$BRANCH": "SUCCEEDED",
        "GRAPH$GOOD": "SUCCEEDED",
        "GRAPH$BAD": "SKIPPED",
        "GRAPH$LAST": "SUCCEEDED",
    }
    operation.drop(dag, drop_finalizer=True)
    assert list(schema.tasks.iter()) == []


# -- plain HTTP


def call(connection: SnowflakeConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of a call with the token of a connection."""
    rest = connection.rest
    assert rest is not None
    request = urllib.request.Request(
        f"http://{rest._host}:{rest._port}/api/v2/databases/sfml/schemas/public/tasks{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f'Snowflake Token="{rest.token}"', "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "", {"name": "x"}, 400, "Missing required field: definition."),
        ("POST", "", [], 400, "not a JSON object"),
        ("POST", "?createMode=maybe", {"name": "x", "definition": "select 1"}, 400, "createMode"),
        (
            "POST",
            "",
            {"name": "a.b", "definition": "select 1"},
            400,
            "Invalid SQL Identifier found in the request: a.b",
        ),
        (
            "POST",
            "",
            {"name": "x", "definition": "s", "schedule": {"hours": 1}},
            400,
            "Invalid field schedule",
        ),
        ("GET", "?showLimit=0", None, 400, "showLimit"),
        ("GET", "/nope", None, 404, "does not exist"),
        ("GET", "/nope/current_graphs", None, 404, "does not exist"),
        ("DELETE", "/nope?ifExists=maybe", None, 404, "does not exist"),
        ("POST", "/nope/explode", None, 404, "No such operation"),
        ("POST", "/nope:explode", None, 405, "not emulated by the local server"),
    ],
)
def test_wrong_calls_are_answered_in_json(
    connection: SnowflakeConnection, method: str, path: str, body: Any, status: int, message: str
) -> None:
    found, answer = call(connection, method, path, body)
    assert found == status
    assert message in answer["message"]
    assert answer["code"] == answer["error_code"]
    assert answer["request_id"]


def test_no_token_no_answer(server: LocalServer) -> None:
    address = f"http://{server.host}:{server.port}/api/v2/databases/sfml/schemas/public/tasks"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address, timeout=20)
    assert refused.value.code == 401


def test_tags(connection: SnowflakeConnection) -> None:
    assert call(connection, "POST", "", {"name": "tagged", "definition": "select 1"})[0] == 200
    tag = {"tag_database": "D", "tag_schema": "S", "tag_name": "cost", "tag_value": "ml"}
    assert call(connection, "POST", "/tagged:set-tags", [tag])[0] == 200
    shown = {**tag, "tag_name": "COST", "level": "TASK"}
    assert call(connection, "GET", "/tagged:get-tags") == (200, [shown])
    assert call(connection, "POST", "/tagged:unset-tags", [tag])[0] == 200
    assert call(connection, "GET", "/tagged:get-tags") == (200, [])
    assert call(connection, "DELETE", "/tagged") == (200, {"status": "TAGGED successfully dropped."})
