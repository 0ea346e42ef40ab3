"""The table of what the local Snowflake knows and what it assumes."""

from __future__ import annotations

from sfml_local.evidence.behaviours import BEHAVIOURS, Evidence


def test_every_behaviour_is_told_once() -> None:
    told = [(behaviour.area, behaviour.what) for behaviour in BEHAVIOURS]
    assert len(told) == len(set(told))


def test_every_behaviour_has_a_source() -> None:
    assert all(behaviour.source and behaviour.what for behaviour in BEHAVIOURS)
    assert {behaviour.evidence for behaviour in BEHAVIOURS} == set(Evidence)
