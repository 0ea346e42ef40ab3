"""What a branch does to the cost of a pipeline: one line of the diff, of its comment, and its JSON."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sfml.base.resources import schema
from sfml.cli.entry import run

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  prod: {connection: prod, account: A, database: ML, warehouse: WH, sizes: {WH: {size: XSMALL, auto_suspend: 1m}}}
"""
SPEC = """\
version: 1
pipeline: shop
schedule: {every: 1h}
graph:
  tasks:
    take: {sql: SELECT 1, expect: {takes: 5m}}
    give: {sql: SELECT 1, after: [take], expect: {takes: 4m}}
"""


def git(folder: Path, *arguments: str) -> None:
    who = {
        f"GIT_{role}_{what}": "a@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(("git", *arguments), cwd=folder, check=True, capture_output=True, env=environment)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(SPEC, encoding="utf-8")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "begin")):
        git(tmp_path, *arguments)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["diff", "--base", "main", *arguments]) == 0
    return capsys.readouterr().out


def changed(repository: Path, old: str, new: str, file: str = "shop.yaml") -> None:
    text = (repository / file).read_text(encoding="utf-8")
    assert old in text
    (repository / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("shop.yaml", "takes: 4m", "takes: 14m", "122 → 243 credits a month, by `give`"),
        ("shop.yaml", "every: 1h", "every: 2h", "122 → 60.8 credits a month, by the schedule"),
        ("sfml.yaml", "XSMALL", "SMALL", "122 → 243 credits a month, by the sizes"),
        ("shop.yaml", ", expect: {takes: 4m}", "", "122 → >= 73.0 .. ? credits a month, by `give`"),
        (
            "shop.yaml",
            "    give: {sql: SELECT 1, after: [take], expect: {takes: 4m}}\n",
            "    more: {sql: SELECT 1, expect: {takes: 10m}}\n",
            "122 → 134 credits a month, by `more`, which is new, `give`, which is gone",
        ),
    ],
)
def test_a_diff_tells_what_it_costs(
    file: str, old: str, new: str, line: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(repository, old, new, file)
    assert f"cost of shop in prod: {line}\n" in shown(capsys)
    comment = shown(capsys, "-o", "markdown")
    assert "\n- cost of `shop` in prod: 122 → " in comment
    document = json.loads(shown(capsys, "-o", "json"))
    Draft202012Validator(schema("output/diff.schema.json")).validate(document)
    targets = document["pipelines"][0]["targets"]
    assert targets["prod"]["cost"]["credits_per_month"]["before"]["low"] == pytest.approx(730 / 6, abs=1e-3)
    assert "cost" not in targets["local"]


def test_a_diff_says_nothing_of_costs_that_stay_or_that_nobody_told(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(repository, "SELECT 1, after", "SELECT 2, after")
    assert "cost" not in shown(capsys)
    changed(repository, ", expect: {takes: 4m}", "")
    changed(repository, ", expect: {takes: 5m}", "")
    git(repository, "commit", "-q", "-a", "-m", "unsaid")
    changed(repository, "every: 1h", "every: 2h")
    assert "cost" not in shown(capsys)
