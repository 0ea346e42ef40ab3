"""Every documented behaviour is held by a scenario or a test that is there, or says why it cannot be tried."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from yaml_files import read_yaml

from sfml.snowflake.conformance_scenarios import SCENARIOS
from sfml_local.evidence.behaviours import Evidence, behaviours

TESTS = Path(__file__).parents[2]

TABLE = "local/test_behaviours.py::test_it_is_as_its_row_says"

NAMED_BY_NONE = 1
"""Behaviours of other evidence that name neither scenario nor test; there may only be fewer."""


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_documented_behaviour_is_held_once() -> None:
    documented = [one for one in behaviours() if one.evidence is Evidence.DOCUMENTED]
    unheld = [one.what for one in documented if not (one.scenario or one.test or one.untried)]
    assert unheld == [], "name the test that holds it, or a scenario"
    twice = [one.what for one in behaviours() if bool(one.scenario) + bool(one.test) + bool(one.untried) > 1]
    assert twice == [], "one holds it"


def test_ever_more_of_the_others_are_held() -> None:
    unheld = [one.what for one in behaviours() if not (one.scenario or one.test or one.untried)]
    assert len(unheld) <= NAMED_BY_NONE, "name the scenario or the test that tries the new one"


def test_the_scenarios_that_hold_them_try_them() -> None:
    tried = {(scenario.name, what) for scenario in SCENARIOS for what in scenario.behaviours}
    named = {(one.scenario, one.what) for one in behaviours() if one.scenario is not None}
    assert named - tried == set(), "the scenario does not name the behaviour"
    assert {what for _, what in tried} == {what for _, what in named}, "the row does not name its scenario"


def test_each_table_of_behaviours_is_about_the_rows_that_name_it() -> None:
    named = {one.what for one in behaviours() if one.test == TABLE}
    kept = read_yaml(TESTS / "local" / "behaviours.yaml")
    assert named == set(kept)


def test_the_tests_that_hold_them_are_there() -> None:
    missing = []
    for one in behaviours():
        path, _, name = (one.test or "").partition("::")
        if one.test is not None and not ((TESTS / path).is_file() and name in functions(path)):
            missing.append(f"{one.what}: {one.test}")
    assert missing == []
    assert all(len(one.untried.split()) > 3 for one in behaviours() if one.untried is not None)
