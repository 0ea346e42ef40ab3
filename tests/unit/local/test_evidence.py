"""The table of what the local Snowflake knows and what it assumes."""

from __future__ import annotations

from pathlib import Path

from sfml_local.evidence import behaviours as evidence
from sfml_local.evidence.behaviours import FILES, Evidence, behaviours


def test_every_behaviour_is_told_once() -> None:
    told = [(behaviour.area, behaviour.what) for behaviour in behaviours()]
    assert len(told) == len(set(told))


def test_every_behaviour_has_a_source() -> None:
    assert all(behaviour.source and behaviour.what for behaviour in behaviours())
    assert {behaviour.evidence for behaviour in behaviours()} == set(Evidence)


def test_every_file_is_read() -> None:
    files = Path(evidence.__file__).parent.glob("*.yaml")
    assert sorted(file.stem for file in files) == sorted(FILES)
