"""`sfml init`: what it makes validates, passes its own tests, compiles, and runs on the local Snowflake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fork_server
import jsonschema
import pytest
from conftest import Project
from here import Here

from sfml.base.resources import schema
from sfml.cli.entry import GROUPS, run
from sfml.cli.init_command import name_after, package_for


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("my-shop", "my_shop"),
        ("Churn Models (v2)", "churn_models_v2"),
        ("2024", "pipeline_2024"),
        ("", "pipeline"),
        ("日本", "pipeline"),
        ("null", "null_pipeline"),
        ("_x_", "x"),
    ],
)
def test_a_pipeline_is_named_after_its_folder(folder: str, name: str) -> None:
    assert name_after(folder) == name


@pytest.mark.parametrize(
    ("pipeline", "package"),
    [
        ("my_shop", "my_shop"),
        ("Churn", "churn"),
        ("json", "json_steps"),
        ("class", "class_steps"),
        ("yaml", "yaml_steps"),
    ],
)
def test_a_step_package_hides_no_other_module(pipeline: str, package: str) -> None:
    assert package_for(pipeline) == package


@pytest.mark.parametrize("name", ["my-shop", "json", "Null", "tests", "PIPELINE"])
def test_what_it_makes_is_right(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run(["init", "-o", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    jsonschema.validate(made, schema("output/init.schema.json"))
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == set(made["files"])
    assert run(["validate", "."]) == 0
    assert "0 errors, 0 warnings in 1 pipeline" in capsys.readouterr().out
    for path in folder.rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.partition("=")[2]).is_file(), path
    for key in json.loads((folder / ".vscode/settings.json").read_text())["yaml.schemas"]:
        assert (folder / key).is_file()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert run(["init", str(tmp_path)]) == 1
    assert "already has `README.md`; nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"
    (tmp_path / "README.md").unlink()
    assert run(["init", str(tmp_path)]) == 0
    assert run(["init", str(tmp_path)]) == 1


@pytest.mark.parametrize("name", ["a b", "1x", "null", "x;drop"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    assert run(["init", str(tmp_path), "--name", name]) == 2
    assert list(tmp_path.iterdir()) == []


def test_code_is_in_the_style_of_the_house(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path / "shop"), "-q"]) == 0
    ruff = Path(sys.executable).with_name("ruff")
    for arguments in (("check", "--select", "E,F,UP,B"), ("format", "--check")):
        command = (str(ruff), *arguments, "--isolated", "--line-length=110", "--target-version=py311", ".")
        done = subprocess.run(command, cwd=tmp_path / "shop", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_runs_on_the_local_snowflake_and_its_tests_pass(tmp_path: Path) -> None:
    (tmp_path / "my-shop").mkdir()
    project = Project(tmp_path / "my-shop")
    try:
        assert "sfml apply specs/my_shop.yaml --run" in project.sfml("init").out
        words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
        tests = fork_server.run(words, cwd=project.folder, env=os.environ, timeout=300)
        assert tests.returncode == 0, tests.stdout + tests.stderr
        project.sfml("compile", "specs/my_shop.yaml")
        project.sfml("apply", "specs/my_shop.yaml", "--auto-approve", "-q")
        done = project.sfml("run", "specs/my_shop.yaml", "-o", "json").json
        assert done["state"] == "SUCCEEDED"
        states = {task["name"]: task["state"] for task in done["tasks"]}
        assert states["publish"] == "SUCCEEDED"
        assert states["report"] in ("SKIPPED", None)
        assert states["cleanup"] == "SUCCEEDED"
        assert project.sfml("plan", "specs/my_shop.yaml", "--detailed-exitcode").code == 0
    finally:
        project.sfml("local", "stop", ok=None)


def test_alone_it_says_what_to_do_first(tmp_path: Path) -> None:
    """Every command that it names is carried out as it is written, but for who is asked."""
    outside = Here(tmp_path)
    said = outside.sfml().out
    steps = [line.split("   ")[0].strip() for line in said.splitlines() if line.startswith("  ")]
    assert steps[:2] == ["sfml init shop", "cd shop"] and "sfml --help" in said
    outside.sfml("init", "shop")
    shop = Here(tmp_path / "shop")
    assert "has 1 pipeline: shop." in shop.sfml().out
    try:
        for step in steps[2:]:
            more = ("--auto-approve",) if step.startswith("sfml apply") else ()
            shop.sfml(*step.split()[1:], *more)
    finally:
        shop.sfml("local", "stop", ok=None)


def test_help_groups_every_command(tmp_path: Path) -> None:
    shown = Here(tmp_path).sfml("--help").out
    for title, commands in GROUPS.items():
        assert f"{title}:" in shown
        assert all(f"\n  {name} " in shown for name in commands)
