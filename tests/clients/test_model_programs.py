"""Programs on models and datasets as Snowflake's documentation writes them, each in a process of its own."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("snowflake.ml.registry") is None or find_spec("lightgbm") is None,
    reason="the programs need snowflake.ml.registry and lightgbm",
)


def test_model_lifecycle(run_program: Any) -> None:
    told = run_program("model_lifecycle.py")
    assert told.pop("shown")[1] == ["V1", "V2", "V3", "V4"]
    assert told == {
        "versions": ["V1", "V2", "V3", "V4"],
        "ends": ["V1", "V1", "V4"],
        "comments": ["who leaves and when", "the baseline"],
        "metrics": [0.5, [[1, 2], [3, 4]], {"auc": 0.75}],
        "tags": ["v1", {"SFML.PUBLIC.LIVE_VERSION": "v1"}, {}],
        "aliases": ["V2", "V1"],
        "run": [True, 40, 1, 2, ["AGE_S", "SPEND_S"]],
        "snowpark": 40,
        "sql": [True, True, True],
        "files": [True, True, True],
        "promoted": ["V1", "V2", 3],
        "left": ["V1"],
        "gone": [],
    }


def test_custom_models(run_program: Any) -> None:
    assert run_program("custom_models.py") == {
        "methods": ["DECODE", "PREDICT"],
        "predicted": [102.0, 104.0, 106.0],
        "decoded": ["x1.0", "x2.0", "x3.0"],
        "by_default": ["n1.0", "n2.0", "n3.0"],
        "partitions": [["a", 5, 5.0], ["b", 5, 5.0]],
        "in_sql": [["a", 5, 5.0], ["b", 5, 5.0]],
    }


def test_datasets(run_program: Any) -> None:
    assert run_program("datasets.py") == {
        "versions": ["v1", "v2"],
        "about": [["Y"], ["ID"], "first"],
        "pandas": [[1, 0.5, "a", 1.0], [2, 1.5, None, 3.0], [3, None, "c", 5.0]],
        "features": ["X", "KIND"],
        "snowpark": 9.0,
        "files": ["data_0_0_0.snappy.parquet"],
        "begins": "PAR1",
        "predicted": [1.0, 3.0],
        "problems": [
            "DatasetExistError",
            "DatasetExistError",
            "DatasetNotExistError",
            "DatasetNotExistError",
        ],
        "left": ["v1"],
        "datasets": [],
    }
