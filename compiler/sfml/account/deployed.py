"""The deployed graph as SHOW TASKS answers it: which tasks are on, what hangs on the root, what hangs nowhere; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sfml.account.history import DeployedRoot
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.plan.renderings import names

ORPHANED = frozenset({"CHILD_BECAME_ROOT", "FINALIZER_BECAME_ROOT"})
"""Why Snowflake suspended a task that somebody took out of its graph."""


@record
class DeployedTask:
    """A task below a root, or beside it; names are as they are, without quotes."""

    name: str
    started: bool
    predecessors: frozenset[str] = frozenset()
    suspended_reason: str | None = None
    suspended_on: datetime | None = None


@record
class DeployedGraph:
    """A root with everything that hangs on it, its finalizer included; and the schema's other tasks.

    `root` is None where there is no task of that name: its children may still be there.
    """

    root: DeployedRoot | None
    tasks: tuple[DeployedTask, ...] = ()
    others: tuple[DeployedTask, ...] = ()

    @property
    def suspended(self) -> tuple[DeployedTask, ...]:
        """The children and the finalizer that are off: a run passes over them, and over what only follows them."""
        return tuple(task for task in self.tasks if not task.started)


def own_suspended(graph: DeployedGraph, desired: DesiredGraph) -> tuple[DeployedTask, ...]:
    """Our own tasks of the graph that are off; what others hung below it is theirs to turn on."""
    own = {raw(task.name) for task in desired.all_tasks}
    below = f"{raw(desired.root.name)}$"
    return tuple(task for task in graph.suspended if task.name in own or task.name.startswith(below))


def cut_loose(graph: DeployedGraph, desired: DesiredGraph) -> tuple[DeployedTask, ...]:
    """Our own tasks that hang on another root than ours, or on none: no run of the graph reaches them.

    They are known by name: one that the spec has, or one below our root's name that Snowflake says was taken out of a
    graph. Another pipeline's root may have such a name too: what is named below that is the other pipeline's.
    """
    own = {raw(task.name) for task in desired.all_tasks}
    below = f"{raw(desired.root.name)}$"
    named = [task for task in graph.others if task.name.startswith(below)]
    roots = [
        f"{task.name}$" for task in named if not (task.predecessors or task.suspended_reason in ORPHANED)
    ]
    return tuple(
        task
        for task in graph.others
        if task.name in own
        or (task in named and task.suspended_reason in ORPHANED and not task.name.startswith(tuple(roots)))
    )


def deployed_graph(rows: Iterable[Mapping[str, Any]], root: str) -> DeployedGraph:
    """The graph below the root of that name, from the rows of SHOW TASKS for its schema.

    https://docs.snowflake.com/en/sql-reference/sql/show-tasks
    """
    bare = raw(root)
    own = next((row for row in rows if row["name"] == bare), None)
    finalizer = _last_name(_relations(own).get("FinalizerTask")) if own else None
    tasks = {str(row["name"]): _task(row) for row in rows if row["name"] != bare}
    members = {bare} if own else set()
    grew = bool(own)
    while grew:
        joining = {
            name for name, task in tasks.items() if name not in members and task.predecessors & members
        }
        grew = bool(joining)
        members |= joining
    if finalizer in tasks:
        members.add(str(finalizer))
    return DeployedGraph(
        deployed_root(own) if own else None,
        tuple(task for name, task in tasks.items() if name in members),
        tuple(task for name, task in tasks.items() if name not in members),
    )


def deployed_root(row: Mapping[str, Any]) -> DeployedRoot:
    """One row of SHOW TASKS as a root."""
    return DeployedRoot(
        name=str(row["name"]),
        id=str(row["id"]),
        started=row["state"] == "started",
        schedule=row.get("schedule"),
        comment=row.get("comment"),
        suspended_reason=_text(row.get("last_suspended_reason")),
        suspended_on=utc(row.get("last_suspended_on")),
        committed_on=utc(row.get("last_committed_on")),
    )


def _task(row: Mapping[str, Any]) -> DeployedTask:
    return DeployedTask(
        name=str(row["name"]),
        started=row["state"] == "started",
        predecessors=frozenset(raw(name) for name in names(row.get("predecessors"))),
        suspended_reason=_text(row.get("last_suspended_reason")),
        suspended_on=utc(row.get("last_suspended_on")),
    )


def _relations(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The finalizer stands only in this column: `{"Predecessors":[],"FinalizerTask":"DB.S.F"}`."""
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
    """A time as clients give it, in UTC; the API's text forms too."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
