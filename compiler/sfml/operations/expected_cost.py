"""What a part of a run or one run of a backfill costs, by what the spec expects, and else by earlier runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sfml.account.history import TaskRow
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.cost.amount import Amount
from sfml.cost.measured import Measured, with_measured
from sfml.cost.one_run import run_cost
from sfml.frontend.compiled_spec import CompiledSpec

HISTORY = "the history"
"""Where durations are from that no file holds."""


@record
class ExpectedCost:
    """The credits of one run, and a sentence on the durations that are those of earlier runs, if some are."""

    credits: Amount
    basis: str | None = None


def expected_cost(
    compiled_spec: CompiledSpec, tasks: Collection[str], rows: Iterable[TaskRow]
) -> ExpectedCost | None:
    """The cost of one run of these tasks; `rows` are the history. None for a local target, which costs nothing."""
    graph, desired = compiled_spec.reading.graph, compiled_spec.desired
    if graph is None or graph.target.is_local:
        return None
    names = {raw(task.name): task.task for task in desired.all_tasks if task.task is not None}
    measured = Measured({(graph.pipeline, graph.target.name): _seconds(rows, names, tasks)}, (HISTORY,))
    graph, basis = with_measured(graph, measured)
    credits = run_cost(graph, tasks)
    if credits is None:
        return None
    # A task that only a deployment has takes an unknown time.
    is_known = {*tasks} <= {node.name for node in graph.all_tasks}
    return ExpectedCost(credits if is_known else Amount(credits.low, None), basis)


def _seconds(
    rows: Iterable[TaskRow], names: Mapping[str, str], tasks: Collection[str]
) -> Mapping[str, tuple[float, ...]]:
    """Task → the seconds of its runs that succeeded, sorted."""
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        name = names.get(row.name)
        if name in tasks and row.state == "SUCCEEDED" and row.started_at and row.completed_at:
            seconds[str(name)].append((row.completed_at - row.started_at).total_seconds())
    return {name: tuple(sorted(took)) for name, took in seconds.items()}
