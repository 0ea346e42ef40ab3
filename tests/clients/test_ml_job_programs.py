"""Programs with ML Jobs, written as Snowflake's documentation writes them, each in a process of its own."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("snowflake.ml.jobs") is None, reason="the programs need snowflake.ml.jobs"
)


def test_functions(run_program: Any) -> None:
    assert run_program("ml_job_functions.py") == {
        "result": {"mean": 2.0, "rounds": 3, "rows": 5},
        "frame": [2.0, 4.0, 6.0],
        "status": "DONE",
        "logs": ["training on 3 rows"],
        "last": True,
        "cause": ["ValueError", "no such hyperparameter"],
        "failed": ["FAILED", "training on 3 rows"],
        "early": "RUNNING",
        "listed": ["DONE", "FAILED", "CANCELLED"],
        "instances": [1, 1],
        "left": 0,
    }


def test_files_folders_and_stages(run_program: Any) -> None:
    def done(total: int, greeting: str | None, warehouse: str) -> list[object]:
        found = {"total": total, "greeting": greeting, "warehouse": warehouse, "count": 4, "dataset": 4}
        return [found, "DONE", "done"]

    assert run_program("ml_job_files.py") == {
        "file": done(6, "hello", '"REPORTING_WH"'),
        "directory": done(3, None, '"LOCAL_WH"'),
        "stage": done(1, None, '"LOCAL_WH"'),
        "named": True,
    }


def test_a_definition_in_a_graph(run_program: Any) -> None:
    assert run_program("ml_job_in_graph.py") == {
        "by_hand": ["by hand"],
        "state": "SUCCEEDED",
        "error": None,
        "tasks": {
            "TRAINING$PREPARE": ["SUCCEEDED", "42 rows"],
            "TRAINING$TRAIN": ["SUCCEEDED", "model of 42 rows"],
            "TRAINING$PROMOTE": ["SUCCEEDED", "model of 42 rows"],
        },
    }
