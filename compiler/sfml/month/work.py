"""What one run of a pipeline does in a scenario: its tasks, their order and durations, and what they occupy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from sfml.base.quoting import folded, raw
from sfml.base.record import record
from sfml.cost.run_use import seconds_of
from sfml.graph.expectations import PoolSize, Size
from sfml.graph.model import OnPool, OnWarehouse, TaskGraph, TaskNode
from sfml.month.model import Scenario
from sfml.semantics.limits import timeout_seconds
from sfml.ways.certain import certainty_of

CONCURRENT_STATEMENTS = 8
"""MAX_CONCURRENCY_LEVEL of a warehouse where nobody sets it: further statements wait.

https://docs.snowflake.com/en/sql-reference/parameters#max-concurrency-level"""


@record
class TaskWork:
    """A task of a run: the tasks that it follows, its seconds, and how many places of a machine it takes."""

    name: str
    after: tuple[str, ...]
    seconds: float
    machine: str | None
    places: int = 1


@record
class RunWork:
    """A run of a pipeline. `timeout` is in seconds, `capacity` the places of each machine that has bounds."""

    pipeline: str
    overlap: str
    timeout: float
    tasks: tuple[TaskWork, ...]
    capacity: Mapping[str, int] = field(default_factory=dict)


def run_work(graph: TaskGraph, sizes: Mapping[str, Size], scenario: Scenario) -> RunWork:
    """The work of a run: at least what certainly runs, at most every task, both arms of a branch included."""
    fixed = certainty_of(graph).fixed
    runs = {
        node.name
        for node in graph.all_tasks
        if scenario == "most" or node.is_finalizer or fixed.get(node.name, False)
    }
    followed = {name for node in graph.tasks for name in node.after}
    ends = tuple(node.name for node in graph.tasks if node.name not in followed)
    after = {node.name: ends if node.is_finalizer else node.after for node in graph.all_tasks}
    kept = {name: tuple(dict.fromkeys(_kept(name, after, runs))) for name in after if name in runs}
    tasks = tuple(
        _task(node, kept[node.name], graph.settings.retries, scenario)
        for node in graph.all_tasks
        if node.name in runs
    )
    capacity = {name: places for task in tasks if (name := task.machine) and (places := _places(name, sizes))}
    timeout = graph.settings.timeout
    return RunWork(
        graph.pipeline,
        graph.settings.overlap,
        timeout_seconds(None if timeout is None else timeout * 1000),
        tasks,
        capacity,
    )


def _kept(name: str, after: Mapping[str, tuple[str, ...]], runs: set[str]) -> list[str]:
    """What a task follows, with those left out replaced by what these follow."""
    kept_names: list[str] = []
    for other in after[name]:
        kept_names += [other] if other in runs else _kept(other, after, runs)
    return kept_names


def _task(node: TaskNode, after: tuple[str, ...], retries: int, scenario: Scenario) -> TaskWork:
    expected = seconds_of(node, retries)
    seconds = expected.low if scenario == "least" else expected.high
    limit = timeout_seconds(None if node.timeout is None else node.timeout * 1000)
    work = TaskWork(node.name, after, min(seconds or 0.0, limit), None, 0)
    match node.run_on:
        case OnPool(pool=pool, instances=instances, min_instances=least):
            return replace(work, machine=f"pool {raw(folded(pool))}", places=least or instances)
        case OnWarehouse(warehouse):
            return replace(work, machine=f"warehouse {raw(folded(warehouse))}", places=1)
        case _:
            return work


def _places(machine: str, sizes: Mapping[str, Size]) -> int | None:
    """How many nodes a pool has, or how many statements a warehouse executes at once; None where nobody says."""
    kind, _, name = machine.partition(" ")
    if kind == "warehouse":
        return CONCURRENT_STATEMENTS
    size = sizes.get(folded(_quoted(name)))
    return size.max_nodes if isinstance(size, PoolSize) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
