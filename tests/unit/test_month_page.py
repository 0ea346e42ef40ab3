"""The page on months: its example is what the command prints, and its picture what the command draws."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sfml.cli.entry import run

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "month.md"


def test_the_command_prints_and_draws_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for file, content in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", text, re.M | re.S):
        (tmp_path / file).write_text(content, encoding="utf-8")
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "train.py").write_text("print('trained')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (shown,) = re.findall(r"^```console\n\$ sfml (simulate --month.*?)^```", text, re.M | re.S)
    typed, _, output = shown.partition("\n")
    assert run(typed.split()) == 0
    assert capsys.readouterr().out == output
    drawn = (tmp_path / "month.svg").read_text(encoding="utf-8")
    assert drawn == (DOCS / "pictures" / "month.svg").read_text(encoding="utf-8")
