"""Settings of deployed tasks that differ from the spec, as far as SHOW TASKS tells them."""

from __future__ import annotations

from typing import Any

import pytest

from sfml.account.changed_settings import changed_settings
from sfml.account.deployed import deployed_graph
from sfml.graph.model import CronSchedule, Mode, Target
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.outline import outline_of

JOB = MLJobDefinitionSpec("CLV_FIT_0011", "main.py", {}, "", "jobs", "POOL", preview_sql="")
ROOT = DesiredTask(
    "CLV",
    None,
    SqlDefinition("SELECT 1"),
    kind="root",
    warehouse='"My Wh"',
    schedule=CronSchedule("0 0 * * 0", "UTC"),
    config={"n": 1},
    error_integration='"Bell"',
)
FIT = DesiredTask("CLV$FIT", "fit", JOB, kind="job", predecessors=("CLV",))
TARGET = Target(
    name="prod", kind="account", mode=Mode.PRODUCTION, database="D", schema="S", warehouse="WH", stage="SFML"
)
DESIRED = DesiredGraph("clv", "clv.yaml", TARGET, ROOT, (FIT,), None, ())
ROWS: list[dict[str, Any]] = [
    {
        "name": "CLV",
        "id": "1",
        "state": "started",
        "definition": "SELECT 1;",
        "warehouse": "My Wh",
        "schedule": "USING CRON 0 0 * * 0 UTC",
        "config": '{"n": 1}',
        "error_integration": "Bell",
        "success_integration": "null",
        "condition": None,
    },
    {
        "name": "CLV$FIT",
        "id": "2",
        "state": "started",
        "definition": "CALL SYSTEM$EXECUTE_ML_JOB('D.S.CLV_FIT_0011_', 'POOL', '{}', '{}')",
        "warehouse": None,
        "predecessors": '["D.S.CLV"]',
        "condition": "null",
    },
]


def changed(at: int, **columns: Any) -> dict[str, tuple[str, ...]]:
    """What is found with these columns in one of the rows, in the whole graph as in its outline."""
    rows = [{**row, **(columns if index == at else {})} for index, row in enumerate(ROWS)]
    deployed = deployed_graph(rows, "CLV")
    found = changed_settings(DESIRED, deployed)
    assert found == changed_settings(outline_of(DESIRED), deployed)
    return dict(found)


@pytest.mark.parametrize("warehouse", ["My Wh", '"My Wh"', "MY WH"])
def test_a_graph_as_applied_has_no_changes_however_names_are_shown(warehouse: str) -> None:
    assert changed(0, warehouse=warehouse) == {}


@pytest.mark.parametrize(
    ("at", "columns", "settings"),
    [
        (0, {"definition": "SELECT 2"}, ("definition",)),
        (0, {"warehouse": None}, ("warehouse",)),
        (0, {"warehouse": "OTHER"}, ("warehouse",)),
        (0, {"schedule": None}, ("schedule",)),
        (0, {"schedule": "USING CRON 0 0 * * 0 Europe/Berlin"}, ("schedule",)),
        (0, {"config": '{"n": 2}'}, ("config",)),
        (0, {"config": None}, ("config",)),
        (0, {"config": "no JSON"}, ("config",)),
        (0, {"error_integration": "null"}, ("on_error",)),
        (0, {"success_integration": "BELL"}, ("on_success",)),
        (
            1,
            {"definition": "CALL SYSTEM$EXECUTE_ML_JOB('D.S.CLV_FIT_0022_', 'P', '{}', '{}')"},
            ("definition",),
        ),
        (1, {"definition": "SELECT 1"}, ("definition",)),
        (1, {"warehouse": "WH"}, ("warehouse",)),
        (1, {"condition": "1 = 1"}, ("when",)),
        (1, {"predecessors": '["D.S.CLV", "D.S.MINE"]'}, ("after",)),
    ],
)
def test_what_somebody_changed_is_told(at: int, columns: dict[str, Any], settings: tuple[str, ...]) -> None:
    assert changed(at, **columns) == {("CLV", "CLV$FIT")[at]: settings}


def test_what_is_not_shown_is_not_compared() -> None:
    """A role without the right to it sees no definition; older accounts lack columns."""
    hidden = ("config", "error_integration", "success_integration", "warehouse")
    rows = [
        {**{key: value for key, value in row.items() if key not in hidden}, "definition": None}
        for row in ROWS
    ]
    assert changed_settings(DESIRED, deployed_graph(rows, "CLV")) == {}


def test_tasks_that_are_gone_are_left_to_other_findings() -> None:
    assert changed_settings(DESIRED, deployed_graph(ROWS[:1], "CLV")) == {}
    assert changed_settings(DESIRED, deployed_graph([], "CLV")) == {}
