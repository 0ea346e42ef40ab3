"""The tasks that have certainly succeeded when a task runs, on every way through the graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import reduce
from operator import and_, or_

from sfml.base.record import record
from sfml.graph.model import TaskGraph, TaskNode
from sfml.semantics.conditions import decides_on_predecessors

_ALL = (None, "all_succeeded")
_ANY = ("at_least_one_succeeded", "none_failed_min_one_succeeded")

_NONE_FAILED = ("none_failed", "none_failed_min_one_succeeded")


@record
class Certainty:
    """Facts about the tasks of a graph, with sets of tasks as bit sets; names are those of the spec."""

    bit: Mapping[str, int]
    above: Mapping[str, int]
    """Task → its ancestors."""
    succeeded: Mapping[str, int]
    """Task → the tasks that have certainly succeeded when its body runs; what conditions imply is ignored."""
    fixed: Mapping[str, bool]
    """Task → whether its end is certain unless a task fails: it and its ancestors are no arms and have no `when`."""

    def has_succeeded(self, source: str, reader: str) -> bool:
        return bool(self.succeeded[reader] & self.bit[source])

    def is_above(self, name: str, reader: str) -> bool:
        return bool(self.above.get(reader, 0) & self.bit.get(name, 0))


def certainty_of(graph: TaskGraph) -> Certainty:
    """The facts that hold on every way through the graph."""
    bit = {node.name: 1 << index for index, node in enumerate(graph.tasks)}
    arms = {
        arm: node.name for node in graph.tasks for tasks in (node.outcomes or {}).values() for arm in tasks
    }
    above: dict[str, int] = {}
    succeeded: dict[str, int] = {}
    fixed: dict[str, bool] = {}
    starts: set[str] = set()
    """Tasks whose bodies begin in every run."""
    for node in graph.tasks:
        above[node.name] = reduce(or_, (above[name] | bit[name] for name in node.after), 0)
        branch = arms.get(node.name)
        # A branch that starts the task has returned an outcome, so it has succeeded.
        chosen = succeeded[branch] | bit[branch] if branch is not None else 0
        each = {predecessor: succeeded[predecessor] | bit[predecessor] for predecessor in node.after}
        succeeded[node.name] = chosen | _by_predecessors(node, each, starts)
        if branch is None and node.when is None and (not node.after or node.run_if == "all_done"):
            starts.add(node.name)
        fixed[node.name] = branch is None and node.when is None and all(fixed[name] for name in node.after)
    return Certainty(bit, above, succeeded, fixed)


def _by_predecessors(node: TaskNode, each: Mapping[str, int], starts: Collection[str]) -> int:
    """The tasks that have succeeded because the predecessors let the task run.

    `each` maps a predecessor to the tasks that have succeeded if it has. `starts` are the tasks whose bodies begin in
    every run, so that they either succeed or fail.
    """
    if not each or (node.run_if is None and decides_on_predecessors(node.when)):
        return 0
    if node.run_if in _ALL:
        return reduce(or_, each.values())
    certain = reduce(and_, each.values()) if node.run_if in _ANY else 0
    if node.run_if in _NONE_FAILED:
        certain |= reduce(or_, (each[predecessor] for predecessor in node.after if predecessor in starts), 0)
    return certain
