"""Every way through a graph: which there are, in which order, how far, and which the tests cover."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import BRANCH, behaviour

from sfml.graph_tests.coverage import covered
from sfml.graph_tests.selection import chosen_tests, verdict
from sfml.render.symbols import Symbols
from sfml.render.ways import Simulation, walked_lines, ways_text
from sfml.semantics.states import State
from sfml.ways.walks import Way, walk


def told(way: Way) -> str:
    return ", ".join(f"{one.task} {one.what}" for one in way.choices)


def test_branches_come_first_then_failures(tmp_path: Path) -> None:
    walked = walk(behaviour(tmp_path, BRANCH))
    ways = [told(way) for way in walked.ways]
    assert ways[:3] == ["gate good", "gate bad", "gate same"]
    assert "prepare fails" in ways
    assert "gate bad, tell fails" in ways
    # Failing below an arm that is not chosen comes to nothing.
    assert "gate good, tell fails" not in ways
    assert walked.left == 0
    assert all(sum(state.is_failure for state in way.states.values()) <= 1 for way in walked.ways)


def test_two_failures_are_asked_for(tmp_path: Path) -> None:
    walked = walk(behaviour(tmp_path, BRANCH), failures=2)
    assert any(told(way) == "gate bad, tell fails, ticket fails" for way in walked.ways)
    assert walk(behaviour(tmp_path, BRANCH), failures=0).count == 3


def test_outcomes_that_come_to_the_same_are_one_way(tmp_path: Path) -> None:
    text = "graph:\n  tasks:\n    gate: {call: GATE, outcomes: {yes: go, sure: go, no: []}}\n    go: {sql: select 1}\n"
    first, second = walk(behaviour(tmp_path, text), failures=0).ways
    assert told(first) == "gate yes"
    assert [[one.what for one in choices] for choices in first.also] == [["sure"]]
    assert told(second) == "gate no"


def test_a_condition_that_cannot_be_told_goes_both_ways(tmp_path: Path) -> None:
    text = """graph:
  tasks:
    count: {call: COUNT_ROWS}
    score: {sql: select 1, after: [count], when: "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('SHOP$COUNT')::INT > 3"}
    never: {sql: select 1, after: [count], when: "1 = 0"}
"""
    ways = walk(behaviour(tmp_path, text), failures=0).ways
    assert [told(way) for way in ways] == ["score when holds", "score when does not hold"]
    assert [way.states["score"] for way in ways] == [State.SUCCEEDED, State.SKIPPED]
    assert {way.states["never"] for way in ways} == {State.SKIPPED}


def test_an_outcome_may_be_called_fails(tmp_path: Path) -> None:
    text = "graph:\n  tasks:\n    gate: {call: GATE, outcomes: {fails: mend, ok: []}}\n    mend: {sql: select 1}\n"
    states = [way.states for way in walk(behaviour(tmp_path, text)).ways]
    assert states[0] == {"gate": State.SUCCEEDED, "mend": State.SUCCEEDED}
    assert {"gate": State.FAILED, "mend": State.NOT_EXECUTED} in states


JOIN = "run_if: none_failed_min_one_succeeded"


def chain(count: int, branches: int) -> str:
    """Branches after each other whose arms meet again, and tasks between them."""
    lines, before = ["graph:", "  tasks:"], ""
    for number in range(count // (4 if branches else 1)):
        after = f", after: [{before}]" if before else ""
        if number < branches:
            lines += [
                f"    g{number}: {{call: G, outcomes: {{good: a{number}, bad: b{number}}}{after}}}",
                f"    a{number}: {{sql: select 1}}",
                f"    b{number}: {{sql: select 1}}",
                f"    t{number}: {{sql: select 1, after: [a{number}, b{number}], {JOIN}}}",
            ]
        else:
            lines.append(f"    t{number}: {{sql: select 1{after}}}")
        before = f"t{number}"
    return "\n".join(lines) + "\n"


def test_a_bound_leaves_out_combinations_and_no_single_cause(tmp_path: Path) -> None:
    found = behaviour(tmp_path, chain(60, 15))
    walked = walk(found, most=300)
    assert walked.count == 300
    assert walked.left > 300
    alone = {told(way) for way in walked.ways}
    branches = [node.name for node in found.graph.tasks if node.is_branch]
    assert len(branches) == 15
    failing = {name for way in walked.ways for name, state in way.states.items() if state.is_failure}
    # All but the tasks that run only when a branch chooses otherwise.
    assert failing >= {node.name for node in found.graph.tasks if not node.name.startswith("b")}
    for name in branches:
        assert any(f"{name} bad" in one for one in alone)
    first, *_ = list(walked_lines(walked))
    assert first.startswith("Walked: 300 combinations")


def test_the_walk_is_the_same_every_time(tmp_path: Path) -> None:
    found = behaviour(tmp_path, chain(40, 8))
    assert walk(found, most=200) == walk(found, most=200)


@pytest.mark.parametrize(("count", "ways"), [(60, 61), (600, 601)])
def test_long_chains(tmp_path: Path, count: int, ways: int) -> None:
    assert len(walk(behaviour(tmp_path, chain(count, 0))).ways) == ways


TESTS = """tests:
  good: {given: {gate: good}, succeeded: publish}
  wrong in what it expects: {given: {gate: bad}, succeeded: publish}
  two at once: {given: {gate: bad, tell: fails, ticket: fails}, failed: tell}
  undecided: {failed: publish}
"""


def test_coverage(tmp_path: Path) -> None:
    found = behaviour(tmp_path, BRANCH + TESTS)
    walked = walk(found)
    coverage = covered(walked, (verdict(found, test) for test in chosen_tests(found.graph)))
    takers = {told(one.way): one.tests for one in coverage.ways if one.tests}
    assert takers == {"gate good": ("good",), "gate bad": ("wrong in what it expects",)}
    assert [told(one.way) for one in coverage.uncovered_outcomes] == ["gate same"]
    assert coverage.elsewhere == ("two at once",)


def test_long_lists_of_names_are_cut(tmp_path: Path) -> None:
    found = behaviour(tmp_path, chain(60, 0))
    walked = walk(found, most=1)
    one = Simulation("shop", "local", "shop.yaml", 60, 0, walked, covered(walked, ()))
    assert "t11 and 48 more" in ways_text(one, Symbols())
    assert "t59" in ways_text(one, Symbols(), verbose=True)
