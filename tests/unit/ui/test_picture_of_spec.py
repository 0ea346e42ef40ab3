"""The picture on the page of a pipeline: no secrets in its texts, and no next runs, which the page tells itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.ui.specs import SpecOptions, Specs

SPEC = """version: 1
pipeline: load
description: loads with PASSWORD = 'hunter2'
schedule: {cron: "0 4 * * *", timezone: UTC}
graph: {tasks: {copy: {sql: select 1, comment: "with PASSWORD = 'hunter3'"}}}
"""


def test_cards_show_neither_secrets_nor_next_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets:\n  local: {kind: local, default: true}\n")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "load.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    (spec,) = Specs(SpecOptions((), None, {}, "ada")).all()
    assert spec.picture is not None and spec.drawing is not None
    assert spec.drawing.cards[0].next_runs is not None
    cards = spec.picture.drawing.cards
    assert [card.note for card in cards] == ["loads with PASSWORD = '****'", "with PASSWORD = '****'"]
    assert all(card.next_runs is None for card in cards)
