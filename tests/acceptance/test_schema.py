"""`sfml schema`: what editors read, byte for byte what the validator reads."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import ROOT
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from sfml.base.resources import schema, schema_folder
from sfml.cli.entry import run
from sfml.cli.schema_command import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_printed_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out) == schema(f"{name}.schema.json")


def test_every_schema_of_the_language_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.name.removesuffix(".schema.json") for path in schema_folder().glob("*.json")} == set(NAMES)
    assert run(["schema", "-o", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    jsonschema.validate(listed, schema("output/schema.schema.json"))
    assert [one["name"] for one in listed["schemas"]] == list(NAMES)


def test_all_are_written_where_editors_find_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--write", str(tmp_path / "deep" / "schemas"), "-o", "json"]) == 0
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, schema("output/schema.schema.json"))
    assert len(written["written"]) == len(NAMES)
    for name in NAMES:
        file = f"{name}.schema.json"
        assert (tmp_path / "deep" / "schemas" / file).read_bytes() == (schema_folder() / file).read_bytes()


def test_a_name_and_a_folder_make_no_sense_together(tmp_path: Path) -> None:
    assert run(["schema", "tasks", "--write", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()
    assert run(["schema", "unheard_of"]) == 2
    assert run(["schema", "--project"]) == 2
    (tmp_path / "file").write_text("")
    assert run(["schema", "--write", str(tmp_path / "file" / "below")]) == 2


def test_the_names_of_a_project_are_proposed_and_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["schema", "--project", "--write", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert '"specs/clv/job_config.yaml"' in told[told.index('"yaml.schemas"') :]
    own = {name: json.loads((tmp_path / f"{name}.schema.json").read_text(encoding="utf-8")) for name in NAMES}
    registry = Registry().with_resources(
        (f"{name}.schema.json", Resource(one, DRAFT202012)) for name, one in own.items()
    )
    settings = own["job_config"]["$defs"]["task_settings"]["properties"]
    steps = settings["step"]["anyOf"][0]["enum"]
    assert {"clv.train.train_model", "sfml_steps.registry.promote_model"} <= set(steps)
    assert "train_model" in settings["after"]["anyOf"][0]["anyOf"][0]["enum"]
    assert set(own["pipeline"]["properties"]["targets"]["properties"]) == {"local", "dev", "prod"}
    assert "check_model_quality" in own["tests"]["$defs"]["run"]["properties"]["given"]["properties"]
    entry = yaml.safe_load((ROOT / "specs" / "clv.yaml").read_text(encoding="utf-8"))
    job = yaml.safe_load((ROOT / "specs" / "clv" / "job_config.yaml").read_text(encoding="utf-8"))
    entry["targets"]["another"] = {"tasks": {"new_task": {"timeout": "1h"}}, "variables": {"unheard_of": 1}}
    job["tasks"]["new_task"] = {"step": "clv.new.step", "after": ["another"], "run_on": {"pool": "NEW"}}
    job["tasks"]["new_task"]["with"] = {}
    for name, document in (("pipeline", entry), ("job_config", json.loads(json.dumps(job, default=str)))):
        validator = jsonschema.Draft202012Validator(own[name], registry=registry)
        assert [error.message for error in validator.iter_errors(document)] == []
        document["no_such_key"] = 1
        assert len(list(validator.iter_errors(document))) == 1
    assert run(["schema", "--project", "tests"]) == 0
    assert json.loads(capsys.readouterr().out) == own["tests"]
    monkeypatch.chdir(tmp_path)
    assert run(["schema", "--project", "tests"]) == 2
