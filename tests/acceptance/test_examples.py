"""The examples of `sfml init --example`: each is copied, and its README's commands lead to a run that succeeds."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT
from here import Here

from sfml.base.resources import examples_folder, schema
from sfml.cli.entry import run
from sfml.cli.examples import EXAMPLES, example_files, readme_commands
from sfml.testing.local_snowflake import LocalSnowflake

OF_THEIR_OWN = {"features": "test_features_example.py", "notebooks": "test_notebook.py"}
"""Examples that a test of their own carries out."""

SHORTER = {} if os.environ.get("SFML_TEST_PROFILE") == "deep" else {"segments": ("-t", "few")}
"""Options for the commands of a README that let them take a tenth of the time; with every task in `make test-deep`."""

SHOWN = {
    "champion_challenger": "RETURNS: 2 versions",  # the second run's is better
    "churn": "customers scored",
    "gated_classifier": "(5 rows)",  # of the scores
    "script_folder": "45 days seen",
    "segments": "4 of 4 models" if SHORTER else "100 of 100 models",
    "sql_only": "(7 rows)",  # of the forecast
    "stream_scoring": "(3 rows)",  # that the stream brought
    "two_instances": "trained on 2 nodes",
}
"""What one of the commands says when the example has done what it is for."""


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - OF_THEIR_OWN))
def test_the_commands_of_a_readme_lead_to_a_run(
    name: str, tmp_path: Path, local_snowflake: LocalSnowflake
) -> None:
    example = Here(tmp_path)
    said = example.sfml("init", "--example", name).out
    lines = readme_commands((tmp_path / "README.md").read_text(encoding="utf-8"))
    assert all(f"\n  {line}\n" in said for line in lines)
    commands = [shlex.split(line) for line in lines]
    first = [words[1] for words in commands if words[0] == "sfml"]
    assert {"validate", "test", "apply", "run"} <= set(first)
    shown = ""
    with local_snowflake.serving(tmp_path):
        for words in commands:
            if words[0] != "sfml":
                continue
            more = ("--auto-approve",) if words[1] == "apply" else ()
            if words[1] in ("seed", "apply", "run"):
                more += SHORTER.get(name, ())
            if not (words[1] == "local" and name in SHORTER):  # its table is in the target that was not run
                done = example.sfml(*words[1:], *more)
                assert words[1] != "validate" or "0 errors, 0 warnings" in done.out
                shown += done.out
        assert SHOWN[name] in shown
        example.sfml("plan", "--detailed-exitcode", *SHORTER.get(name, ()))


def test_every_example_is_offered_and_explained() -> None:
    folders = {path.parent.name for path in examples_folder().glob("*/sfml.yaml")}
    assert folders == set(EXAMPLES)
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    for name in EXAMPLES:
        readme = example_files(name)["README.md"].decode()
        assert len(readme.splitlines()) < 40, name
        assert re.search(r"!\[[^\]]+\]\(graph\.svg\)", readme), name
        assert f"(../examples/{name}/README.md)" in page


def test_the_pictures_of_examples_are_current() -> None:
    spec = importlib.util.spec_from_file_location("examples", ROOT / "tools" / "examples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = dict(module.pictures())
    assert {file.parent.name for file in drawn} == set(EXAMPLES)
    for file, text in drawn.items():
        assert file.read_text(encoding="utf-8") == text, "run python tools/examples.py"


def test_what_was_made_in_an_example_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sql_only" / ".sfml" / "local").mkdir(parents=True)
    (tmp_path / "sql_only" / "steps" / "__pycache__").mkdir(parents=True)
    for made in (".sfml/local/token", "steps/__pycache__/a.pyc", "README.md", ".gitignore"):
        (tmp_path / "sql_only" / made).write_text("")
    monkeypatch.setattr("sfml.cli.examples.examples_folder", lambda: tmp_path)
    assert set(example_files("sql_only")) == {"README.md", ".gitignore"}


def test_an_unknown_example_names_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path), "--example", "sql-only"]) == 2
    said = capsys.readouterr().err
    assert "there is no example `sql-only`" in said and "did you mean `sql_only`?" in said
    assert all(name in said for name in EXAMPLES)
    assert run(["init", str(tmp_path), "--example", "zzz"]) == 2
    said = capsys.readouterr().err
    assert "did you mean" not in said and all(name in said for name in EXAMPLES)
    assert run(["init", str(tmp_path), "--example", "churn", "--name", "mine"]) == 2
    assert list(tmp_path.iterdir()) == []
    assert run(["init", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in EXAMPLES)


def test_an_example_is_told_as_json_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", str(tmp_path), "--example", "churn", "-o", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    jsonschema.validate(made, schema("output/init.schema.json"))
    assert made["pipeline"] == "churn"
    assert set(made["files"]) == {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert run(["init", str(tmp_path), "--example", "sql_only"]) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "sql").exists()
