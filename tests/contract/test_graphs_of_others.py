"""Graphs that others deployed, read through Snowflake's own clients and taken over; and how few calls a plan takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from snowflake.snowpark import Session

from sfml.frontend.reading import read
from sfml.graph.model import GraphSettings, OnWarehouse, SqlBody, Target, TaskGraph, TaskNode
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.lower.sql import definition_sql
from sfml.operations.apply_plan import planned_graph
from sfml.operations.target_account import TargetAccount
from sfml.plan.diff import RECORD, make_plan
from sfml.plan.graph_import import imported_spec
from sfml.plan.model import ObservedGraph
from sfml.snowflake.connection import open_local
from sfml.snowflake.history import History
from sfml.snowflake.leases import Leases
from sfml.snowflake.objects import use_schema
from sfml.snowflake.snowpark import snowpark_session
from sfml.snowflake.stage import Stage
from sfml.snowflake.tasks import Tasks
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

TARGET = Target("local", "local", "SFML", "THEIRS", "LOCAL_WH")


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[SnowflakeConnection]:
    with LocalServer(tmp_path_factory.mktemp("local"), faults=faults) as server:
        connection = open_local(server.connect_args(), TARGET)
        use_schema(connection, TARGET)
        yield connection
        connection.close()


@pytest.fixture(scope="module")
def tasks(connection: SnowflakeConnection) -> Tasks:
    return Tasks(connection, TARGET)


def execute(connection: SnowflakeConnection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def imported(folder: Path, observed: ObservedGraph, pipeline: str) -> DesiredGraph:
    """The imported spec, compiled in a project of its own."""
    spec = imported_spec(observed, pipeline)
    assert spec.losses == ()
    (folder / "sfml.yaml").write_text(
        "version: 1\ntargets:\n  local: {kind: local, database: SFML, schema: THEIRS}\n", encoding="utf-8"
    )
    for path, content in spec.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    reading = read(folder / spec.entry, user="ada")
    assert reading.graph is not None, reading.diagnostics
    return lower(reading.graph, reading.catalog.closure, "0.1.0")


def left(desired: DesiredGraph, observed: ObservedGraph) -> list[tuple[str, str]]:
    plan = make_plan(desired, observed, adopt=True)
    return [(change.name, field.path) for change in plan.changes for field in change.fields]


def test_a_graph_of_dagv1_is_taken_over_with_its_pickled_functions(
    connection: SnowflakeConnection, tasks: Tasks, tmp_path: Path
) -> None:
    from snowflake.core import Root
    from snowflake.core.task import Cron, StoredProcedureCall
    from snowflake.core.task.dagv1 import DAG, DAGOperation, DAGTask, DAGTaskBranch

    execute(connection, "CREATE STAGE IF NOT EXISTS CODE")

    def prepare(session: Session) -> str:
        return "{{ not ours }} ${neither}\n"

    def gate(session: Session) -> str:
        return "good"

    with DAG(
        "dag",
        schedule=Cron("0 3 * * 1", "Europe/Berlin"),
        warehouse="LOCAL_WH",
        stage_location="@CODE",
        use_func_return_value=True,
        config={"a": 1, "b": '{{ x }} "y"'},
        comment="their graph",
    ) as dag:
        first = DAGTask(
            "prepare",
            StoredProcedureCall(prepare, stage_location="@CODE", packages=["snowflake-snowpark-python"]),
            warehouse="LOCAL_WH",
        )
        branch = DAGTaskBranch("gate", gate, warehouse="LOCAL_WH")
        good = DAGTask("good", "select 'a;b'", warehouse="OTHER_WH", comment="it's {{ fine }}")
        bad = DAGTask("bad", "select 2", is_serverless=True)
        DAGTask("tidy", "select 9", is_finalizer=True, warehouse="LOCAL_WH")
        first >> branch >> [good, bad]
    with snowpark_session(connection) as session:
        DAGOperation(Root(session).databases["SFML"].schemas["THEIRS"]).deploy(dag, mode="orreplace")

    observed = tasks.observed("DAG")
    assert observed is not None and observed.record is None
    desired = imported(tmp_path, observed, "dag")
    assert left(desired, observed) == [("DAG", RECORD)]
    body = (tmp_path / "dag" / "sql" / "prepare.sql").read_text(encoding="utf-8")
    assert body == observed.by_name["DAG$PREPARE"].definition and "pickle.loads" in body
    tasks.suspend("DAG")
    root = desired.root
    tasks.put(root, definition_sql(root), root.comment)
    ours = tasks.observed("DAG")
    assert ours is not None and ours.record is not None
    assert left(desired, ours) == []
    assert {name: task.id for name, task in ours.by_name.items()} == {
        name: task.id for name, task in observed.by_name.items()
    }


def test_a_graph_of_sql_keeps_its_names_and_settings(
    connection: SnowflakeConnection, tasks: Tasks, tmp_path: Path
) -> None:
    execute(
        connection,
        "CREATE TASK \"Night load\" WAREHOUSE = LOCAL_WH SCHEDULE = '30 MINUTES' TIMEZONE = 'Europe/Berlin'"
        " USER_TASK_TIMEOUT_MS = 0 SUSPEND_TASK_AFTER_NUM_FAILURES = 0 OVERLAP_POLICY = ALLOW_ALL_OVERLAP"
        " LOG_LEVEL = 'WARN' COMMENT = 'mixed' AS BEGIN\n  SELECT 1;\n  RETURN 'a';\nEND",
        'CREATE TASK "child 1" USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = \'SMALL\' AFTER "Night load"'
        " WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('Night load')='a' AS SELECT 1 -- to the end",
        'CREATE TASK LAST AFTER "child 1" AS CALL SYSTEM$WAIT(1)',
        'CREATE TASK "f" WAREHOUSE = LOCAL_WH FINALIZE = "Night load" AS SELECT 2',
        "ALTER TASK LAST RESUME",
        'ALTER TASK "child 1" RESUME',
        'ALTER TASK "f" RESUME',
    )
    seen = tasks.observed('"Night load"')
    assert seen is not None
    observed = tasks.in_full(seen)
    assert observed.root.settings["log_level"] == "WARN"
    desired = imported(tmp_path, observed, "night")
    assert [task.name for task in desired.all_tasks] == ['"Night load"', '"child 1"', "LAST", '"f"']
    assert left(desired, observed) == [('"Night load"', RECORD)]


@pytest.mark.parametrize("size", [6, 60])
def test_a_plan_without_changes_takes_two_calls_whatever_its_size(
    connection: SnowflakeConnection, tasks: Tasks, faults: Faults, size: int
) -> None:
    """One for the graph and one for the stage; the login comes before them."""
    account = TargetAccount(
        connection, tasks, Stage(connection, TARGET), History(connection, TARGET), Leases(connection, TARGET)
    )
    nodes = tuple(
        TaskNode(f"t{at}", SqlBody("select 1"), OnWarehouse("LOCAL_WH"), after=(f"t{at - 1}",) if at else ())
        for at in range(size)
    )
    graph = TaskGraph(f"sized_{size}", "specs/sized.yaml", TARGET, GraphSettings(), nodes)
    desired = lower(graph, lambda step: (), "0.1.0")
    for task in desired.all_tasks:
        tasks.put(task, definition_sql(task), task.comment)
        if task.task:
            tasks.resume(task.name)
    account.stage.create()
    faults.forget_calls()
    assert planned_graph(desired, account).plan.is_empty
    assert len([call for call in faults.calls if not call.inside]) == 2


def test_a_finalizer_that_becomes_a_task_is_planned_as_a_replacement(tasks: Tasks) -> None:
    tidy = TaskNode("tidy", SqlBody("select 9"), OnWarehouse("LOCAL_WH"), is_finalizer=True)
    load = TaskNode("load", SqlBody("select 1"), OnWarehouse("LOCAL_WH"))
    graph = TaskGraph("swapped", "specs/swapped.yaml", TARGET, GraphSettings(), (load,), finalizer=tidy)
    before = lower(graph, lambda step: (), "0.1.0")
    for task in before.all_tasks:
        tasks.put(task, definition_sql(task), task.comment)
    child = replace(tidy, is_finalizer=False, after=("load",))
    after = lower(replace(graph, tasks=(load, child), finalizer=None), lambda step: (), "0.1.0")
    plan = make_plan(after, tasks.observed("SWAPPED"))
    assert plan.summary["replace"] == 1
