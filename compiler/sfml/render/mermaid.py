"""A task graph as a Mermaid flowchart, which GitHub and most editors draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.graph.model import (
    CronSchedule,
    IntervalSchedule,
    Manual,
    OnPool,
    OnWarehouse,
    RunOn,
    Schedule,
    Serverless,
    StreamSchedule,
    TaskGraph,
    TaskNode,
)
from sfml.render.printable import printable

_PLAIN = frozenset(" _-.,:/()+=")
_LONGEST = 80
_ROOT = "root"


def mermaid(graph: TaskGraph) -> str:
    """The flowchart: gates are diamonds with their outcomes on the edges, the finalizer is dashed."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: TaskGraph) -> Iterator[str]:
    # Numbers instead of names: a task may be called `end` or `subgraph`, which are keywords of Mermaid.
    ids = {node.name: f"t{index}" for index, node in enumerate(graph.all_tasks, start=1)}
    yield "flowchart TD"
    yield f'  {_ROOT}(["{label_text(graph.pipeline)}<br/>{label_text(_schedule(graph.settings.schedule))}"])'
    for node in graph.all_tasks:
        yield f"  {ids[node.name]}{_shape(node)}"
    for node in graph.tasks:
        yield from _edges_into(graph, node, ids)
    for node in graph.tasks:
        yield from _dead_ends(node, ids)
    if graph.finalizer is not None:
        yield f'  {_ROOT} -. "finally" .-> {ids[graph.finalizer.name]}'
        yield "  classDef finalizer stroke-dasharray: 4 4"
        yield f"  class {ids[graph.finalizer.name]} finalizer"


def _shape(node: TaskNode) -> str:
    lines = [node.name, compute_words(node.run_on)]
    if node.run_if is not None:
        lines.append(f"if {node.run_if}")
    label = "<br/>".join(label_text(line) for line in lines)
    return f'{{"{label}"}}' if node.is_branch else f'["{label}"]'


def _edges_into(graph: TaskGraph, node: TaskNode, ids: Mapping[str, str]) -> Iterator[str]:
    if not node.after:
        yield f"  {_ROOT} --> {ids[node.name]}"
    for name in node.after:
        outcomes = graph.task(name).outcomes or {}
        chosen = " or ".join(outcome for outcome, tasks in outcomes.items() if node.name in tasks)
        label = f'|"{label_text(chosen)}"|' if chosen else ""
        yield f"  {ids[name]} -->{label} {ids[node.name]}"


def _dead_ends(node: TaskNode, ids: Mapping[str, str]) -> Iterator[str]:
    """Edges for outcomes that start no task; each ends in a node called `nothing`."""
    for index, (outcome, tasks) in enumerate((node.outcomes or {}).items(), start=1):
        if not tasks:
            yield f'  {ids[node.name]} -->|"{label_text(outcome)}"| {ids[node.name]}_{index}(("nothing"))'


def compute_words(run_on: RunOn) -> str:
    """Where a task runs: `warehouse ML_WH`, `pool ML_POOL, 2 instances`."""
    match run_on:
        case OnWarehouse(warehouse):
            return f"warehouse {warehouse}"
        case Serverless():
            return "serverless"
        case OnPool(pool, instances):
            return f"pool {pool}" if instances == 1 else f"pool {pool}, {instances} instances"


def _schedule(schedule: Schedule) -> str:
    match schedule:
        case CronSchedule(cron, timezone):
            return f"cron {cron} {timezone}"
        case IntervalSchedule(seconds):
            return f"every {seconds} s"
        case StreamSchedule(streams):
            return f"on {', '.join(streams)}"
        case Manual():
            return "manual"


def label_text(text: str) -> str:
    """Text for a quoted label; characters with a meaning in Mermaid or HTML are written as numeric entities."""
    visible = printable(" ".join(text.split()))
    flat = visible if len(visible) <= _LONGEST else visible[: _LONGEST - 1] + "…"
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in flat)
