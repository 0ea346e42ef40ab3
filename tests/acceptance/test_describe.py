"""`sfml describe`: the project for programs, in the form of its schema, whatever state its specs are in."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT, Project

from sfml.cli.entry import run

SCHEMA = json.loads((ROOT / "schemas" / "output" / "describe.schema.json").read_text(encoding="utf-8"))
GENERAL = "sfml_steps."


def described(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert run(["describe", *words, "--json"]) == 0
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_this_repository_is_described_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "specs")
    found = described(capsys)
    other = described(capsys, "-t", "dev")
    assert other["targets"] == found["targets"]
    [pipeline] = found["pipelines"]  # type: ignore[misc]
    assert (pipeline["name"], pipeline["spec"], pipeline["target"]) == ("clv", "specs/clv.yaml", "local")
    tasks = {task["name"]: task for task in pipeline["graph"]["tasks"]}
    gate = tasks["check_model_quality"]
    assert gate["outcomes"] == {"promote_model": ["promote_model"], "send_alert": ["send_alert"]}
    assert gate["after"] == ["train_model"]
    file, _, line = gate["place"].partition(":")
    assert (ROOT / file).read_text(encoding="utf-8").splitlines()[
        int(line) - 1
    ].strip() == "check_model_quality:"
    assert tasks["cleanup"]["finalizer"] is True
    assert [target["name"] for target in found["targets"] if target["default"]] == ["local"]  # type: ignore[union-attr,index]
    steps = {step["name"]: step for step in found["steps"]}  # type: ignore[union-attr,index]
    assert len(steps) == len(found["steps"])  # type: ignore[arg-type]
    assert steps["clv.gate.check_model_quality"]["outcomes"] == ["promote_model", "send_alert"]
    names = [one["name"] for one in steps["clv.features.prepare_data"]["parameters"]]
    assert names[:2] == ["source", "calibration_end"]
    assert [name.startswith(GENERAL) for name in steps] == sorted(name.startswith(GENERAL) for name in steps)
    for schema in found["schemas"].values():  # type: ignore[union-attr,attr-defined]
        assert Path(schema).is_file()


def test_it_is_the_same_bytes_each_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert described(capsys) == described(capsys, "clv") == described(capsys, "specs/clv.yaml")


def test_a_spec_with_errors_is_described_as_far_as_it_can_be_read(project: Project) -> None:
    project.write(
        "specs/broken.yaml",
        "version: 1\npipeline: broken\ngraph: {version: 1, tasks: {a: {sql: x, after: [b]}}}\n",
    )
    project.write(
        "steps/mine/code.py",
        "from sfml_steps import step\n\n\n@step\ndef fit(ctx, rate: float = 0.1):\n    ...\n",
    )
    project.write("steps/mine/half.py", "def broken(:\n")
    found = project.sfml("describe", "-o", "json").json
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    states = {one["name"]: (one["errors"] > 0, one["graph"] is None) for one in found["pipelines"]}
    assert states == {"broken": (True, True), "small": (False, False)}
    [own] = [step for step in found["steps"] if not step["name"].startswith(GENERAL)]
    assert own["name"] == "mine.code.fit"
    assert own["parameters"] == [{"name": "rate", "type": "float", "required": False}]


def test_for_people_it_is_short(project: Project) -> None:
    steps = project.sfml("describe", "-o", "json").json["steps"]
    lines = project.sfml("describe").out.splitlines()
    assert lines[0].endswith(f"1 pipeline, {len(steps)} steps, targets local")
    assert lines[2].split() == ["small", "specs/small.yaml", "2", "tasks"]


def test_outside_of_a_project_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["describe"]) == 2
    assert "sfml.yaml" in capsys.readouterr().err


def test_a_project_without_pipelines_is_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sfml.yaml").write_text(
        "version: 1\nsteps: [code]\ntargets: {local: {kind: local, default: true}}\n"
    )
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine.py").write_text(
        "from sfml_steps import Context, step\n\n\n@step\ndef work(ctx: Context) -> int:\n    return 1\n"
    )
    monkeypatch.chdir(tmp_path)
    found = described(capsys)
    assert (found["pipelines"], found["targets"]) == ([], [{"name": "local", "default": True}])
    assert "mine.work" in {step["name"] for step in found["steps"]}  # type: ignore[attr-defined]
    assert run(["describe"]) == 0
    assert "0 pipelines" in capsys.readouterr().out
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: 3\n")
    assert described(capsys)["pipelines"] == []
