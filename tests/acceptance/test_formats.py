"""Findings for machines: workflow commands that GitHub reads, and SARIF that its schema accepts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Span
from sfml.cli.entry import run
from sfml.render.github import diagnostics_github
from sfml.render.sarif import diagnostics_sarif

CASES = Path(__file__).parent / "validate"
SARIF = json.loads((CASES.parents[1] / "data" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
NAMES = (
    "unknown_after",
    "cycle",
    "arguments",
    "syntax_error",
    "needless_silencing",
    "nul_byte",
    "clean",
    "two_kinds",
)


@pytest.fixture(autouse=True)
def in_the_folder_of_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)


def valid(document: Any) -> Any:
    jsonschema.Draft4Validator(SARIF).validate(document)
    return document


def printed(capsys: pytest.CaptureFixture[str], name: str, format: str) -> str:
    capsys.readouterr()
    run(["validate", f"{name}/spec.yaml", "-o", format])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_sarif_says_what_json_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    findings = json.loads(printed(capsys, name, "json"))["diagnostics"]
    (run_,) = valid(json.loads(printed(capsys, name, "sarif")))["runs"]
    rules = [rule["id"] for rule in run_["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert len(run_["results"]) == len(findings)
    for result, finding in zip(run_["results"], findings, strict=True):
        assert result["ruleId"] == rules[result["ruleIndex"]] == finding["code"]
        assert result["level"] == finding["severity"]
        (place,) = result["locations"]
        physical = place["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == finding["file"]
        assert physical["region"]["startLine"] == finding["line"]
        assert physical["region"]["endColumn"] == finding["end_column"]
        assert ("fixes" in result) is (finding["fix"] is not None)


def test_rules_bring_their_help(capsys: pytest.CaptureFixture[str]) -> None:
    (run_,) = json.loads(printed(capsys, "unknown_after", "sarif"))["runs"]
    (rule,) = run_["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "`after` names a task that does not exist."
    assert "**Instead:** correct the name" in rule["help"]["markdown"]
    (fix,) = run_["results"][0]["fixes"]
    (replacement,) = fix["artifactChanges"][0]["replacements"]
    assert (
        replacement["insertedContent"] == {"text": "prepare_data"} or replacement["insertedContent"]["text"]
    )


def test_odd_names_and_places_are_valid_sarif() -> None:
    odd = (
        Diagnostic.error("SF132", "given with --var", help="declare it"),
        Diagnostic.warning("SF603", "x", at=Span.of("../a b/c:d/ü%.yaml", 1, 1, 2, 1), path="a.b[0]"),
    )
    document = valid(diagnostics_sarif(odd))
    results = document["runs"][0]["results"]
    assert "locations" not in results[0]
    uri = results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9/._%-]+", uri)
    assert unquote(uri) == "../a b/c:d/ü%.yaml"


def test_the_schema_refuses_what_is_no_sarif() -> None:
    document = diagnostics_sarif([Diagnostic.error("SF132", "x")])
    document["runs"][0]["results"][0]["level"] = "bad"
    with pytest.raises(jsonschema.ValidationError):
        valid(document)


def test_github_annotates_lines(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = printed(capsys, "unknown_after", "github").splitlines()
    command, properties, message = re.fullmatch(r"::(\w+) (\S+?)::(.*)", line).groups()  # type: ignore[union-attr]
    assert command == "error"
    given = dict(pair.split("=") for pair in properties.split(","))
    assert given["file"] == "unknown_after/spec.yaml"
    assert given["title"] == "SF203"
    assert given["line"] == given["endLine"]
    assert int(given["col"]) <= int(given["endColumn"])
    assert "%0Ahelp: did you mean" in message


def test_nothing_to_say_is_nothing_for_github(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "clean", "github") == ""


def test_commands_are_escaped() -> None:
    """https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions"""
    finding = Diagnostic.warning(
        "SF603", "100% of\r\n::error::it", at=Span.of("a,b:c%.yaml", 2, 3, 4, 1), help="::stop-commands::x"
    )
    assert diagnostics_github([finding]) == (
        "::warning file=a%2Cb%3Ac%25.yaml,line=2,endLine=3,title=SF603"
        "::100%25 of%0D%0A::error::it%0Ahelp: ::stop-commands::x"
    )
    assert diagnostics_github([Diagnostic.error("SF132", "m")]) == "::error title=SF132::m"
