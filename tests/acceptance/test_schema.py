"""`sfml schema`: what editors read, byte for byte what the validator reads."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

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
    (tmp_path / "file").write_text("")
    assert run(["schema", "--write", str(tmp_path / "file" / "below")]) == 2
