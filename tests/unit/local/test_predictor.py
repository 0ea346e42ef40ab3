"""A model's method in a process of its own, fed with Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sfml.local.models.predictors import PredictionError, Predictor, predictor_for, stop

FUNCTION = """
import os, sys
from _snowflake import vectorized

FOLDER = sys._xoptions["snowflake_import_directory"]

@vectorized(input=None, max_batch_size=10)
def infer(frame):
    print("a model may print")
    if frame.iloc[0, 0] == "exit":
        os._exit(7)
    return [{"sum": sum(row.j1), "text": row.a0, "folder": FOLDER} for row in frame.itertuples()]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "predict.py").write_text(FUNCTION)
    yield tmp_path
    stop(tmp_path)


def predictor(folder: Path) -> Predictor:
    return predictor_for(folder, "functions.predict.infer", folder / "log")


def rows(text: str = "it's", numbers: str = "[1, 2]") -> pa.Table:
    return pa.table({"a0": [text, text], "j1": [numbers, "[]"]})


def test_a_method_answers_rows_as_json(folder: Path) -> None:
    first, second = (json.loads(text) for text in predictor(folder).predict(rows()).to_pylist())
    assert first == {"sum": 3, "text": "it's", "folder": f"{folder}/"}
    assert second["sum"] == 0
    assert "a model may print" in (folder / "log").read_text()


def test_an_exception_leaves_the_process_ready(folder: Path) -> None:
    with pytest.raises(PredictionError, match="unsupported operand"):
        predictor(folder).predict(rows(numbers='["a"]'))
    assert predictor(folder).predict(rows()).to_pylist()


def test_a_process_that_died_is_told_and_replaced(folder: Path) -> None:
    with pytest.raises(PredictionError, match="ended with exit code 7"):
        predictor(folder).predict(rows("exit"))
    assert predictor(folder).predict(rows()).to_pylist()


def test_a_process_is_kept_for_the_next_call(folder: Path) -> None:
    first = predictor(folder)
    assert predictor(folder) is first
    stop(folder)
    assert not first.is_running
