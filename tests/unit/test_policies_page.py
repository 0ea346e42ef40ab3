"""The page on policies: its examples are executed, and its tables are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sfml.base.resources import schema
from sfml.cli.entry import run
from sfml.policies.fields import fields_of
from sfml.policies.policy_set import every_preset

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"
TEXT = PAGE.read_text(encoding="utf-8")
STEPS = """\
from typing import Literal

from sfml_steps import Context, step


@step
def score(ctx: Context) -> dict[str, object]:
    return {}


@step
def choose(ctx: Context) -> Literal["b", "c"]:
    return "b"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for _, file, text in re.findall(r"^```(yaml|python)\n# (\S+)\n(.*?)^```", TEXT, re.M | re.S):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    for file, text in {
        "training/train.py": "print('trained')\n",
        "steps/team/__init__.py": "",
        "steps/team/work.py": STEPS,
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    assert run(["policies", "trust", "--auto-approve", "-q"]) == 0
    return tmp_path


def test_every_test_of_the_page_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policies", "test", "-o", "json", "--junit", "out/tests.xml"]) == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(schema("output/policies.schema.json")).validate(document)
    assert {one["result"] for one in document["tests"]} == {"passed"}
    assert {one["policy"] for one in document["tests"]} == set(re.findall(r"\bML\d\d\d\b", TEXT))
    assert (project / "out" / "tests.xml").read_text(encoding="utf-8").count("<testcase") == len(
        document["tests"]
    )


def test_a_wrong_policy_fails_its_test(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, old, new in (
        ("team.yaml", "at_most: 4h", "at_most: 6h"),
        ("team.py", '== "0"', '== "1"'),
    ):
        path = project / "policies" / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    run(["policies", "trust", "--auto-approve", "-q"])
    assert run(["policies", "test", "-k", "hour", "-k", "long and short"]) == 1
    shown = capsys.readouterr().out
    assert (
        "expected findings about a, found none" in shown and "expected 1 finding, found 0 findings" in shown
    )


def test_untrusted_policies_are_not_called_tested(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "policies" / "team.py").write_text(
        (project / "policies" / "team.py").read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )
    assert run(["policies", "test"]) == 1
    assert "is not applied: its code is not trusted or not allowed" in capsys.readouterr().out


def test_validate_prints_what_the_page_shows(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"^```console\n\$ sfml (validate shop.*?)^```", TEXT, re.M | re.S)
    typed, _, output = shown.partition("\n")
    assert run(typed.split()) == 0
    seconds = re.compile(r"\(\d+\.\d\d s\)")
    assert seconds.sub("", capsys.readouterr().out) == seconds.sub("", output)


def test_the_list_has_every_policy(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policies", "list", "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(schema("output/policies.schema.json")).validate(document)
    levels = {one["code"]: one["severity"]["prod"] for one in document["policies"]}
    assert levels["SFP101"] == "warning" and levels["ML101"] == "error"
    assert run(["policies", "list"]) == 0
    assert "4 in Python, trusted" in capsys.readouterr().out
    for code in levels:
        assert run(["policies", "explain", code.lower()]) == 0
        assert run(["explain", code]) == 0
        assert run(["policies", "explain", code, "-o", "json"]) == 0


def test_the_table_of_presets_is_right() -> None:
    rows = re.findall(r"^\| (?:`(\w+)`)? ?\| (SFP\d+) \| (.*) \|$", TEXT, re.M)
    name, told = "", []
    for preset, code, title in rows:
        name = preset or name
        told.append((name, code, title))
    assert told == [
        (name, one.code, one.title) for name, policies in every_preset().items() for one in policies
    ]


@pytest.mark.parametrize("about", ["task", "pipeline", "change"])
def test_the_table_of_fields_is_whole(about: str) -> None:
    row = next(
        line
        for line in TEXT.splitlines()
        if (line.startswith(f"| `{about}` |") and "`timeout`" in line)
        or line.startswith(f"| `{about}` | `task`")
    )
    told = {name.removesuffix(".…") for name in re.findall(r"`([a-z_.…]+)`", row)}
    own = {
        path
        for path, field in fields_of(about).items()
        if not path.startswith(("pipeline.", "finalizer.")) and (field.kind != "part" or path == "finalizer")
    }
    assert own - told <= {"fields", "risks"}
