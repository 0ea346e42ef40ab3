"""Both sides of a diff merged into one graph: every task and edge of either side, with the action on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.base.record import record
from sfml.graph.model import TaskGraph, TaskNode
from sfml.plan.model import Action, Change
from sfml.review.model import CompiledTarget, TargetDiff

ROOT = ""
"""The root's key in the merged graph; no task of a spec can have this name."""


@record
class MergedTask:
    """A task of the head, or a removed task of the base. `before` is the old name of a renamed task."""

    node: TaskNode
    side: CompiledTarget
    action: Action
    change: Change | None = None
    before: str | None = None


@record
class MergedEdge:
    """An edge. `above` is `ROOT` for an edge from the root; `below` is None for an outcome that starts no task."""

    above: str
    below: str | None
    outcomes: tuple[str, ...]
    action: Action


@record
class MergedGraph:
    """`tasks` maps names to tasks, the head's first; `root` is the change of the root task, if any."""

    tasks: Mapping[str, MergedTask]
    edges: tuple[MergedEdge, ...]
    root: Change | None


def merged(target: TargetDiff) -> MergedGraph:
    """Merge both sides. When only one side exists, every action is UNCHANGED, so that not all of it is highlighted."""
    sides = tuple(side for side in (target.head, target.base) if side is not None)
    is_marked = len(sides) == 2
    changes = {(change.action is Action.DROP, change.name): change for change in target.changes}
    renamed = _renamed(target)
    before = {new: old for old, new in renamed.items()}
    tasks: dict[str, MergedTask] = {}
    for side in sides:
        is_gone = side is not target.head
        names = {task.task: task.name for task in side.desired.all_tasks}
        for node in side.graph.all_tasks:
            name = renamed.get(node.name, node.name) if is_gone else node.name
            change = changes.get((is_gone and is_marked, names[node.name]))
            action = change.action if change is not None and is_marked else Action.UNCHANGED
            tasks.setdefault(name, MergedTask(node, side, action, change, before.get(name)))
    edges = [set(_edges(side.graph, renamed if side is not target.head else {})) for side in sides]
    root = sides[0].desired.root.name if sides else None
    return MergedGraph(
        tasks,
        tuple(_marked(sides, edges, renamed, target)),
        next((change for change in target.changes if change.name == root), None),
    )


Triple = tuple[str, str | None, str]


def _renamed(target: TargetDiff) -> Mapping[str, str]:
    """Old name → new name in the spec, for the renamed tasks."""
    if target.base is None:
        return {}
    was = {task.name: task.task for task in target.base.desired.all_tasks}
    pairs = ((was.get(change.moved_from or ""), change.task) for change in target.changes)
    return {old: new for old, new in pairs if old is not None}


def _edges(graph: TaskGraph, renamed: Mapping[str, str]) -> Iterator[Triple]:
    for node in graph.tasks:
        name = renamed.get(node.name, node.name)
        if not node.after:
            yield ROOT, name, ""
        for above in node.after:
            outcomes = graph.task(above).outcomes or {}
            for outcome in [one for one, tasks in outcomes.items() if node.name in tasks] or [""]:
                yield renamed.get(above, above), name, outcome
        for outcome, tasks in (node.outcomes or {}).items():
            if not tasks:
                yield name, None, outcome


def _marked(
    sides: tuple[CompiledTarget, ...],
    edges: list[set[Triple]],
    renamed: Mapping[str, str],
    target: TargetDiff,
) -> Iterator[MergedEdge]:
    """The edges, the head's first; outcomes with the same ends and the same action share one edge."""
    outcomes_of: dict[tuple[str, str | None, Action], list[str]] = {}
    for side in sides:
        for edge in _edges(side.graph, renamed if side is not target.head else {}):
            is_on_side = [edge in one for one in edges]
            action = Action.UNCHANGED if all(is_on_side) else Action.CREATE if is_on_side[0] else Action.DROP
            outcomes = outcomes_of.setdefault((edge[0], edge[1], action), [])
            if edge[2] and edge[2] not in outcomes:
                outcomes.append(edge[2])
    for (above, below, action), outcomes in outcomes_of.items():
        yield MergedEdge(above, below, tuple(outcomes), action)
