"""Programs written as Snowflake's documentation writes them, each unchanged and in a process of its own."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("snowflake.core") is None, reason="the programs need snowflake.core"
)


def test_dag_of_functions(run_program: Any) -> None:
    told = run_program("dag_of_functions.py")
    assert set(told.pop("followed")) >= {"EXECUTING"}
    assert told == {
        "name": "FUNCTIONS",
        "state": "SUCCEEDED",
        "error": None,
        "errors": 0,
        "states": {
            "FUNCTIONS": "SUCCEEDED",
            "FUNCTIONS$COUNT_ROWS": "SUCCEEDED",
            "FUNCTIONS$CHOOSE": "SUCCEEDED",
            "FUNCTIONS$LARGE": "SUCCEEDED",
            "FUNCTIONS$SMALL": "SKIPPED",
            "FUNCTIONS$TIDY": "SUCCEEDED",
        },
        "values": {
            "FUNCTIONS$COUNT_ROWS": "2",
            "FUNCTIONS$CHOOSE": "large",
            "FUNCTIONS$LARGE": "LARGE",
            "FUNCTIONS$TIDY": "SFML.PUBLIC.FUNCTIONS",
        },
    }


def test_graph_in_sql(run_program: Any) -> None:
    assert run_program("graph_in_sql.py", from_nothing=True) == {
        "members": {"NIGHTLY": "started", "LOAD": "started", "CHECK_ROWS": "started", "REPORT": "started"}
        | {"TIDY": "started"},
        "scheduled": ["SCHEDULED"],
        "graph": ["SUCCEEDED", "EXECUTE TASK", {"rows": 1000, "to": {"schema": "A"}}],
        "states": dict.fromkeys(("NIGHTLY", "LOAD", "CHECK_ROWS", "REPORT", "TIDY"), "SUCCEEDED"),
        "reported": [1000],
        "mail": [{"INTEGRATION": "mail", "SUBJECT": "done", "RECIPIENTS": '["a@example.com"]'}],
        "roots": [["NIGHTLY", "suspended", "USER_SUSPENDED"]],
    }


def test_task_crud(run_program: Any) -> None:
    assert run_program("task_crud.py") == {
        "created": ["CRUD", 3600.0, "LOCAL_WH", "suspended"],
        "conflict": 409,
        "kept": "select 1",
        "altered": ["select 3", "0 9 * * 1-5", "America/New_York", "changed", True],
        "replaced": [None, None, None],
        "tags": {"COST": "ml", "TEAM": "data"},
        "left": {"COST": "ml"},
        "dependents": ["CRUD", "CRUD_CHILD"],
        "roots": ["CRUD"],
        "state": "started",
        "gone": 404,
    }


def test_stored_procedures(run_program: Any) -> None:
    assert run_program("stored_procedures.py") == {
        "permanent": ["COPIED", 3],
        "called": "COPIED",
        "decorated": [10.0, 5.0],
        "table": [[3, "3"], [4, "4"]],
        "file": 42,
        "udf": [1, 2, 3, 4, 5],
        "by_name": [4],
        "vectorized": [0.0, 1.5, 3.0, 4.5, 6.0],
        "listed": ["MY_COPY"],
        "left": [],
    }


def test_staged_data(run_program: Any) -> None:
    assert run_program("staged_data.py") == {
        "put": ["landing/in/day1.csv.gz", "landing/in/day2.csv.gz"],
        "queried": [[1, "tea"], [2, "milk"], [2, "milk"], [3, "salt"]],
        "read": [[1, "tea", 2.5], [2, "milk", 1.0]],
        "loaded": [["LOADED", 2, 0], ["PARTIALLY_LOADED", 1, 1]],
        "merged": [0, 2],
        "unloaded": [[1, 2.5], [2, 1.25]],
        "left": ["landing/kept/prices.parquet"],
    }
