"""tasks.sql as it is compiled, run on an account: it makes the graph that the manifest says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from asking import Sql

from sfml.base.quoting import identifier, qualified, raw
from sfml.frontend.entry_files import entry_files
from sfml.frontend.reading import read
from sfml.lower.desired import DesiredGraph
from sfml.lower.job_folders import job_files
from sfml.lower.lower import lower
from sfml.lower.sql import definition_sql, settings_beyond_create, task_identifier, tasks_sql
from sfml_local.core.account import Account

TESTS = Path(__file__).parents[2]
CORPUS = TESTS / "corpus" / "v1"
PIPELINES = [
    pytest.param(path, id=f"{project.name}-{path.stem}")
    for project in sorted(path.parent for path in CORPUS.glob("*/sfml.yaml"))
    for path in entry_files((str(project),))
]

sys.path.append(str(TESTS / "unit" / "lower"))
from sql_statements import split  # noqa: E402


def compiled(path: Path) -> DesiredGraph:
    reading = read(path, target="local", user="ada")
    assert reading.graph is not None, reading.diagnostics
    return lower(reading.graph, reading.catalog.closure, "0", job_files=job_files(reading.root))


@pytest.mark.parametrize("path", PIPELINES)
def test_tasks_sql_makes_the_graph_and_can_be_run_again(path: Path, shared_account: Account) -> None:
    graph = compiled(path)
    sql = Sql(shared_account)
    sql(f"CREATE DATABASE IF NOT EXISTS {identifier(graph.target.database)}")
    sql(f"CREATE SCHEMA IF NOT EXISTS {qualified(graph.target.database, graph.target.schema)}")
    sql(f"USE SCHEMA {qualified(graph.target.database, graph.target.schema)}")
    statements = [*split(tasks_sql(graph))]
    try:
        for _ in range(2):
            for statement in statements:
                sql(statement)
            shown = {row["name"]: row for row in sql("SHOW TASKS")}
            for task in graph.all_tasks:
                assert_shown(graph, task.name, shown[raw(task.name)])
    finally:
        sql(f"ALTER TASK IF EXISTS {task_identifier(graph, graph.root.name)} SUSPEND")
        for task in reversed(graph.all_tasks):
            sql(f"DROP TASK IF EXISTS {task_identifier(graph, task.name)}")
        shared_account.sessions.close(sql.session)


def assert_shown(graph: DesiredGraph, name: str, row: dict[str, Any]) -> None:
    task = graph.task(name)
    assert row["definition"] == definition_sql(task).strip()
    assert (row["condition"] or None) == task.condition
    assert (row["warehouse"] or None) == (task.warehouse and raw(task.warehouse))
    predecessors = json.loads(row["predecessors"])
    assert sorted(predecessors) == sorted(task_identifier(graph, one) for one in task.predecessors)
    assert (row["comment"] or None) == task.comment
    assert json.loads(row["config"] or "null") == (dict(task.config) if task.config else None)
    relations = json.loads(row["task_relations"])
    root = task_identifier(graph, graph.root.name) if task.finalize else None
    assert relations.get("FinalizedRootTask") == root
    is_triggered = task.schedule is not None
    assert row["state"] == ("started" if task.name != graph.root.name or is_triggered else "suspended")
    assert any(clause.startswith("TAG ") for clause in settings_beyond_create(task)) == bool(task.tags)
