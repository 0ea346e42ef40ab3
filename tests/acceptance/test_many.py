"""Very many findings: the first are shown, and how many more there are is said."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from machine_speed import SLOWNESS

from sfml.cli.entry import run

HEAD = "version: 1\npipeline: many\ngraph:\n  tasks:\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sfml.yaml").write_text("version: 1\n")
    return tmp_path


def unknown_predecessors(count: int) -> str:
    return HEAD + "".join(f"    t{i}: {{sql: select 1, after: [nothing_{i}]}}\n" for i in range(count))


def unknown_keys(count: int) -> str:
    return HEAD + "    a:\n      sql: select 1\n" + "".join(f"      key_{i}: 1\n" for i in range(count))


def repeated_keys(count: int) -> str:
    return HEAD + "    a: {sql: select 1}\n" * (count + 1)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (unknown_predecessors(200), "SF203", None),
        (unknown_predecessors(257), "SF203", "… and 57 more like the last of these"),
        (unknown_keys(257), "SF110", "… and 57 more like the last of these"),
        (repeated_keys(257), "SF102", "… and 57 more like the last of these"),
        (unknown_keys(4_000), "SF110", "… and at least 1,000 more like the last of these"),
        (repeated_keys(4_000), "SF102", "… and at least 1,000 more like the last of these"),
    ],
)
def test_what_is_left_out_is_said(
    folder: Path, text: str, code: str, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "many.yaml").write_text(text)
    began = time.process_time()
    assert run(["validate", "many.yaml", "-o", "json"]) == 1
    assert time.process_time() - began < 2 * SLOWNESS
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    errors = [one for one in found if one["severity"] == "error" and one["code"] == code]
    notes = [one["message"] for one in found if one["severity"] == "note" and one["code"] == code]
    assert len(errors) == 200
    assert notes == ([said] if said else [])
    run(["validate", "many.yaml"])
    printed = capsys.readouterr().out
    assert (f"note[{code}]: {said}" in printed) is (said is not None)
