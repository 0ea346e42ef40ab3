"""Durations of tasks from exported runs, for tasks of which the spec does not say how long they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sfml.base.exported_runs import exported_document
from sfml.base.record import record
from sfml.graph.expectations import Range, TaskExpectation
from sfml.graph.model import TaskGraph, TaskNode
from sfml.semantics.limits import MAX_TIMEOUT_MS

LOW, HIGH = 10, 90
"""The percentiles that a range of durations goes from and to."""


@record
class Measured:
    """Pipeline and target → task → the seconds of its runs that succeeded; `files` are where they are from."""

    seconds: Mapping[tuple[str, str], Mapping[str, tuple[float, ...]]]
    files: tuple[str, ...]


def measured_in(files: Sequence[Path]) -> Measured:
    """The durations in files that `sfml history --export` wrote; raises `UsageError` for others."""
    seconds: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for file in files:
        document = exported_document(file)
        own = seconds.setdefault((document["pipeline"], document["target"]), {})
        for run_id, task, took in _durations(document):
            own.setdefault(task, {})[run_id] = took  # a run that several files hold counts once
    return Measured(
        {
            place: {task: tuple(sorted(runs.values())) for task, runs in tasks.items()}
            for place, tasks in seconds.items()
        },
        tuple(file.name for file in files),
    )


def _durations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Run, task and seconds of every task that succeeded; other forms, and times that no task takes, are left out."""
    for run in document["runs"]:
        tasks = run.get("tasks") if isinstance(run, dict) else None
        for task in tasks if isinstance(tasks, list) else ():
            if not isinstance(task, dict) or task.get("state") != "SUCCEEDED":
                continue
            name, took = task.get("name"), task.get("duration_ms")
            if (
                isinstance(name, str)
                and isinstance(took, int | float)
                and not isinstance(took, bool)
                and 0 <= took <= MAX_TIMEOUT_MS
            ):
                yield str(run.get("run_id")), name, took / 1000


def with_measured(graph: TaskGraph, measured: Measured) -> tuple[TaskGraph, str | None]:
    """The graph with the durations that it does not say itself, and a sentence on them; None where there are none."""
    own = measured.seconds.get((graph.pipeline, graph.target.name), {})
    filled: dict[str, int] = {}

    def with_duration(node: TaskNode) -> TaskNode:
        seconds = own.get(node.name, ())
        if not seconds or (node.expect is not None and node.expect.takes is not None):
            return node
        filled[node.name] = len(seconds)
        takes = Range(percentile(seconds, LOW), percentile(seconds, HIGH))
        return replace(node, expect=replace(node.expect or TaskExpectation(), takes=takes))

    tasks = tuple(with_duration(node) for node in graph.tasks)
    last = with_duration(graph.finalizer) if graph.finalizer is not None else None
    if not filled:
        return graph, None
    return replace(graph, tasks=tasks, finalizer=last), _sentence(graph.pipeline, filled, measured.files)


def not_meant(measured: Measured, graphs: Sequence[TaskGraph]) -> Iterator[str]:
    """A sentence for each pipeline and target of the files that is none of the graphs: nothing is taken from those."""
    meant = {(graph.pipeline, graph.target.name) for graph in graphs}
    for pipeline, target in measured.seconds:
        if (pipeline, target) not in meant:
            yield (
                f"nothing is taken from the runs of `{pipeline}` in target `{target}`,"
                f" which {', '.join(measured.files)} {'holds' if len(measured.files) == 1 else 'hold'}"
            )


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value that so many of a hundred do not exceed, by the nearest rank.

    >>> [percentile((1, 2, 3, 4, 5, 6, 7, 8, 9, 10), percent) for percent in (10, 50, 90, 100)]
    [1, 5, 9, 10]
    """
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def _sentence(pipeline: str, filled: Mapping[str, int], files: Iterable[str]) -> str:
    least, most = min(filled.values()), max(filled.values())
    runs = f"{most} run{'' if most == 1 else 's'}" if least == most else f"{least} to {most} runs"
    names = ", ".join(f"`{name}`" for name in list(filled)[:5])
    more = f" and {len(filled) - 5} more" if len(filled) > 5 else ""
    return (
        f"durations of {names}{more} in `{pipeline}` are the {LOW}th to {HIGH}th percentile of {runs}"
        f" in {', '.join(files)}"
    )
