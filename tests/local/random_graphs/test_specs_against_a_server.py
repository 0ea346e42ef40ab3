"""What `sfml test` works out by the rules against what a server does with the compiled pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from property_settings import examples
from spec_graphs import pipelines, reading_of

from sfml.graph.declared_tests import RunTest
from sfml.graph_tests.run_tests import run_verdict
from sfml.semantics.running import End, run_graph
from sfml.semantics.states import State
from sfml.testing.given import LocalRuns, throwaway_server
from sfml.testing.local_snowflake import SharedServer
from sfml.ways.shape import Behaviour
from sfml.ways.walks import walk

ON_A_SERVER, BY_FORCE = 6, 60


@pytest.fixture(scope="module")
def throwaway() -> Iterator[SharedServer]:
    with throwaway_server() as server:
        yield server


@examples(
    ON_A_SERVER,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(document=pipelines())
def test_a_server_comes_to_what_the_rules_say(
    tried: dict[str, Counter[str]], throwaway: SharedServer, tmp_path: Path, document: dict[str, Any]
) -> None:
    counts = tried.setdefault("with tests of their own", Counter())
    reading = reading_of(document, tmp_path)
    assert reading.graph is not None
    (test,) = reading.graph.tests
    assert isinstance(test, RunTest)
    ruled = run_verdict(Behaviour(reading.graph), test)
    ran = LocalRuns(reading, throwaway).verdict(test)
    assert ran.states == ruled.states
    assert ran.state == ruled.state
    # Which expectations fail says how many attempts there were, too.
    assert [one.span for one in ran.findings] == [one.span for one in ruled.findings]
    counts["graphs"] += 1
    counts[f"ended {ran.state}"] += 1


@examples(BY_FORCE, suppress_health_check=list(HealthCheck))
@given(document=pipelines(largest=5))
def test_a_walk_finds_what_trying_everything_finds(tmp_path: Path, document: dict[str, Any]) -> None:
    reading = reading_of(document, tmp_path)
    assert reading.graph is not None
    behaviour = Behaviour(reading.graph)
    for failures in (0, 1, 2):
        walked = walk(behaviour, failures=failures, most=100_000)
        assert walked.left == 0
        found = [tuple(way.states.values()) for way in walked.ways]
        assert len(found) == len(set(found))
        assert set(found) == everything(behaviour, failures)


def everything(behaviour: Behaviour, failures: int) -> set[tuple[State, ...]]:
    """The states of every run: each choice of outcomes with each set of failing tasks."""
    names = [node.name for node in behaviour.graph.all_tasks]
    branches = list(behaviour.outcomes)
    found = set()
    for chosen in product(*(behaviour.outcomes[name].values() for name in branches)):
        returned = dict(zip(branches, chosen, strict=True))
        for number in range(failures + 1):
            for failing in combinations(names, number):

                def ends(
                    raw: str, attempt: int, failing: tuple[str, ...] = failing, returned: Any = returned
                ) -> End:
                    name = behaviour.names.get(raw, "")
                    return End(State.FAILED if name in failing else State.SUCCEEDED, returned.get(name))

                states = run_graph(behaviour.shape, ends).states
                found.add(tuple(behaviour.states_by_spec_name(states).values()))
    return found
