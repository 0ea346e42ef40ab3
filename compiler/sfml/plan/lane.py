"""A lane of a backfill: a copy of the deployed graph below a root of its own, which runs one value after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sfml.base.quoting import raw
from sfml.lower.alerting import alerted_parts
from sfml.lower.canonical import Json
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.names import default_name, folded_name
from sfml.plan.rehoming import Move, graph_below, rehomed_definition, rehomed_sql

LANE_MARK = "$$LANE_"
"""What comes after the root's name in the name of a lane's root; no task of a spec can have such a name."""


def lane_root(root: str, number: int) -> str:
    """The name in Snowflake of a lane's root: `CLV` → `CLV$$LANE_1`."""
    return folded_name(f"{raw(root)}{LANE_MARK}{number}")


def backfill_lease(root: str) -> str:
    """The name of the lease of a pipeline's backfill, which is held as long as a command works on it."""
    return folded_name(f"{raw(root)}$$BACKFILL")


def lane_graph(graph: DesiredGraph, root: str, record: Mapping[str, Json]) -> DesiredGraph:
    """The copy of a deployed graph below this root; `record` goes into the root's comment.

    It has no schedule, tells nobody of its failures, and does not turn itself off after failures.
    """
    tasks = [task for task in graph.all_tasks[1:] if not _only_tells(task)]
    names = {task.name: default_name(root, task.task or raw(task.name)) for task in tasks}
    raws = {raw(old): raw(new) for old, new in names.items()}
    move = Move(raw(root), {**raws, raw(graph.root.name): raw(root)})
    made = [_moved(graph, task, root, names, move) for task in tasks]
    top = replace(
        graph.root,
        name=root,
        schedule=None,
        overlap_policy=None,
        suspend_task_after_num_failures=0,
        error_integration=None,
        success_integration=None,
        minimum_trigger_interval_seconds=None,
        tags={},
        contacts={},
        watch={},
        comment="A lane of a backfill, made and removed by sfml.",
    )
    return graph_below(graph, top, made, record=record, archives=())


def _only_tells(task: DesiredTask) -> bool:
    """Whether the task is a finalizer that only sends alerts."""
    parts = alerted_parts(task.definition.sql) if isinstance(task.definition, SqlDefinition) else None
    return parts is not None and parts.inner is None


def _moved(
    graph: DesiredGraph, task: DesiredTask, root: str, names: Mapping[str, str], move: Move
) -> DesiredTask:
    definition = task.definition
    parts = alerted_parts(definition.sql) if isinstance(definition, SqlDefinition) else None
    if parts is not None and parts.inner is not None:
        definition = SqlDefinition(parts.inner)  # without the alerts around it
    above = tuple(sorted(names[one] for one in task.predecessors if one in names))
    is_last = task.finalize is not None
    return replace(
        task,
        name=names[task.name],
        definition=rehomed_definition(definition, move, graph.target, graph.pipeline, task.task or ""),
        predecessors=() if is_last else above or (root,),
        finalize=root if is_last else None,
        condition=None if task.condition is None else rehomed_sql(task.condition, move),
        fingerprint="",
    )
