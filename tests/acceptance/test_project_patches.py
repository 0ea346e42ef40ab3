"""What `sfml.yaml` changes of tasks: of some pipeline each, or a finding where all of them are looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfml.cli.entry import run

PROJECT = """version: 1
defaults: {{run_on: {{warehouse: WH}}}}
targets:
  local: {{kind: local, default: true, {patch}}}
  other: {{kind: local}}
"""
LOAD = "version: 1\npipeline: load\ngraph: {tasks: {load: {sql: select 1}, fit_all: {sql: select 1}}}\n"
FIT = """version: 1
pipeline: fit
graph:
  tasks: {fit: {sql: select 1, for_each: {seg: [x, y]}}}
  finalizer: {clean: {sql: select 1}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "load.yaml").write_text(LOAD, encoding="utf-8")
    (tmp_path / "fit.yaml").write_text(FIT, encoding="utf-8")
    return tmp_path


def told(folder: Path, capsys: pytest.CaptureFixture[str], patch: str, *arguments: str) -> list[str]:
    """Each finding's code, path and help."""
    (folder / "sfml.yaml").write_text(PROJECT.format(patch=patch), encoding="utf-8")
    capsys.readouterr()
    run(["validate", *arguments, "-o", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    return [f"{one['code']} {one['path']} {one['help']}" for one in found]


@pytest.mark.parametrize(
    "patch",
    [
        "tasks: {load: {timeout: 5m}}",
        "tasks: {load: null}",
        "tasks: {load: {enabled: false}}",
        "graph: {tasks: {fit: {timeout: 5m}}}",
        "tasks: {fit_x: {timeout: 5m}}",
        "tasks: {fit_all: {timeout: 5m}}",
        "finalizer: {clean: {timeout: 5m}}",
        "finalizer: {clean: {sql: select 2}}",
    ],
)
def test_a_patch_that_one_pipeline_takes(
    folder: Path, capsys: pytest.CaptureFixture[str], patch: str
) -> None:
    assert told(folder, capsys, patch) == []


@pytest.mark.parametrize(
    ("patch", "path", "help"),
    [
        ("tasks: {laod: {timeout: 5m}}", "tasks.laod", "did you mean `load`?"),
        ("graph: {tasks: {laod: null}}", "graph.tasks.laod", "did you mean `load`?"),
        ("tasks: {fit_z: {timeout: 5m}}", "tasks.fit_z", "did you mean `fit"),
        ("tasks: {more: {sql: select 1}}", "tasks.more", "name a task of a pipeline"),
        ("finalizer: {claen: {timeout: 5m}}", "finalizer.claen", "did you mean `clean`?"),
    ],
)
def test_a_patch_that_none_takes(
    folder: Path, capsys: pytest.CaptureFixture[str], patch: str, path: str, help: str
) -> None:
    (finding,) = told(folder, capsys, patch)
    assert finding.startswith(f"SF216 targets.local.{path} {help}")
    assert told(folder, capsys, patch, "load.yaml") == [], "another pipeline may have the task"
    assert told(folder, capsys, patch, "-t", "other") == []


def test_nothing_is_said_while_a_pipeline_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "fit.yaml").write_text("version: 1\npipeline: fit\ngraph: none.yaml\n", encoding="utf-8")
    assert not any(one.startswith("SF216") for one in told(folder, capsys, "tasks: {fits: {timeout: 5m}}"))
