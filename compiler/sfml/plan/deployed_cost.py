"""What a plan does to the cost of a pipeline: the spec's expectations, put on the graph as it is deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sfml.cost.amount import NOTHING, Amount
from sfml.cost.change import CostChange, cost_change
from sfml.cost.estimate import estimate
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    Manual,
    OnPool,
    OnWarehouse,
    Overlap,
    RunOn,
    Schedule,
    Serverless,
    SqlBody,
    TaskGraph,
    TaskNode,
)
from sfml.plan.model import Action, Change, Comparable, Plan

_INTERVAL = re.compile(r"every (\d+) s")
_OVERLAPS: Mapping[str, Overlap] = {
    "NO_OVERLAP": "NO_OVERLAP",
    "ALLOW_CHILD_OVERLAP": "ALLOW_CHILD_OVERLAP",
    "ALLOW_ALL_OVERLAP": "ALLOW_ALL_OVERLAP",
}


def planned_cost(graph: TaskGraph, plan: Plan) -> CostChange | None:
    """The credits of a month of what is deployed, and of the plan; None for a local target, and without expectations.

    What is deployed says when it runs, where, and which tasks it has; how long they take is what the spec expects now.
    Of a task that only the account has, nothing is known.
    """
    says = any(node.expect is not None and node.expect.takes is not None for node in graph.all_tasks)
    if graph.target.is_local or not says:
        return None
    before = deployed_graph(graph, plan)
    change = cost_change(before, graph)
    if change is not None:
        return change
    after = estimate([graph]).credits
    return CostChange(_credits(before), after, ())


def _credits(graph: TaskGraph | None) -> Amount:
    return NOTHING if graph is None else estimate([graph]).credits


def deployed_graph(graph: TaskGraph, plan: Plan) -> TaskGraph | None:
    """The spec's graph with what the plan would change put back; None where nothing is deployed yet."""
    changes = {change.task: change for change in plan.changes}
    root = changes.get(graph.pipeline)
    if root is not None and root.action is Action.CREATE:
        return None
    created = {name for name, change in changes.items() if change.action is Action.CREATE}
    tasks = tuple(_tasks(graph, changes, created))
    known = {node.name for node in graph.all_tasks}
    gone = tuple(
        TaskNode(name, SqlBody(""), OnWarehouse(graph.target.warehouse))
        for name, change in changes.items()
        if change.action is Action.DROP and name not in known
    )
    last = graph.finalizer
    if last is not None and last.name in created:
        last = None
    elif last is not None:
        last = replace(last, run_on=_run_on(last.run_on, changes.get(last.name)))
    settings = graph.settings if root is None else _settings(graph.settings, root)
    return replace(graph, tasks=(*tasks, *gone), finalizer=last, settings=settings)


def _tasks(graph: TaskGraph, changes: Mapping[str, Change], created: set[str]) -> Iterator[TaskNode]:
    for node in graph.tasks:
        if node.name in created:
            continue
        outcomes = node.outcomes and {
            outcome: tuple(name for name in tasks if name not in created)
            for outcome, tasks in node.outcomes.items()
        }
        yield replace(
            node,
            after=tuple(name for name in node.after if name not in created),
            outcomes=outcomes,
            run_on=_run_on(node.run_on, changes.get(node.name)),
        )


def _run_on(run_on: RunOn, change: Change | None) -> RunOn:
    """Where the task runs now; a pool stands in its body, which is not read."""
    if change is None or isinstance(run_on, OnPool):
        return run_on
    old = {field.path: field.old for field in change.fields}
    if "warehouse" in old:
        warehouse = old["warehouse"]
        if isinstance(warehouse, str):
            return OnWarehouse(warehouse)
        return _sized(Serverless(), old)
    return _sized(run_on, old) if isinstance(run_on, Serverless) else run_on


def _sized(run_on: Serverless, old: Mapping[str, Comparable]) -> Serverless:
    return replace(
        run_on,
        initial=_text(old.get("serverless.initial", run_on.initial)),
        min=_text(old.get("serverless.min", run_on.min)),
        max=_text(old.get("serverless.max", run_on.max)),
    )


def _text(value: Comparable) -> str | None:
    return value if isinstance(value, str) else None


def _settings(settings: GraphSettings, root: Change) -> GraphSettings:
    for field in root.fields:
        match field.path, field.old:
            case "schedule", old:
                settings = replace(settings, schedule=_schedule(_text(old)))
            case "overlap", str(old) if old in _OVERLAPS:
                settings = replace(settings, overlap=_OVERLAPS[old])
            case "retries", int(old):
                settings = replace(settings, retries=old)
            case _:
                pass
    return settings


def _schedule(text: str | None) -> Schedule:
    """The schedule that a plan's text is of; by hand where there is none."""
    interval = _INTERVAL.fullmatch(text or "")
    if interval is not None:
        return IntervalSchedule(int(interval[1]))
    fields, _, zone = (text or "").removeprefix("cron ").rpartition(" ")
    return CronSchedule(fields, zone) if len(fields.split()) == 5 else Manual()
