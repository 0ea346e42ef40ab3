"""How the cost of a pipeline changes between two states of its spec, and which changes make the difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sfml.base.record import record
from sfml.cost.amount import NOTHING, Amount
from sfml.cost.estimate import estimate
from sfml.graph.alert_events import with_alerts
from sfml.graph.expectations import TaskExpectation
from sfml.graph.model import RunOn, TaskGraph

_MOST_TASKS = 50
"""How many changed tasks are tried one by one."""


@record
class CostChange:
    """Credits a month before and after; `causes` are what makes the difference by itself, in words."""

    before: Amount
    after: Amount
    causes: tuple[str, ...]


def cost_change(base: TaskGraph | None, head: TaskGraph | None) -> CostChange | None:
    """The change; None where the cost is the same, and where neither side says how long any task takes."""
    sides = [graph for graph in (base, head) if graph is not None]
    if not any(_says_durations(graph) for graph in sides) or all(graph.target.is_local for graph in sides):
        return None
    before, after = _credits(base), _credits(head)
    if before == after:
        return None
    causes = tuple(_causes(base, head, before)) if base is not None and head is not None else ()
    return CostChange(before, after, causes)


def _says_durations(graph: TaskGraph) -> bool:
    return any(node.expect is not None and node.expect.takes is not None for node in graph.all_tasks)


def _credits(graph: TaskGraph | None) -> Amount:
    return NOTHING if graph is None else estimate([graph]).credits


def _causes(base: TaskGraph, head: TaskGraph, before: Amount) -> Iterator[str]:
    """What alone, put into the base, changes its cost; and the tasks that only one side has."""
    base, head = with_alerts(base), with_alerts(head)
    settings = replace(head.settings, alerts=base.settings.alerts)
    old_runs, new_runs = base.settings.expected_runs, head.settings.expected_runs
    is_changed = base.settings != settings or old_runs != new_runs
    if is_changed and _credits(replace(base, settings=settings)) != before:
        yield "the schedule"
    if base.sizes != head.sizes and _credits(replace(base, sizes=head.sizes)) != before:
        yield "the sizes"
    if base.target != head.target and _credits(replace(base, target=head.target)) != before:
        yield "the target"
    old = {node.name: node for node in base.all_tasks}
    new = {node.name: node for node in head.all_tasks}
    changed = [
        name
        for name, node in new.items()
        if name in old and (old[name].run_on != node.run_on or old[name].expect != node.expect)
    ]
    for name in changed[:_MOST_TASKS]:
        if _credits(_with_use_of(base, name, new[name].run_on, new[name].expect)) != before:
            yield f"`{name}`"
    yield from (f"`{name}`, which is new" for name in new if name not in old)
    yield from (f"`{name}`, which is gone" for name in old if name not in new)


def _with_use_of(graph: TaskGraph, name: str, run_on: RunOn, expect: TaskExpectation | None) -> TaskGraph:
    """The graph, one of whose tasks runs where and as long as is said."""
    tasks = tuple(
        replace(node, run_on=run_on, expect=expect) if node.name == name else node for node in graph.tasks
    )
    last = graph.finalizer
    if last is not None and last.name == name:
        last = replace(last, run_on=run_on, expect=expect)
    return replace(graph, tasks=tasks, finalizer=last)
