"""Durations from exported runs fill what the spec does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sfml.cli.entry import run
from sfml.cost.measured import measured_in, percentile

PROJECT = """\
version: 1
targets:
  prod: {connection: p, account: A, database: D, warehouse: WH, sizes: {WH: {size: XSMALL, auto_suspend: 1m}}}
"""
SPEC = """\
version: 1
pipeline: shop
schedule: {version: 1, schedule: {cron: "0 3 * * *"}}
graph:
  tasks:
    take: {sql: SELECT 1}
    give: {sql: SELECT 1, after: [take], expect: {takes: 1m}}
"""


def exported(minutes: list[int], state: str = "SUCCEEDED", **more: Any) -> str:
    runs = [
        {
            "run_id": f"r{number}",
            "tasks": [
                {"name": "take", "state": state, "duration_ms": minute * 60_000},
                {"name": "give", "state": "SUCCEEDED", "duration_ms": 9_999_999},
            ],
        }
        for number, minute in enumerate(minutes)
    ]
    return json.dumps({"format_version": 1, "pipeline": "shop", "target": "prod", "runs": runs, **more})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cost(capsys: pytest.CaptureFixture[str], *files: str) -> Any:
    capsys.readouterr()
    assert run(["cost", "-o", "json", *(f"--durations={file}" for file in files)]) == 0
    return json.loads(capsys.readouterr().out)


def test_percentiles_of_runs_that_succeeded(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "a.json").write_text(exported(list(range(1, 11))), encoding="utf-8")
    assert cost(capsys)["credits_per_month"]["high"] is None
    found = cost(capsys, "a.json")
    take, give = found["pipelines"][0]["tasks"]
    assert take["seconds_per_run"] == {"low": 60, "high": 540}
    assert give["seconds_per_run"] == {"low": 60, "high": 60}  # what the spec says comes first
    assert found["unknown"] == []
    sentence = "durations of `take` in `shop` are the 10th to 90th percentile of 10 runs in a.json"
    assert found["assumptions"][0] == sentence


def test_runs_in_several_files_count_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "a.json").write_text(exported([1, 2, 3]), encoding="utf-8")
    (project / "b.json").write_text(exported([1, 2, 3, 4]), encoding="utf-8")
    assert "percentile of 4 runs in a.json, b.json" in cost(capsys, "a.json", "b.json")["assumptions"][0]


@pytest.mark.parametrize(
    "text",
    [exported([1], "FAILED"), exported([]), exported([1], target="dev"), exported([1], pipeline="other")],
)
def test_what_does_not_belong_there_is_not_taken(
    text: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a.json").write_text(text, encoding="utf-8")
    assert cost(capsys, "a.json")["credits_per_month"]["high"] is None


def test_files_of_other_pipelines_are_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "a.json").write_text(exported([1], target="dev"), encoding="utf-8")
    (project / "b.json").write_text(exported([1]), encoding="utf-8")
    taken, left, *_ = cost(capsys, "a.json", "b.json")["assumptions"]
    assert taken.startswith("durations of `take`")
    assert left == "nothing is taken from the runs of `shop` in target `dev`, which a.json, b.json hold"


@pytest.mark.parametrize("took", ["NaN", "Infinity", "1e999", "9" * 400, "604800001", "-1", "true"])
def test_a_duration_that_no_task_can_have_is_left_out(
    took: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a.json").write_text(exported([1]).replace("60000", took), encoding="utf-8")
    assert cost(capsys, "a.json")["credits_per_month"]["high"] is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "[" * 100_000, '{"format_version": 2}', exported([1], runs=3)]
)
def test_other_files_are_wrong_usage(text: str, project: Path) -> None:
    (project / "a.json").write_text(text, encoding="utf-8")
    assert run(["cost", "--durations", "a.json"]) == 2
    assert run(["cost", "--durations", "missing.json"]) == 2


@pytest.mark.parametrize("runs", [[1], [{"tasks": 3}], [{"tasks": [{"name": 1, "state": "SUCCEEDED"}, 3]}]])
def test_parts_of_another_form_are_left_out(runs: list[Any], project: Path) -> None:
    (project / "a.json").write_text(exported([], runs=runs), encoding="utf-8")
    assert dict(measured_in([Path("a.json")]).seconds) == {("shop", "prod"): {}}


def test_a_month_takes_them_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "a.json").write_text(exported([30]), encoding="utf-8")
    assert run(["simulate", "--month", "--from", "2026-12-01", "--durations", "a.json"]) == 0
    assert "durations of `take`" in capsys.readouterr().out


def test_percentiles_by_nearest_rank() -> None:
    assert [percentile((7.0,), percent) for percent in (10, 90)] == [7.0, 7.0]
    assert [percentile((1.0, 2.0), percent) for percent in (10, 50, 51, 90)] == [1.0, 1.0, 2.0, 2.0]
