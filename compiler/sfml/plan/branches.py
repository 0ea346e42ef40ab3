"""The branches of a copied graph that a `DAGTaskBranch` can express: read from its conditions.

A copy, such as a part of a run or a lane of a backfill, has some of the tasks of a graph, with conditions that were
moved and folded. A `DAGTaskBranch` puts a comparison in front of the condition of every task after it. So it stands for
a gate exactly where the condition of each task after the gate begins so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sfml.base.quoting import literal, raw
from sfml.lower.desired import DesiredTask


def with_branches(tasks: Sequence[DesiredTask], root: str) -> tuple[DesiredTask, ...]:
    """The tasks below a root, with `is_branch`, `branch_of` and `own_condition` where they have branches."""
    gates = {task.name for task in tasks if task.outcomes is not None}
    while True:
        started = {task.name: _gates_in_front(task, root, gates) for task in tasks}
        plain = {
            gate
            for task in tasks
            for gate in gates.intersection(task.predecessors)
            if gate not in started[task.name]
        }
        if not plain:
            break
        gates -= plain
    followed = {gate for task in tasks for gate in started[task.name]}
    return tuple(_marked(task, started[task.name], root, followed) for task in tasks)


def _marked(task: DesiredTask, gates: tuple[str, ...], root: str, followed: Collection[str]) -> DesiredTask:
    own = _without(task.condition or "", [_comparison(gate, task, root) for gate in gates])
    return replace(task, is_branch=task.name in followed, branch_of=gates, own_condition=own or None)


def _gates_in_front(task: DesiredTask, root: str, gates: Collection[str]) -> tuple[str, ...]:
    """The gates whose comparisons the condition of a task begins with, in their order."""
    comparisons: Mapping[str, str] = {
        _comparison(gate, task, root): gate for gate in task.predecessors if gate in gates
    }
    found: list[str] = []
    rest = task.condition or ""
    while rest:
        first = next((text for text in comparisons if _begins(rest, text)), None)
        if first is None:
            break
        found.append(comparisons[first])
        rest = _without(rest, [first])
    return tuple(found)


def _comparison(gate: str, task: DesiredTask, root: str) -> str:
    short = task.name.removeprefix(f"{root}$")
    return f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE({literal(raw(gate))}) = {literal(short)}"


_AND = " and "


def _begins(condition: str, comparison: str) -> bool:
    return condition == comparison or condition.startswith(f"{comparison}{_AND}")


def _without(condition: str, comparisons: Sequence[str]) -> str:
    for comparison in comparisons:
        condition = condition.removeprefix(comparison).removeprefix(_AND)
    return condition
