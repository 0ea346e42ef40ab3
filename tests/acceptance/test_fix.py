"""`sfml validate --fix`: what is safe is mended, everything else stays byte for byte."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest

from sfml.base.resources import schema
from sfml.cli.entry import run

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
GATE = """from typing import Literal

from sfml_steps import Context, step


@step
def prepare(ctx: Context, table: str) -> dict[str, int]:
    return {"rows": 1}


@step
def choose(ctx: Context, rows: int) -> Literal["keep", "alert"]:
    return "keep"
"""
WRONG = """\
# the shop's pipeline
version: 1
pipeline: shop      # two   blanks
graph:
  config: {threshold: 1}
  tasks:
    prepare:
      step: shop.gate.prepair
      with: {tabel: ORDERS}   # misspelt
    "choose":
      step: 'shop.gate.choose'
      aftr: [prepare]
      with: {rows: "${prepair.rows}"}
      outcomes: [keep, "alertt"]
    keep: {sql: "select ${config.threshhold}", timeout:   1h}
    alert: {sql: select 1}
schedule: {schedule: manual, overlap: no_overlap}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "steps" / "shop").mkdir(parents=True)
    (tmp_path / "steps" / "shop" / "__init__.py").write_text("")
    (tmp_path / "steps" / "shop" / "gate.py").write_text(GATE)
    return tmp_path


def right(text: str) -> str:
    for old, new in (
        ("gate.prepair", "gate.prepare"),
        ("tabel", "table"),
        ("aftr", "after"),
        ("${prepair", "${prepare"),
        ("alertt", "alert"),
        ("no_overlap", "NO_OVERLAP"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_typos_are_mended_and_nothing_else_moves(
    folder: Path, newline: str, mark: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = WRONG.replace("${config.threshhold}", "1")
    spec = folder / "shop.yaml"
    spec.write_bytes(mark + wrong.replace("\n", newline).encode())
    spec.chmod(0o640)
    assert run(["validate", "shop.yaml"]) == 1
    assert "(sfml validate --fix)" in capsys.readouterr().out
    assert spec.read_bytes() == mark + wrong.replace("\n", newline).encode()
    code = run(["validate", "shop.yaml", "--fix"])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert spec.read_bytes() == mark + right(wrong).replace("\n", newline).encode()
    assert spec.stat().st_mode & 0o777 == 0o640
    assert "Fixed 6 findings:" in printed
    assert "  shop.yaml:12:7  aftr → after  (SF110)" in printed
    assert "0 errors, 0 warnings" in printed
    assert [path.name for path in folder.iterdir() if path.name.startswith(".shop")] == []


def test_json_says_what_can_be_and_what_was_fixed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.yaml").write_text(WRONG.replace("aftr", "after").replace("no_overlap", "NO_OVERLAP"))
    outputs = []
    for more in ((), ("--fix",)):
        run(["validate", "shop.yaml", "-o", "json", *more])
        outputs.append(json.loads(capsys.readouterr().out))
        jsonschema.validate(outputs[-1], schema("output/validate.schema.json"))
    before, after = outputs
    assert "fixed" not in before
    assert [one["new"] for one in after["fixed"]]
    alert = next(one for one in before["diagnostics"] if one["code"] == "SF304")
    line = WRONG.splitlines().index('      outcomes: [keep, "alertt"]') + 1
    assert alert["fix"] == {
        "file": "shop.yaml",
        "line": line,
        "column": 25,
        "end_line": line,
        "end_column": 31,
        "old": "alertt",
        "new": "alert",
    }


def test_two_keys_that_were_meant_to_be_one_are_not_made_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = folder / "shop.yaml"
    text = "version: 1\npipeline: shop\ngraph:\n  tasks:\n    a: {sql: select 1, timeoutt: 1h, timeot: 2h}\n"
    spec.write_text(text)
    assert run(["validate", "shop.yaml", "--fix"]) == 1
    assert spec.read_text() == text.replace("timeoutt", "timeout")
    assert "unknown key `timeot`" in capsys.readouterr().out


def test_what_several_pipelines_share_is_mended_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = folder / "job.yaml"
    job.write_text("version: 1\ntasks:\n  first: {sql: select 1}\n  last: {sql: select 1, after: [frist]}\n")
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(f"version: 1\npipeline: {name}\ngraph: job.yaml\n")
    assert run(["validate", ".", "--fix"]) == 0
    assert "Fixed 1 finding:" in capsys.readouterr().out
    assert job.read_text().endswith("after: [first]}\n")


def test_values_that_come_from_elsewhere_are_not_touched(folder: Path) -> None:
    spec = folder / "shop.yaml"
    text = (
        "version: 1\npipeline: shop\nvariables: {above: frist}\n"
        "graph:\n  tasks:\n    first: {sql: select 1}\n    last: {sql: select 1, after: ['{{ var.above }}']}\n"
    )
    spec.write_text(text)
    assert run(["validate", "shop.yaml", "--fix"]) == 1
    assert spec.read_text() == text


def test_files_outside_the_project_are_never_touched(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "shop.yaml"
    text = "version: 1\npipeline: shop\ngraph:\n  tasks:\n    a: {sql: select 1, timeoutt: 1h}\n"
    outside.write_text(text)
    (folder / "link.yaml").symlink_to(outside)
    assert run(["validate", "link.yaml", "--fix"]) == 1
    assert outside.read_text() == text
    assert (folder / "link.yaml").is_symlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_cannot_be_written_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    below = folder / "specs"
    below.mkdir()
    (below / "shop.yaml").write_text("version: 1\npipeline: a\ngraph: {tasks: {a: {sql: x, timeoutt: 1h}}}\n")
    below.chmod(0o500)
    try:
        assert run(["validate", "specs/shop.yaml", "--fix"]) == 1
        assert "cannot write `specs/shop.yaml`" in capsys.readouterr().err
    finally:
        below.chmod(0o700)


CASES = Path(__file__).parent / "validate"


def test_no_case_gets_worse_by_fixing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the whole corpus: fixing ends, leaves YAML that reads, and adds no error of the same phase."""
    project = tmp_path / "cases"
    shutil.copytree(CASES, project, symlinks=True)
    monkeypatch.chdir(project)
    fixable = 0
    for spec in sorted(project.glob("*/spec.yaml")):
        name = f"{spec.parent.name}/spec.yaml"
        before = spec.read_bytes()
        target = ["-t", "prod"] if "prod" in (CASES / name).parent.name else []
        run(["validate", name, "--fix", "-q", *target])
        again = spec.read_bytes()
        run(["validate", name, "--fix", "-q", *target])
        assert spec.read_bytes() == again, name
        fixable += before != again
    assert fixable > 10
