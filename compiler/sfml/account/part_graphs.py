"""Graphs of parts of runs and lanes of backfills in a schema, recognised by their names and roots' records; pure."""

from __future__ import annotations

from sfml.account.deployed import DeployedGraph, DeployedTask
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.plan.lane import LANE_MARK
from sfml.plan.part import PART_MARK
from sfml.plan.settings import split_comment


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
    return _graphs(graph, f"{raw(root)}{PART_MARK}", "part")


def lane_graphs(graph: DeployedGraph, root: str) -> tuple[PartGraph, ...]:
    """The lanes of a backfill of the pipeline with this root, sorted by name."""
    return _graphs(graph, f"{raw(root)}{LANE_MARK}", "lane")


def _graphs(graph: DeployedGraph, start: str, key: str) -> tuple[PartGraph, ...]:
    """The graphs whose roots are called so. One without `key` in the record of its root was made by somebody else."""
    found: dict[str, list[DeployedTask]] = {}
    for task in graph.others:
        if task.name.startswith(start):
            mark = task.name.removeprefix(start).partition("$")[0]
            found.setdefault(f"{start}{mark}", []).append(task)
    graphs = (PartGraph(name, tuple(tasks)) for name, tasks in sorted(found.items()))
    return tuple(one for one in graphs if _is_ours(one, key))


def _is_ours(graph: PartGraph, key: str) -> bool:
    roots = [task for task in graph.tasks if task.name == graph.root]
    return all(key in (split_comment(root.comment)[1] or {}) for root in roots)
