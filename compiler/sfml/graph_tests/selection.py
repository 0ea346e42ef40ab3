"""Choosing and executing the graph tests of a pipeline."""

from __future__ import annotations

from collections.abc import Collection

from sfml.graph.declared_tests import GraphTest, RunTest, holds_for
from sfml.graph.model import TaskGraph
from sfml.graph_tests.run_tests import run_verdict
from sfml.graph_tests.schedule_tests import schedule_verdict
from sfml.graph_tests.verdict import Verdict
from sfml.ways.shape import Behaviour


def chosen_tests(graph: TaskGraph, words: Collection[str] = ()) -> tuple[GraphTest, ...]:
    """The tests for the graph's target; with `words`, only those whose name contains one of them, in any case."""
    tests = (test for test in graph.tests if holds_for(test, graph.target.name))
    return tuple(
        test for test in tests if not words or any(word.lower() in test.name.lower() for word in words)
    )


def verdict(behaviour: Behaviour, test: GraphTest) -> Verdict:
    """The result of a test, from a simulation."""
    if isinstance(test, RunTest):
        return run_verdict(behaviour, test)
    return schedule_verdict(behaviour.graph.settings, test)
