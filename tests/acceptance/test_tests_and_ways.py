"""`sfml test` and `sfml simulate`, whole: what they print in every format, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import fork_server
import jsonschema
import pytest
from conftest import ROOT, SFML

from sfml.base.resources import schema
from sfml.cli.entry import run

PROJECT = "version: 1\ndefaults: {run_on: {warehouse: WH}}\ntargets: {local: {kind: local}}\n"
SPEC = """version: 1
pipeline: shop
graph:
  tasks:
    gate: {call: CHECK_STOCK, outcomes: {good: publish, bad: []}}
    publish: {sql: select 1}
tests:
  stock is good:
    given: {gate: good}
    succeeded: [publish]
  "<b>&\\"'\\u0001\\u202e: %0A]]>":
    given: {gate: bad}
    succeeded: [publish]
  it does not say enough:
    skipped: publish
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_results_are_told_with_places(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "shop.yaml"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == [
        "shop on local: 3 tests",
        "  ✓ stock is good",
        "  ✗ <b>&\"'\\x01\\u202e: %0A]]>",
        "  ✗ it does not say enough   (cannot be decided)",
        "",
    ]
    assert "  --> shop.yaml:13:17  " in "\n".join(lines)
    assert "help: give one: `gate: good`, or `bad`" in lines
    assert lines[-1].startswith("1 failed, 1 undecided, 1 passed in 1 pipeline (")


def test_quiet_tells_failures_only(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "shop.yaml", "-q", "-k", "STOCK"]) == 0
    assert capsys.readouterr().out == ""
    assert run(["test", "shop.yaml", "-q"]) == 1
    assert "stock is good" not in capsys.readouterr().out


def test_json_fits_its_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "shop.yaml", "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, schema("output/test.schema.json"))
    assert (told["passed"], told["failed"], told["undecided"]) == (1, 1, 1)
    good, bad, missing = told["pipelines"][0]["tests"]
    assert good["tasks"] == {"gate": "SUCCEEDED", "publish": "SUCCEEDED"}
    assert (bad["state"], bad["tasks"]["publish"]) == ("SUCCEEDED", "SKIPPED")
    assert (bad["findings"][0]["line"], bad["findings"][0]["column"]) == (13, 17)
    assert missing["tasks"] is None


def test_junit_is_xml_whatever_tests_are_called(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "shop.yaml", "-q", "--junit", "out/results.xml"]) == 1
    suites = ElementTree.parse(project / "out" / "results.xml").getroot()
    assert (suites.tag, suites.get("tests"), suites.get("failures"), suites.get("errors")) == (
        "testsuites",
        "3",
        "1",
        "1",
    )
    good, bad, missing = suites.findall("testsuite/testcase")
    assert (good.get("name"), good.get("classname"), len(good)) == ("stock is good", "shop.local", 0)
    assert bad.get("name") == "<b>&\"'\ufffd\u202e: %0A]]>"
    (failure,) = bad.findall("failure")
    assert "shop.yaml:13:17" in (failure.text or "")
    assert [one.get("type") for one in missing.findall("error")] == ["SF711"]
    (project / "file").write_text("", encoding="utf-8")
    assert run(["test", "shop.yaml", "--junit", "file/results.xml"]) == 2


def test_findings_for_hosts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "shop.yaml", "-o", "github"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("::error file=shop.yaml,line=13,col=17,")
    assert second.startswith("::error file=shop.yaml,line=14,col=3,")
    assert run(["test", "shop.yaml", "-o", "sarif"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["runs"]
    assert [one["ruleId"] for one in found["results"]] == ["SF710", "SF711"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("test", "shop.yaml", "-k", "nothing like it"), 2, "no test's name contains `nothing like it`"),
        (("test", "bare.yaml"), 2, "there are no tests"),
        (("test", "wrong.yaml"), 1, "SF701"),
        (("simulate", "wrong.yaml"), 1, "SF701"),
        (("test", "absent.yaml"), 2, "there is no file"),
        (("simulate", "shop.yaml", "--failures", "-1"), 2, "-1"),
    ],
)
def test_how_it_ends(
    project: Path, arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = SPEC.partition("tests:")[0].replace("shop", "bare")
    (project / "bare.yaml").write_text(bare, encoding="utf-8")
    (project / "wrong.yaml").write_text(f"{bare}tests: {{a: {{failed: nobody}}}}\n", encoding="utf-8")
    assert run([*arguments]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
    assert "Traceback" not in printed.err


def test_ways_and_what_tests_cover(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "shop.yaml", "-o", "json", "--require-coverage", "outcomes"]) == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, schema("output/simulate.schema.json"))
    (one,) = told["pipelines"]
    assert (one["covered"], one["uncovered"], one["uncovered_outcomes"]) == (2, 2, 0)
    assert one["walked"] == {"failures": 1, "combinations": 4, "left": 0}
    assert one["ways"][0]["choices"] == [{"task": "gate", "what": "good"}]
    assert one["ways"][-1]["tasks"] == {"gate": "SUCCEEDED", "publish": "FAILED"}
    assert run(["simulate", "shop.yaml", "--require-coverage", "all", "--uncovered"]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("no test covers this") == 2
    assert "no test covers 2 ways through the graph" in printed.err


def test_a_value_that_an_arm_leaves_unset_is_told_and_walked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "shop.yaml").write_text(
        """version: 1
pipeline: shop
graph:
  tasks:
    gate: {call: G, outcomes: {left: left, right: right}}
    left: {call: P}
    right: {call: P}
    tell: {notify: {integration: N, message: "got ${right.v}"}, after: [left, right], run_if: none_failed}
""",
        encoding="utf-8",
    )
    assert run(["simulate", "shop.yaml", "--failures", "0"]) == 1
    printed = capsys.readouterr()
    assert "error[SF333]" in printed.err
    assert "       tell: `${right.v}` is not there: `right` was skipped\n" in printed.out
    assert run(["simulate", "shop.yaml", "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, schema("output/simulate.schema.json"))
    reasons = [way["reasons"] for way in told["pipelines"][0]["ways"] if way["reasons"]]
    assert reasons and all(list(one) == ["tell"] for one in reasons)
    assert run(["test", "shop.yaml"]) == 1, "a graph with errors is not tested"


def test_the_pipelines_of_this_repository_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    for target in ("local", "dev", "prod"):
        assert run(["test", "specs", "-t", target]) == 0, capsys.readouterr().out
    assert run(["simulate", "specs", "--require-coverage", "outcomes", "-q"]) == 0
    monkeypatch.chdir(ROOT / "examples" / "churn")
    assert run(["test", "specs"]) == 0
    assert run(["simulate", "specs", "--require-coverage", "outcomes", "-q"]) == 0


def test_a_new_project_has_tests_that_pass_with_its_real_steps(tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    home = {**os.environ, "HOME": str(tmp_path)}

    def sfml(*words: str) -> subprocess.CompletedProcess[str]:
        return fork_server.run((str(SFML), *words), cwd=folder, env=home, timeout=300)

    assert sfml("init").returncode == 0
    done = sfml("test", "specs", "--local")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert not (folder / ".sfml").exists(), "its local Snowflake is a throwaway"
    # Real steps tell what the rules cannot: this line fits better than the test says.
    tests = folder / "specs" / "fresh" / "tests.yaml"
    text = tests.read_text(encoding="utf-8")
    tests.write_text(
        text.replace(
            "    given: {check_quality: report}\n", "    given: {fit_line: {returns: {r_squared: 0.9}}}\n"
        ),
        encoding="utf-8",
    )
    done = sfml("test", "specs", "--local", "-k", "bad fit", "-o", "json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    jsonschema.validate(told, schema("output/test.schema.json"))
    (test,) = told["pipelines"][0]["tests"]
    assert told["executed_by"] == "local"
    assert test["result"] == "failed"
    assert "`report` should have succeeded, but was skipped" in test["findings"][0]["message"]
