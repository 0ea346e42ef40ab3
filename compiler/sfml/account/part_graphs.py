"""Graphs of parts of runs in a schema, recognised by their names; pure."""

from __future__ import annotations

from sfml.account.deployed import DeployedGraph, DeployedTask
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.plan.lane import LANE_MARK
from sfml.plan.part import PART_MARK


@record
class PartGraph:
    """The graph of a part: the name of its root, and its tasks that exist, the root included; names are unquoted."""

    root: str
    tasks: tuple[DeployedTask, ...]

    @property
    def mark(self) -> str:
        return self.root.rpartition(PART_MARK)[2]

    @property
    def has_root(self) -> bool:
        return any(task.name == self.root for task in self.tasks)


def part_graphs(graph: DeployedGraph, root: str) -> tuple[PartGraph, ...]:
    """The graphs of parts of the pipeline with this root, sorted by name."""
    return _graphs(graph, f"{raw(root)}{PART_MARK}")


def lane_graphs(graph: DeployedGraph, root: str) -> tuple[PartGraph, ...]:
    """The lanes of a backfill of the pipeline with this root, sorted by name."""
    return _graphs(graph, f"{raw(root)}{LANE_MARK}")


def _graphs(graph: DeployedGraph, start: str) -> tuple[PartGraph, ...]:
    found: dict[str, list[DeployedTask]] = {}
    for task in graph.others:
        if task.name.startswith(start):
            mark = task.name.removeprefix(start).partition("$")[0]
            found.setdefault(f"{start}{mark}", []).append(task)
    return tuple(PartGraph(name, tuple(tasks)) for name, tasks in sorted(found.items()))
