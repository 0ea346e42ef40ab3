"""Exported runs: the same document out of JSON and out of Parquet, and nothing but that."""

from __future__ import annotations

import sys
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.base.errors import NotSupportedYet, UsageError
from sfml.base.exported_runs import exported_content, exported_document

times = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat())
numbers = st.none() | st.integers(0, 2**53)
tasks = st.fixed_dictionaries(
    {
        "name": st.text(min_size=1),
        "state": st.none() | st.sampled_from(["SUCCEEDED", "FAILED"]),
        "duration_ms": numbers,
    }
)
runs = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": st.uuids().map(str),
            "started_at": st.none() | times,
            "duration_ms": numbers,
            "outcome": st.text(),
            "tasks": st.lists(tasks, max_size=4),
        }
    ),
    max_size=4,
    unique_by=lambda run: run["run_id"],
)


def document(own: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format_version": 1, "pipeline": "shop", "target": "prod", "runs": own}


@given(runs)
def test_both_formats_give_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, own: Any) -> None:
    folder = tmp_path_factory.mktemp("runs")
    for name in ("runs.json", "runs.parquet", "RUNS.PARQUET"):
        file = folder / name
        file.write_bytes(exported_content(document(own), file))
        assert exported_document(file) == document(own)


def test_the_table_is_one_that_others_read(tmp_path: Path) -> None:
    run = {
        "run_id": "r1",
        "started_at": "2026-11-30T01:02:03.000004+00:00",
        "duration_ms": 9,
        "outcome": "succeeded",
    }
    done = {"name": "load", "state": "SUCCEEDED", "duration_ms": 5}
    file = tmp_path / "runs.parquet"
    file.write_bytes(
        exported_content(document([{**run, "tasks": [done]}, {**run, "run_id": "r2", "tasks": []}]), file)
    )
    first, second = pyarrow.parquet.read_table(file).to_pylist()
    assert (first["pipeline"], first["run_id"], first["task"], first["duration_ms"]) == (
        "shop",
        "r1",
        "load",
        5,
    )
    assert first["started_at"].isoformat() == run["started_at"] and first["run_duration_ms"] == 9
    assert (second["run_id"], second["task"], second["state"]) == ("r2", None, None)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    run = {"run_id": "r1", "started_at": None, "duration_ms": 9, "outcome": "succeeded", "tasks": []}
    whole = exported_content(document([run]), file)
    other = pyarrow.table({"a": [1]})
    named = pyarrow.table({"a": [1]}, schema=pyarrow.schema([("a", pyarrow.int64())], {b"sfml": b"[]"}))
    for content in (b"", b"no table", whole[:-9], whole[:4] + b"\xff" * 200 + whole[204:]):
        file.write_bytes(content)
        with pytest.raises(UsageError, match=r"cannot be read|holds no exported runs"):
            exported_document(file)
    for table in (other, named):
        pyarrow.parquet.write_table(table, file)
        with pytest.raises(UsageError, match="holds no exported runs"):
            exported_document(file)
    with pytest.raises(UsageError, match="cannot be read"):
        exported_document(tmp_path / "missing.parquet")


def test_without_pyarrow_json_works_and_parquet_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    file = tmp_path / "runs.json"
    file.write_bytes(exported_content(document([]), file))
    assert exported_document(file) == document([])
    with pytest.raises(NotSupportedYet, match="Parquet needs pyarrow") as error:
        exported_content(document([]), tmp_path / "runs.parquet")
    assert "sfml-snowflake[snowflake]" in str(error.value.help)
