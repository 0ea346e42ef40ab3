"""What one run costs, of a whole pipeline or of a part of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sfml.cost.amount import Amount
from sfml.cost.estimate import estimate
from sfml.graph.expectations import ExpectedRuns, Range
from sfml.graph.model import Manual, TaskGraph, TaskNode

_ONCE = ExpectedRuns(Range(1, 1), "month")


def run_cost(graph: TaskGraph, tasks: Collection[str]) -> Amount | None:
    """The credits of one run of these tasks, each minimum charge included; None for a local target.

    The high end is None if the duration of a task or the size of a machine is not known.
    """
    if graph.target.is_local:
        return None
    settings = replace(graph.settings, schedule=Manual(), expected_runs=_ONCE)
    finalizer = graph.finalizer if graph.finalizer and graph.finalizer.name in tasks else None
    part = replace(
        graph,
        tasks=tuple(_within(node, tasks) for node in graph.tasks if node.name in tasks),
        finalizer=finalizer,
        settings=settings,
        tests=(),
        budget=None,
    )
    return estimate([part]).credits


def _within(node: TaskNode, tasks: Collection[str]) -> TaskNode:
    """The task as if only these tasks existed."""
    outcomes = node.outcomes
    if outcomes is not None:
        outcomes = {name: tuple(one for one in started if one in tasks) for name, started in outcomes.items()}
    after = tuple(name for name in node.after if name in tasks)
    return replace(node, after=after, outcomes=outcomes, run_if=node.run_if if after else None)
