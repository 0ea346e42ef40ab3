"""What cannot work is refused before anything is touched: a message, the place, the right exit code, no traceback."""

from __future__ import annotations

import json

import jsonschema
import pytest
from conftest import ROOT, Project

CASES = {
    "a syntax error": ("pipeline: small", "pipeline: [small", 1, "SF1"),
    "an unknown key": ("after: [first]", "aftr: [first]", 1, "did you mean `after`?"),
    "a wrong type": ("after: [first]", "after: 3", 1, "specs/small.yaml:"),
    "an unknown task in `after`": ("after: [first]", "after: [frist]", 1, "SF203"),
    "a cycle": ("first: {sql: 'select 1'}", "first: {sql: 'select 1', after: [second]}", 1, "first"),
    "a missing step": ("sql: 'select 1'", "step: mine.nowhere.nothing", 1, "mine.nowhere"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("command", ["validate", "apply"])
def test_a_bad_spec_is_told_and_nothing_is_touched(project: Project, command: str, name: str) -> None:
    old, new, code, told = CASES[name]
    project.edit("specs/small.yaml", old, new)
    approve = ("--auto-approve",) if command == "apply" else ()
    done = project.sfml(command, "specs/small.yaml", *approve, ok=False)
    assert done.code == code
    assert told in done.text
    assert "specs/small.yaml:" in done.text, "the place is named with its line"
    assert not (project.folder / ".sfml").exists(), "no server was started"


def test_json_holds_the_findings_too(project: Project) -> None:
    project.edit("specs/small.yaml", "after: [first]", "after: [frist]")
    done = project.sfml("plan", "specs/small.yaml", "-o", "json", ok=False)
    schema = json.loads((ROOT / "schemas" / "output" / "error.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(done.json)
    assert [finding["code"] for finding in done.json["diagnostics"]] == ["SF203"]


def test_findings_have_one_shape_wherever_they_are_told() -> None:
    shapes = [
        json.loads((ROOT / "schemas" / "output" / f"{name}.schema.json").read_text(encoding="utf-8"))
        for name in ("error", "validate")
    ]
    assert len({json.dumps(shape["properties"]["diagnostics"]["items"]) for shape in shapes}) == 1


def test_an_account_that_does_not_answer(project: Project) -> None:
    project.edit(
        "sfml.yaml",
        "targets:",
        "targets:\n  far: {connection: far, database: D, schema: S, warehouse: W, compute_pool: P}",
    )
    toml = (
        '[far]\naccount = "a"\nuser = "u"\npassword = "p"\nhost = "127.0.0.1"\nport = 1\nprotocol = "http"\n'
    )
    project.write(".snowflake/connections.toml", toml).chmod(0o600)
    done = project.sfml("plan", "specs/small.yaml", "-t", "far", ok=False)
    assert done.code == 1
    assert "no connection to Snowflake" in done.err
    assert "help:" in done.err


def test_a_connection_that_nobody_defined(project: Project) -> None:
    project.edit(
        "sfml.yaml",
        "targets:",
        "targets:\n  far: {connection: far, database: D, schema: S, warehouse: W, compute_pool: P}",
    )
    done = project.sfml("plan", "specs/small.yaml", "-t", "far", ok=False)
    assert "there is no connection `far`" in done.err
    assert "snow connection add" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("aply",), "did you mean `apply`?"),
        (("logs",), "Missing argument"),
        (("validate", "specs/nowhere.yaml"), "there is no file, folder or pipeline"),
        (("plan", "specs/small.yaml", "--nope"), "No such option"),
        (("run", "specs/small.yaml", "--config", "threshold"), "name=value"),
        (("apply", "specs/small.yaml", "--config", "a=1"), "--config goes with --run"),
        (("apply", "specs/small.yaml"), "no terminal to ask"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(
    project: Project, arguments: tuple[str, ...], told: str
) -> None:
    done = project.sfml(*arguments, ok=False)
    assert done.code == 2
    assert told in done.err


def test_two_sql_tasks_run_and_a_second_apply_changes_nothing(project: Project) -> None:
    project.sfml("local", "start")
    run = project.sfml("apply", "specs/small.yaml", "--auto-approve", "--run", "-o", "json").json
    assert [(task["name"], task["state"]) for task in run["tasks"]] == [
        ("first", "SUCCEEDED"),
        ("second", "SUCCEEDED"),
    ]
    assert project.sfml("plan", "specs/small.yaml", "--detailed-exitcode").code == 0
    project.edit("specs/small.yaml", "    second: {sql: 'select 2', after: [first]}\n", "")
    project.sfml("apply", "specs/small.yaml", "--auto-approve")
    status = project.sfml("status", "specs/", "-o", "json").json
    assert status["pipelines"][0]["last_run"]["state"] == "SUCCEEDED"


def test_a_run_of_what_is_not_deployed_says_what_to_do(project: Project) -> None:
    done = project.sfml("run", "specs/small.yaml", ok=False)
    assert "sfml apply specs/small.yaml -t local" in done.err
