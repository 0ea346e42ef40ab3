"""The deployed graph, from the rows of SHOW TASKS: tasks below the root, other tasks, and which are started; pure."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from sfml.account.history import DeployedRoot
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.plan.renderings import names

SHOWN = ("warehouse", "config", "error_integration", "success_integration")
"""The columns that hold settings which nothing but a comparison with the spec needs."""

ORPHANED = frozenset({"CHILD_BECAME_ROOT", "FINALIZER_BECAME_ROOT"})
"""The values of `last_suspended_reason` for a task that was removed from its graph."""


@record
class DeployedTask:
    """A task of the schema other than the root; its names are unquoted."""

    name: str
    started: bool
    predecessors: frozenset[str] = frozenset()
    suspended_reason: str | None = None
    suspended_on: datetime | None = None
    comment: str | None = None
    condition: str | None = None
    body: str = ""
    """The statement that it runs; empty if the role may not see it."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """The columns of SHOW TASKS that hold the settings of `SHOWN`."""


@record
class DeployedGraph:
    """A root, the tasks below it with its finalizer (`tasks`), and all other tasks of the schema (`others`).

    `root` is None when no task has its name; its former children may still exist, in `others`.
    """

    root: DeployedRoot | None
    tasks: tuple[DeployedTask, ...] = ()
    others: tuple[DeployedTask, ...] = ()

    @property
    def suspended(self) -> tuple[DeployedTask, ...]:
        """The suspended children and finalizer. A run skips them, and the tasks that run only after them."""
        return tuple(task for task in self.tasks if not task.started)


def own_suspended(
    graph: DeployedGraph, desired: DesiredGraph, differs: bool | None = None
) -> tuple[DeployedTask, ...]:
    """The suspended tasks that sfml made. Tasks that somebody else added to the graph are not included.

    If the deployed graph may differ from the spec (`differs` is not False), a task with a name such as sfml gives
    counts as its own, because an earlier deployment may have made it.
    """
    own = {raw(task.name) for task in desired.all_tasks}
    below = f"{raw(desired.root.name)}$"
    return tuple(
        task
        for task in graph.suspended
        if task.name in own or (differs is not False and task.name.startswith(below))
    )


def cut_loose(graph: DeployedGraph, desired: DesiredGraph) -> tuple[DeployedTask, ...]:
    """The loose tasks of the pipeline: they belong to another root, or to none, so no run of the graph reaches them.

    They are recognised by name: a name that the spec has; or a name that begins with the root's name and `$`, of a task
    that Snowflake reports as removed from a graph. Another pipeline's root may also have such a name; tasks named below
    that root belong to the other pipeline.
    """
    own = {raw(task.name) for task in desired.all_tasks}
    below = f"{raw(desired.root.name)}$"
    # The graphs of parts of runs (`CLV$$PART_…`) are named so that no task of a spec can be.
    candidates = [
        task for task in graph.others if task.name.startswith(below) and not task.name.startswith(f"{below}$")
    ]
    roots = [
        f"{task.name}$" for task in candidates if not (task.predecessors or task.suspended_reason in ORPHANED)
    ]
    return tuple(
        task
        for task in graph.others
        if task.name in own
        or (
            task in candidates
            and task.suspended_reason in ORPHANED
            and not task.name.startswith(tuple(roots))
        )
    )


@record
class SchemaTasks:
    """All tasks of a schema from the rows of SHOW TASKS, so that many graphs can be found in them."""

    rows: Mapping[str, Mapping[str, Any]]
    tasks: Mapping[str, DeployedTask]
    children: Mapping[str, tuple[str, ...]]
    """Name of a task → the names of the tasks that run after it."""
    ordered: tuple[str, ...]
    """All names, sorted."""

    def starting(self, prefix: str) -> tuple[str, ...]:
        """The names that begin so, sorted."""
        begin = bisect_left(self.ordered, prefix)
        end = begin
        while end < len(self.ordered) and self.ordered[end].startswith(prefix):
            end += 1
        return self.ordered[begin:end]


def schema_tasks(rows: Iterable[Mapping[str, Any]]) -> SchemaTasks:
    """The tasks of one schema, from the rows of SHOW TASKS.

    https://docs.snowflake.com/en/sql-reference/sql/show-tasks
    """
    by_name = {str(row["name"]): row for row in rows}
    tasks = {name: _task(row) for name, row in by_name.items()}
    children: dict[str, list[str]] = {}
    for name, task in tasks.items():
        for predecessor in task.predecessors:
            children.setdefault(predecessor, []).append(name)
    return SchemaTasks(
        by_name, tasks, {name: tuple(below) for name, below in children.items()}, tuple(sorted(tasks))
    )


def deployed_graph(rows: Iterable[Mapping[str, Any]], root: str) -> DeployedGraph:
    """The graph of the root with this name, and all other tasks, from the rows of SHOW TASKS for its schema."""
    schema = schema_tasks(rows)
    return _graph(schema, raw(root), schema.tasks)


def graph_of(schema: SchemaTasks, desired: DesiredGraph) -> DeployedGraph:
    """The graph of a pipeline; of the other tasks, only those whose names may be of its own, its parts and lanes.

    Looking at all others would take the square of the number of pipelines.
    """
    root = raw(desired.root.name)
    own = (name for task in desired.all_tasks if (name := raw(task.name)) in schema.tasks)
    return _graph(schema, root, dict.fromkeys((*own, *schema.starting(f"{root}$"))))


def _graph(schema: SchemaTasks, root: str, near: Iterable[str]) -> DeployedGraph:
    """The graph below a root; `others` are the tasks of `near` that do not belong to it."""
    own = schema.rows.get(root)
    members: dict[str, None] = {}
    waiting = [root] if own else []
    while waiting:
        for name in schema.children.get(waiting.pop(), ()):
            if name != root and name not in members:
                members[name] = None
                waiting.append(name)
    finalizer = _last_name(_relations(own).get("FinalizerTask")) if own else None
    if finalizer is not None and finalizer in schema.tasks:
        members[finalizer] = None
    return DeployedGraph(
        deployed_root(own) if own else None,
        tuple(schema.tasks[name] for name in sorted(members)),
        tuple(schema.tasks[name] for name in near if name not in members and name != root),
    )


def deployed_root(row: Mapping[str, Any]) -> DeployedRoot:
    """A row of SHOW TASKS as a root task."""
    return DeployedRoot(
        name=str(row["name"]),
        id=str(row["id"]),
        started=row["state"] == "started",
        schedule=row.get("schedule"),
        comment=row.get("comment"),
        suspended_reason=_text(row.get("last_suspended_reason")),
        suspended_on=utc(row.get("last_suspended_on")),
        committed_on=utc(row.get("last_committed_on")),
        created_on=utc(row.get("created_on")),
        condition=_text(row.get("condition")),
        body=str(row.get("definition") or ""),
        shown=_shown(row),
    )


def _task(row: Mapping[str, Any]) -> DeployedTask:
    return DeployedTask(
        name=str(row["name"]),
        started=row["state"] == "started",
        predecessors=frozenset(raw(name) for name in names(row.get("predecessors"))),
        suspended_reason=_text(row.get("last_suspended_reason")),
        suspended_on=utc(row.get("last_suspended_on")),
        comment=row.get("comment"),
        condition=_text(row.get("condition")),
        body=str(row.get("definition") or ""),
        shown=_shown(row),
    )


def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {column: row[column] for column in SHOWN if column in row}


def _relations(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The column `task_relations`, which alone names the finalizer: `{"Predecessors":[],"FinalizerTask":"D.S.F"}`."""
    try:
        value = json.loads(str(row.get("task_relations") or "{}"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _last_name(written: object) -> str | None:
    return next((raw(name) for name in names([written])), None) if isinstance(written, str) else None


def _text(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return None if text.lower() in ("", "null") else text


def utc(value: object) -> datetime | None:
    """A time of a client as an aware datetime in UTC, from a datetime or ISO 8601 text; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
