"""Policies at plan and apply: errors refuse, before anything is changed."""

from __future__ import annotations

import json
from contextlib import chdir

import pytest
from jsonschema import Draft202012Validator
from small import APPLY, Small

import sfml
from sfml.base.resources import schema

YAML = """\
version: 1
policies:
  - code: ML1
    title: nothing is dropped
    about: change
    severity: {severity}
    field: action
    condition: {{not_in: [drop]}}
    message: "`{{task}}` is to {{value}}"
  - code: ML2
    title: no task runs for long
    severity: {severity}
    field: timeout
    condition: {{at_most: 30m}}
    message: "`{{task}}` may run for {{value}}"
"""
PYTHON = """\
from sfml.policies import policy

@policy("ML3", severity="{severity}")
def few_changes(plan):
    "A plan creates no task."
    yield from (one.finding(f"`{{one.task}}` is new") for one in plan.changes if one.action == "create")
"""
ONE = "    second: {sql: 'select 2', after: [first]}\n"


def govern(small: Small, severity: str = "error", python: str | None = None) -> None:
    project = small.folder / "sfml.yaml"
    project.write_text(project.read_text(encoding="utf-8") + "policies: {python: true}\n", encoding="utf-8")
    (small.folder / "policies").mkdir()
    (small.folder / "policies" / "a.yaml").write_text(YAML.format(severity=severity), encoding="utf-8")
    if python is not None:
        (small.folder / "policies" / "a.py").write_text(PYTHON.format(severity=python), encoding="utf-8")


def test_a_plan_shows_what_policies_find(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    govern(small)
    small.edit(ONE, "")
    code, text = small.run("plan", "specs/small.yaml")
    assert code == 1 and "error[ML1]: `second` is to drop" in text
    code, text = small.run("plan", "specs/small.yaml", "-o", "json")
    found = json.loads(text)
    Draft202012Validator(schema("output/plan.schema.json")).validate(found)
    assert code == 1 and [one["code"] for one in found["policies"]] == ["ML1"]
    code, text = small.run("plan", "specs/small.yaml", "-o", "markdown")
    assert code == 1 and "| error | ML1 |" in text


def test_an_apply_is_refused_before_anything_changes(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    before = small.bodies()
    govern(small)
    small.edit("select 1", "select 3")
    small.edit(ONE, "    second: {sql: 'select 2', after: [first], timeout: 40m}\n")
    for arguments in (APPLY, (*APPLY, "--dry-run"), ("apply", "specs/", "--auto-approve")):
        code, text = small.run(*arguments)
        assert code == 1 and "error[ML2]: `second` may run for 40m" in text, text
        assert small.bodies() == before
    code, text = small.run(*APPLY, "-o", "json")
    assert code == 1
    found = json.loads(text)
    Draft202012Validator(schema("output/error.schema.json")).validate(found)
    assert found["error"]["message"] == "policies refuse this plan: 1 error"
    assert [one["code"] for one in found["diagnostics"]] == ["ML2"]
    small.edit("40m", "20m")
    assert small.run(*APPLY)[0] == 0
    assert small.bodies() != before


def test_a_warning_refuses_nothing(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    govern(small, "warning")
    small.edit(ONE, "")
    code, text = small.run(*APPLY)
    assert code == 0 and "warning[ML1]: `second` is to drop" in text
    small.edit("    first: {sql: 'select 1'}\n", "    first: {sql: 'select 1', timeout: 40m}\n")
    code, text = small.run(*APPLY, "-o", "json")
    found = json.loads(text)
    Draft202012Validator(schema("output/plan.schema.json")).validate(found)
    assert code == 0 and [one["code"] for one in found["policies"]] == ["ML2"]


def test_policies_in_python_see_the_plan(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(small.folder / "settings"))
    govern(small, python="error")
    code, text = small.run(*APPLY)
    assert code == 1 and "error[SF533]" in text and small.bodies() == {}
    assert small.run("policies", "trust", "--auto-approve")[0] == 0
    code, text = small.run(*APPLY)
    assert code == 1 and "error[ML3]: `first` is new" in text and small.bodies() == {}


def test_an_untrusted_warning_does_not_refuse(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(small.folder / "settings"))
    govern(small, python="warning")
    code, text = small.run(*APPLY)
    assert code == 0 and "warning[SF533]" in text


def test_the_python_interface_refuses_too(small: Small) -> None:
    govern(small)
    small.edit(ONE, "    second: {sql: 'select 2', after: [first], timeout: 40m}\n")
    with chdir(small.folder):
        pipeline = sfml.open(".").pipeline("small")
        assert [one.code for one in pipeline.check()] == ["ML2"]
        with pipeline.connect() as account, pytest.raises(sfml.InvalidSpec, match="policies refuse"):
            account.apply(approve=True)
    assert small.bodies() == {}


def test_what_does_not_deploy_is_not_refused(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    govern(small)
    small.edit(ONE, "    second: {sql: 'select 2', after: [first], timeout: 40m}\n")
    for command in ("status", "suspend", "resume", "history", "cost"):
        assert small.run(command, "specs/small.yaml")[0] == 0, command
    assert small.run("destroy", "specs/small.yaml", "--auto-approve")[0] == 0
