"""Every documented behaviour is held by a test that is there, or says why it cannot be tried."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from held_behaviours import HELD

from sfml.snowflake.conformance_scenarios import SCENARIOS
from sfml_local.evidence.behaviours import BEHAVIOURS, Evidence

TESTS = Path(__file__).parents[2]


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_documented_behaviour_is_held() -> None:
    tried = {what for scenario in SCENARIOS for what in scenario.behaviours}
    documented = {b.what for b in BEHAVIOURS if b.evidence is Evidence.DOCUMENTED}
    assert documented - tried - HELD.keys() == set(), "name the test that holds it, or a scenario"
    assert HELD.keys() - documented == set(), "a row was reworded or is told by other evidence"
    assert HELD.keys() & tried == set(), "a scenario holds it"


def test_the_tests_that_hold_them_are_there() -> None:
    missing = []
    for what, held in HELD.items():
        path, _, name = held.partition("::")
        if not name or not (TESTS / path).is_file() or name not in functions(path):
            missing.append(f"{what}: {held}")
    # A reason has several words; a test's address has none.
    assert [each for each in missing if "::" in each] == []
    assert all(len(held.split()) > 3 for held in HELD.values() if "::" not in held)
