"""What the API has no words for, log level and tags and their like, is written, read back and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from sfml.graph.model import GraphSettings, OnWarehouse, SqlBody, StreamSchedule, Target, TaskGraph, TaskNode
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import observed_artefact
from sfml.plan.diff import make_plan
from sfml.snowflake.connection import open_local
from sfml.snowflake.history import History
from sfml.snowflake.leases import Leases
from sfml.snowflake.objects import use_schema
from sfml.snowflake.sql import records, rows
from sfml.snowflake.stage import Stage
from sfml.snowflake.tasks import Tasks
from sfml.testing.pipelines import apply_graph
from sfml_local.http.app import LocalServer

TARGET = Target("local", "local", "SFML", "BEYOND", "LOCAL_WH")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeConnection]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        connection = open_local(server.connect_args(), TARGET)
        use_schema(connection, TARGET)
        rows(connection, "CREATE TABLE ORDERS (A INT)")
        rows(connection, "CREATE STREAM ORDERS_STREAM ON TABLE ORDERS")
        yield connection
        connection.close()


def compiled(name: str, settings: GraphSettings | None = None, **of_task: Any) -> DesiredGraph:
    node = TaskNode("only", SqlBody("select 1"), OnWarehouse("LOCAL_WH"), **of_task)
    other = TaskNode("other", SqlBody("select 2"), OnWarehouse("LOCAL_WH"))
    graph = TaskGraph(name, f"specs/{name}.yaml", TARGET, settings or GraphSettings(), (node, other))
    return lower(graph, lambda step: (), "0.1.0")


def applied(connection: SnowflakeConnection, graph: DesiredGraph) -> list[tuple[str, str, Any, Any]]:
    """(task, field, old, new) of what was changed; afterwards a plan by somebody who knows nothing is empty."""
    account = TargetAccount(
        connection,
        Tasks(connection, TARGET),
        Stage(connection, TARGET),
        History(connection, TARGET),
        Leases(connection, TARGET),
    )
    plan = apply_graph(graph, account, resume=False).plan
    assert make_plan(graph, Tasks(connection, TARGET).observed(graph.root.name), resume=False).is_empty
    return [
        (change.task, field.path, _plain(field.old), _plain(field.new))
        for change in plan.changes
        for field in change.fields
    ]


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value


def parameter(connection: SnowflakeConnection, task: str, key: str) -> tuple[str, str]:
    shown = records(connection, f"SHOW PARAMETERS LIKE '{key}' IN TASK {task}")
    return shown[0]["value"], shown[0]["level"]


def test_a_log_level_is_written_altered_and_taken_away(connection: SnowflakeConnection) -> None:
    applied(connection, compiled("levels", log_level="INFO"))
    assert parameter(connection, "LEVELS$ONLY", "LOG_LEVEL") == ("INFO", "TASK")
    assert applied(connection, compiled("levels", log_level="DEBUG")) == [
        ("only", "log_level", "INFO", "DEBUG")
    ]
    assert applied(connection, compiled("levels")) == [("only", "log_level", "DEBUG", None)]
    assert parameter(connection, "LEVELS$ONLY", "LOG_LEVEL")[1] == ""


def test_a_log_level_that_somebody_changed_is_set_again(connection: SnowflakeConnection) -> None:
    graph = compiled("drifting", log_level="INFO")
    applied(connection, graph)
    rows(connection, "ALTER TASK DRIFTING$ONLY SET LOG_LEVEL = 'ERROR'")
    assert applied(connection, graph) == [("only", "log_level", "ERROR", "INFO")]


def test_a_trigger_interval_survives_a_change_of_something_else(connection: SnowflakeConnection) -> None:
    key = "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS"
    every_minute = GraphSettings(schedule=StreamSchedule(("ORDERS_STREAM",), 60))
    applied(connection, compiled("triggered", every_minute))
    assert parameter(connection, "TRIGGERED", key) == ("60", "TASK")
    retrying = GraphSettings(schedule=StreamSchedule(("ORDERS_STREAM",), 60), retries=1)
    assert applied(connection, compiled("triggered", retrying)) == [("triggered", "retries", 0, 1)]
    assert parameter(connection, "TRIGGERED", key) == ("60", "TASK")
    as_it_comes = GraphSettings(schedule=StreamSchedule(("ORDERS_STREAM",), None), retries=1)
    assert applied(connection, compiled("triggered", as_it_comes)) == [
        ("triggered", "minimum_trigger_interval", 60, 30)
    ]
    assert parameter(connection, "TRIGGERED", key)[1] == ""


def test_tags_of_the_spec_come_and_go_and_those_of_others_stay(connection: SnowflakeConnection) -> None:
    applied(connection, compiled("tagged", tags={"cost": "ml", "gov.tags.owner": "it's"}))
    rows(connection, "ALTER TASK TAGGED$ONLY SET TAG audited = 'yes'")
    assert applied(connection, compiled("tagged", tags={"cost": "bi"})) == [
        ("only", "tags.cost", "ml", "bi"),
        ("only", "tags.gov.tags.owner", "it's", None),
    ]
    applied(connection, compiled("tagged"))
    left = records(
        connection, "SELECT * FROM TABLE(SFML.INFORMATION_SCHEMA.TAG_REFERENCES('TAGGED$ONLY', 'TASK'))"
    )
    assert [(row["TAG_NAME"], row["TAG_VALUE"]) for row in left] == [("AUDITED", "yes")]


def test_contacts_follow_the_record(connection: SnowflakeConnection) -> None:
    def contacts() -> list[tuple[Any, ...]]:
        return rows(
            connection,
            "SELECT PURPOSE, CONTACT FROM SNOWFLAKE.LOCAL.TASK_CONTACTS WHERE TASK_NAME = 'REACHED$ONLY'",
        )

    applied(connection, compiled("reached", contacts={"support": "team", "steward": "gov.people.me"}))
    assert contacts() == [("STEWARD", "GOV.PEOPLE.ME"), ("SUPPORT", "SFML.BEYOND.TEAM")]
    applied(connection, compiled("reached", contacts={"support": "others"}))
    assert contacts() == [("SUPPORT", "SFML.BEYOND.OTHERS")]
    applied(connection, compiled("reached"))
    assert contacts() == []


def test_what_an_apply_set_before_it_was_cut_off_is_found_and_taken_away(
    connection: SnowflakeConnection,
) -> None:
    """The task was written, and the root's record was not."""
    graph = compiled("halved")
    applied(connection, graph)
    meant = compiled("halved", log_level="DEBUG", tags={"cost": "ml"}, contacts={"support": "team"})
    tasks = Tasks(connection, TARGET)
    tasks.put(meant.task("HALVED$ONLY"), "select 1", None)
    found = tasks.observed("HALVED")
    assert found is not None
    assert make_plan(graph, found, resume=False).is_empty, "nobody can know"
    artefact = observed_artefact("halved", TARGET, found)
    assert artefact is not None
    doubted = replace(artefact, tasks=tuple(meant.all_tasks))
    observed = tasks.in_doubt(found, (artefact, doubted))
    changed = {field.path for one in make_plan(graph, observed, resume=False).changes for field in one.fields}
    assert changed == {"log_level", "tags.cost", "contacts.support"}
    tasks.put(graph.task("HALVED$ONLY"), "select 1", None)
    assert parameter(connection, "HALVED$ONLY", "LOG_LEVEL")[1] == ""
    left = rows(
        connection, "SELECT * FROM TABLE(SFML.INFORMATION_SCHEMA.TAG_REFERENCES('HALVED$ONLY', 'TASK'))"
    )
    assert left == []


def test_all_of_it_in_every_task(connection: SnowflakeConnection) -> None:
    everywhere = GraphSettings(log_level="WARN", tags={"cost": "ml"}, contacts={"support": "team"})
    given: dict[str, Any] = {"log_level": "WARN", "tags": {"cost": "ml"}, "contacts": {"support": "team"}}
    graph = compiled("whole", everywhere, **given)
    assert {change[1] for change in applied(connection, graph)} == set()
    assert applied(connection, graph) == []


def test_a_graph_without_any_of_it_is_read_with_one_call(connection: SnowflakeConnection) -> None:
    """SHOW and SELECT of the session are counted by the server's own history of statements."""
    graph = compiled("plain")
    applied(connection, graph)
    said: list[str] = []
    real = connection.cursor

    def cursor(*arguments: Any) -> Any:
        said.append("a statement")
        return real(*arguments)

    connection.cursor = cursor  # type: ignore[method-assign,assignment]
    try:
        assert Tasks(connection, TARGET).observed("PLAIN") is not None
        # `Root` asks for the client's version once.
        assert len(said) <= 1
    finally:
        connection.cursor = real  # type: ignore[method-assign]
