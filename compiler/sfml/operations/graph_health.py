"""The health of a deployed graph, read from a connected target; and notes about it for commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sfml.account.health import LooseTasks, MissingTasks, SuspendedChildren, health_of
from sfml.base.errors import ConflictingState
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import read_stage
from sfml.operations.runs import runs_of
from sfml.operations.target_account import TargetAccount
from sfml.plan.provenance import origin_text
from sfml.render.health import problem_text, schedule_state_text, work_text

if TYPE_CHECKING:
    from sfml.account.deployed import DeployedGraph
    from sfml.account.health import GraphHealth
    from sfml.lower.desired import DesiredGraph


def suspended_names(graph: DeployedGraph) -> frozenset[str]:
    return frozenset(task.name for task in graph.suspended)


def graph_health(desired: DesiredGraph, target: TargetAccount) -> GraphHealth:
    """Read the graph, its journal and its last run; returns its health."""
    graph = target.history.deployed(desired.root.name)
    _, journal = read_stage(desired, target)
    holder = target.leases.holder(desired.root.name) if journal else None
    rows = target.history.rows(graph.root) if graph.root else ()
    run = None
    if graph.root and any(row.state != "SCHEDULED" for row in rows):
        records = target.history.graphs(graph.root)
        run = next(iter(runs_of(desired, rows, records, limit=1, suspended=suspended_names(graph))), None)
    return health_of(
        desired, graph, now=datetime.now(UTC), journal=journal, holder=holder, run=run, rows=rows
    )


def demand_finished_apply(compiled_spec: CompiledSpec, target: TargetAccount) -> None:
    """Raise `ConflictingState` if an apply is unfinished, because the graph is then neither the old nor the new one."""
    desired = compiled_spec.desired
    _, journal = read_stage(desired, target)
    if journal is None:
        return
    header = journal.header
    where = desired.where
    text = work_text(header.work, desired.pipeline, header.owner, header.began_at)
    raise ConflictingState(
        f"{desired.pipeline} is half applied: {text} did not finish; nothing was run",
        help=f"finish it:  sfml {header.work} {where}   or go back:  sfml apply {where} --restore",
    )


def drift_notes(desired: DesiredGraph, target: TargetAccount) -> Iterator[str]:
    """Notes on problems that are no drift of a task but stop the graph: a schedule that is off, loose tasks."""
    health = health_of(desired, target.history.deployed(desired.root.name), now=datetime.now(UTC))
    if health.off is not None:
        yield f"the schedule is {schedule_state_text(health.off)}"
    for problem in health.problems:
        if isinstance(problem, LooseTasks):
            yield problem_text(problem, desired.pipeline)


def run_notes(compiled_spec: CompiledSpec, graph: DeployedGraph) -> Iterator[str]:
    """Notes on differences between a run and the files: other code, tasks that are suspended, loose or missing."""
    desired = compiled_spec.desired
    health = health_of(desired, graph, now=datetime.now(UTC))
    where = desired.where
    if health.differs:
        origin = origin_text(health.record)
        of = f", of {origin}," if origin else ""
        yield f"what is deployed{of} differs from the files; the difference:  sfml plan {where}"
    for problem in health.problems:
        if isinstance(problem, SuspendedChildren | LooseTasks | MissingTasks):
            yield f"{problem_text(problem, desired.pipeline)};  sfml plan {where}"
