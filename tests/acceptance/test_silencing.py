"""Warnings that somebody accepted, on a line or in the project, with a reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from machine_speed import SLOWNESS

from sfml.cli.entry import run

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  prod: {database: DB, warehouse: WH, connection: prod, mode: production}
"""
SPEC = """\
version: 1
pipeline: shop
graph:
  config:
    api_key: abcdef{comment}
  tasks:
    a: {{sql: select 1}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    return tmp_path


def findings(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Code and line of each finding, errors with a mark."""
    import json

    capsys.readouterr()
    run(["validate", *arguments, "-o", "json"])
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    return [f"{'!' if one['severity'] == 'error' else ''}{one['code']}:{one['line']}" for one in found]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("", ["SF603:5"]),
        ("  # sfml: ignore SF603 -- a public key", []),
        ("  #sfml:ignore sf603 --a public key", []),
        ("  # sfml: ignore SF603, SF408 -- a public key", ["SF151:5"]),
        ("  # sfml: ignore SF603", ["SF603:5", "!SF150:5"]),
        ("  # sfml: ignore SF603 --  ", ["SF603:5", "!SF150:5"]),
        ("  # sfml: ignore -- because", ["SF603:5", "!SF150:5"]),
        ("  # sfml: ignore SF999 -- because", ["SF603:5", "!SF150:5"]),
        ("  # sfml: silence SF603 -- because", ["SF603:5", "!SF150:5"]),
        ("  # sfml: ignore SF408 -- because", ["SF603:5", "SF151:5"]),
        ("  # ignore SF603 -- because", ["SF603:5"]),
    ],
)
def test_a_comment_on_the_line(
    folder: Path, comment: str, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "shop.yaml").write_text(SPEC.format(comment=comment))
    assert findings(capsys, "shop.yaml") == expected


def test_a_comment_above_the_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = SPEC.format(comment="").replace(
        "    api_key", "    # sfml: ignore SF603 -- a public key\n\n    # of the sandbox\n    api_key"
    )
    (folder / "shop.yaml").write_text(text)
    assert findings(capsys, "shop.yaml") == []
    capsys.readouterr()
    assert run(["validate", "shop.yaml"]) == 0
    assert "0 errors, 0 warnings (1 silenced) in 1 pipeline" in capsys.readouterr().out


def test_what_stands_in_a_text_is_no_comment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = SPEC.format(comment="").replace(
        "    a: {sql: select 1}",
        "    a:\n      sql: |\n        select 1\n        # sfml: ignore SF603\n    b: {sql: ' # sfml: x'}",
    )
    (folder / "shop.yaml").write_text(text)
    assert findings(capsys, "shop.yaml") == ["SF603:5"]


def test_errors_cannot_be_silenced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        SPEC.format(comment="")
        .replace("api_key", "note")
        .replace("select 1}", "select 1, after: [b]}  # sfml: ignore SF203 -- later")
    )
    (folder / "shop.yaml").write_text(text)
    assert findings(capsys, "shop.yaml") == ["!SF203:7", "!SF150:7"]


def test_a_silencing_that_another_target_needs_is_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SPEC.format(comment="").replace("api_key", "note") + "schedule: {cron: '0 0 * * *'}\n"
    silenced = text.replace("schedule:", "# sfml: ignore SF601 -- somebody looks at it\nschedule:")
    (folder / "shop.yaml").write_text(text)
    assert findings(capsys, "shop.yaml", "-t", "prod") == ["SF601:8"]
    (folder / "shop.yaml").write_text(silenced)
    assert findings(capsys, "shop.yaml", "-t", "prod") == []
    assert findings(capsys, "shop.yaml") == []


def test_in_the_whole_project(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "specs").mkdir()
    for name in ("one", "two"):
        text = SPEC.format(comment="").replace("shop", name)
        (folder / "specs" / f"{name}.yaml").write_text(
            text if name == "one" else text.replace("api_key", "note")
        )
    ignore = "ignore:\n- {code: SF603, reason: public keys, paths: [specs/*]}\n"
    (folder / "sfml.yaml").write_text(PROJECT + ignore)
    assert findings(capsys, "specs/one.yaml") == []
    assert findings(capsys, "specs/two.yaml") == [], "other pipelines may need it"
    assert findings(capsys, ".") == []
    (folder / "sfml.yaml").write_text(PROJECT + ignore.replace("specs/*", "other"))
    assert findings(capsys, "specs/one.yaml") == ["SF603:5"]
    assert findings(capsys, ".") == ["SF151:6", "SF603:5"]
    (folder / "sfml.yaml").write_text(PROJECT + ignore.replace("specs/*", "specs"))
    assert findings(capsys, ".") == []
    (folder / "sfml.yaml").write_text(PROJECT + ignore.replace("SF603", "SF999"))
    assert "!SF150:6" in findings(capsys, ".")
    (folder / "sfml.yaml").write_text(PROJECT + ignore.replace("reason: public keys, ", ""))
    assert findings(capsys, "specs/one.yaml") == ["!SF111:6"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    x: 1   # sfml: ignore SF603 -- why\n", "    x: 1\n"),
        ("    # sfml: ignore SF603 -- why\n    x: 1\n", "    x: 1\n"),
    ],
)
def test_a_needless_silencing_is_taken_out(folder: Path, before: str, after: str) -> None:
    text = "version: 1\npipeline: shop\ngraph:\n  config:\n{}  tasks:\n    a: {{sql: select 1}}\n"
    (folder / "shop.yaml").write_text(text.format(before))
    assert run(["validate", "shop.yaml", "--fix"]) == 0
    assert (folder / "shop.yaml").read_text() == text.format(after)


@pytest.mark.parametrize(
    "comment", ["# sfml: ignore SF603 -- why", "# sfml: ignore", "# sfml: ignore SF999 -- x"]
)
def test_very_many_silencings_end_in_time(
    folder: Path, comment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = "".join(f"    k{i}: 'x' {comment}\n" for i in range(15_000))
    (folder / "shop.yaml").write_text(SPEC.format(comment="\n" + config.rstrip("\n")))
    began = time.process_time()
    assert run(["validate", "shop.yaml"]) == 1
    assert time.process_time() - began < 4 * SLOWNESS
    assert "there are more than 1,000 silencings" in capsys.readouterr().out


def test_silencings_beyond_the_findings_that_are_told_are_not_called_needless(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = "".join(f"    a{i}_token: 'x'  # sfml: ignore SF603 -- why\n" for i in range(250))
    (folder / "shop.yaml").write_text(SPEC.format(comment="\n" + config.rstrip("\n")))
    assert "SF151" not in "".join(findings(capsys, "shop.yaml"))
