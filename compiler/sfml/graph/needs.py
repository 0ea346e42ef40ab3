"""The objects that must exist before a graph is deployed: those that it names and does not create."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from sfml.base.quoting import folded
from sfml.base.record import record
from sfml.graph.alert_events import FINALIZER, tells_of_runs
from sfml.graph.alerts import INTEGRATION_TYPES
from sfml.graph.model import (
    CallBody,
    NotifyBody,
    OnPool,
    OnWarehouse,
    RunOn,
    Serverless,
    StreamSchedule,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.semantics.condition_words import streams_in

_PARTS = re.compile(r'"(?:[^"]|"")+"|[^.]+', re.DOTALL)


class Kind(StrEnum):
    """The kinds of objects that a graph may need, in Snowflake's words."""

    DATABASE = "database"
    SCHEMA = "schema"
    STAGE = "stage"
    WAREHOUSE = "warehouse"
    POOL = "compute pool"
    NOTIFICATION = "notification integration"
    ACCESS = "external access integration"
    SECRET = "secret"
    STREAM = "stream"
    PROCEDURE = "procedure"
    TABLE = "table"
    FEATURE_VIEW = "feature view"
    IMAGES = "image repository"
    PACKAGE = "package"


CREATABLE = (Kind.DATABASE, Kind.SCHEMA, Kind.STAGE, Kind.POOL)
"""The kinds that `apply --create-missing` creates; objects of other kinds have to be created by hand."""


@record
class Need:
    """An object that must exist. `name` is folded, and qualified if its kind belongs to a schema.

    The name of a package is as written. `by` are the tasks that need the object; it is empty for an object of the
    target or of the root. `usage` is, for a notification integration, the kind of notification, and for a table `read`
    or `write`.
    """

    kind: Kind
    name: str
    by: tuple[str, ...] = ()
    usage: str = ""


def needs_of(graph: TaskGraph) -> tuple[Need, ...]:
    """The needs of a graph, without duplicates, in the order of `Kind`, each with the tasks that have it."""
    tasks_by_need: dict[tuple[Kind, str, str], list[str]] = {}
    for kind, name, usage, task in _needed_objects(graph):
        tasks = tasks_by_need.setdefault((kind, name, usage), [])
        if task and task not in tasks:
            tasks.append(task)
    order = list(Kind)
    return tuple(
        Need(kind, name, tuple(tasks), usage)
        for (kind, name, usage), tasks in sorted(
            tasks_by_need.items(), key=lambda one: (order.index(one[0][0]), one[0][1:])
        )
    )


def resolved(target: Target, written: str) -> str:
    """The qualified name of an object; missing parts are the target's database and schema."""
    parts = [folded(part) for part in _PARTS.findall(written)]
    return ".".join([*(folded(target.database), folded(target.schema))[: max(0, 3 - len(parts))], *parts])


def _needed_objects(graph: TaskGraph) -> Iterator[tuple[Kind, str, str, str]]:
    """The (kind, name, usage, task) of each object that the graph names; the task is empty for root and target."""
    target, settings = graph.target, graph.settings
    database = folded(target.database)
    yield Kind.DATABASE, database, "", ""
    yield Kind.SCHEMA, f"{database}.{folded(target.schema)}", "", ""
    yield Kind.STAGE, resolved(target, target.stage), "", ""
    yield from ((kind, name, "", "") for kind, name in _compute_objects(target, settings.run_on))
    for integration in (settings.on_error, settings.on_success):
        if integration:
            yield Kind.NOTIFICATION, folded(integration), "queue", ""
    for channel in settings.alerts.channels if settings.alerts else ():
        sender = graph.finalizer.name if graph.finalizer else FINALIZER
        if not tells_of_runs(settings, graph.tasks):
            sender = ""
        yield Kind.NOTIFICATION, folded(channel.integration), INTEGRATION_TYPES[channel.kind], sender
    if isinstance(settings.schedule, StreamSchedule):
        for stream in settings.schedule.streams:
            yield Kind.STREAM, resolved(target, stream), "", ""
    for stream in streams_in(settings.when):
        yield Kind.STREAM, resolved(target, stream), "", ""
    for node in graph.all_tasks:
        for kind, name, usage in _needed_by_task(target, node):
            yield kind, name, usage, node.name


def _compute_objects(target: Target, run_on: RunOn | None) -> Iterator[tuple[Kind, str]]:
    match run_on:
        case None:
            yield Kind.WAREHOUSE, folded(target.warehouse)
        case OnWarehouse(warehouse):
            yield Kind.WAREHOUSE, folded(warehouse)
        case OnPool(pool=pool, warehouse=warehouse):
            yield Kind.POOL, folded(pool)
            # The statement that starts the job and the job's queries run on a warehouse.
            yield Kind.WAREHOUSE, folded(warehouse or target.warehouse)
        case Serverless():
            return


def _needed_by_task(target: Target, node: TaskNode) -> Iterator[tuple[Kind, str, str]]:
    yield from ((kind, name, "") for kind, name in _compute_objects(target, node.run_on))
    match node.body:
        case CallBody(procedure=procedure):
            yield Kind.PROCEDURE, resolved(target, procedure), ""
        case NotifyBody(integration=integration, type=channel, email=recipients):
            usage = channel or ("email" if recipients else "")
            yield Kind.NOTIFICATION, folded(integration), usage
    for name in node.external_access:
        yield Kind.ACCESS, folded(name), ""
    for secret in node.secrets.values():
        yield Kind.SECRET, resolved(target, secret), ""
    if isinstance(node.run_on, OnPool):
        # In an account without an image repository, a job fails with "Failed to retrieve image".
        yield Kind.IMAGES, "any", ""
    else:
        for package in node.packages:
            yield Kind.PACKAGE, package, ""
    for stream in streams_in(node.when):
        yield Kind.STREAM, resolved(target, stream), ""
    for view in node.feature_views:
        yield Kind.FEATURE_VIEW, resolved(target, view), ""
    for table in node.reads:
        yield Kind.TABLE, resolved(target, table), "read"
    for table in node.writes:
        yield Kind.TABLE, resolved(target, table), "write"
