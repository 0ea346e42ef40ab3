"""Both sides of a diff as one graph: every task and edge of either, with what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.base.record import record
from sfml.graph.model import TaskGraph, TaskNode
from sfml.plan.model import Action, Change
from sfml.review.model import CompiledTarget, TargetDiff

ROOT = ""
"""The root's name among the tasks'; a spec cannot have a task of that name."""


@record
class MergedTask:
    """A task of the head, or one of the base that is gone. `before` is what a renamed one was called."""

    node: TaskNode
    side: CompiledTarget
    action: Action
    change: Change | None = None
    before: str | None = None


@record
class MergedEdge:
    """From the root where `above` is empty; `below` is None for an outcome that starts nothing."""

    above: str
    below: str | None
    outcomes: tuple[str, ...]
    action: Action


@record
class MergedGraph:
    """`tasks` by their names, those of the head first; `root` is what becomes of the root."""

    tasks: Mapping[str, MergedTask]
    edges: tuple[MergedEdge, ...]
    root: Change | None


def merged(target: TargetDiff) -> MergedGraph:
    """The graph to draw. Nothing is marked where all of it is new, or gone."""
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
    """Old name → new name in the spec, of the tasks that move."""
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
    """The edges of the head and then of the base, outcomes that share a fate on one."""
    found: dict[tuple[str, str | None, Action], list[str]] = {}
    for side in sides:
        for edge in _edges(side.graph, renamed if side is not target.head else {}):
            there = [edge in one for one in edges]
            action = Action.UNCHANGED if all(there) else Action.CREATE if there[0] else Action.DROP
            outcomes = found.setdefault((edge[0], edge[1], action), [])
            if edge[2] and edge[2] not in outcomes:
                outcomes.append(edge[2])
    for (above, below, action), outcomes in found.items():
        yield MergedEdge(above, below, tuple(outcomes), action)
