"""Findings as GitLab's Code Quality report."""

from __future__ import annotations

import json
from dataclasses import replace

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Position, Span
from sfml.render.gitlab import diagnostics_gitlab


def finding(line: int, message: str = "task `a` runs after unknown task `b`") -> Diagnostic:
    span = Span("specs/clv.yaml", Position(line, 5), Position(line, 6))
    return Diagnostic.error("SF203", message, at=span, help="did you mean `c`?")


def test_a_finding_has_what_the_format_asks_for() -> None:
    (one,) = diagnostics_gitlab([finding(3)])
    assert one == {
        "description": "Task `a` runs after unknown task `b`. Did you mean `c`?",
        "check_name": "SF203",
        "fingerprint": one["fingerprint"],
        "severity": "major",
        "location": {"path": "specs/clv.yaml", "lines": {"begin": 3}},
    }
    assert json.loads(json.dumps(one)) == one


def test_a_finding_that_moved_is_the_same_one_and_twins_are_two() -> None:
    (before,), (after,) = diagnostics_gitlab([finding(3)]), diagnostics_gitlab([finding(30)])
    assert before["fingerprint"] == after["fingerprint"]
    every = [one["fingerprint"] for one in diagnostics_gitlab([finding(3), finding(4), finding(5, "other")])]
    assert len(set(every)) == 3
    assert every[0] == before["fingerprint"]


def test_a_finding_without_a_place_is_at_the_project_file() -> None:
    (one,) = diagnostics_gitlab([replace(finding(3), span=None)])
    assert one["location"] == {"path": "sfml.yaml", "lines": {"begin": 1}}
