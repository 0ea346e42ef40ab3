"""Programs with ML Jobs, written as Snowflake's documentation writes them, each in a process of its own."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("snowflake.ml.jobs")


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
    told = run_program("ml_job_files.py")
    assert told == {
        "file": [
            {"total": 6, "greeting": "hello", "warehouse": '"REPORTING_WH"', "count": 4},
            "DONE",
            "done",
        ],
        "directory": [{"total": 3, "greeting": None, "warehouse": '"LOCAL_WH"', "count": 4}, "DONE", "done"],
        "stage": [{"total": 1, "greeting": None, "warehouse": '"LOCAL_WH"', "count": 4}, "DONE", "done"],
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
