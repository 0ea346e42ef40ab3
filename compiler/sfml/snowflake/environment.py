"""Checks that the objects a graph needs exist, with one statement for each kind, and creates missing ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sfml.account.environment import Environment, MissingObject
from sfml.account.streams import is_stale
from sfml.base.errors import AccountError
from sfml.base.quoting import dotted, folded, identifier, literal, qualified, raw
from sfml.graph.model import NewPool, OnPool, Target, TaskGraph
from sfml.graph.needs import Kind, Need, needs_of
from sfml.lower.programs import PYTHON_VERSION
from sfml.snowflake.shown import Listing, ShownObjects
from sfml.snowflake.sql import rows
from sfml.snowflake.streams import STREAMS

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

AT_ONCE = 8
"""Kinds that are looked for at the same time."""

_PACKAGE = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:==\s*([0-9A-Za-z.+!_-]+))?")


def environment_of(
    connection: SnowflakeConnection,
    graph: TaskGraph,
    *,
    needs: Iterable[Need] | None = None,
    sized: Container[str] | None = None,
) -> Environment:
    """The missing objects among `needs` (by default all needs of the graph), and the compute pools that are too small.

    Tables are not checked, because steps may create them. `sized` are the tasks whose pools must be large enough, by
    default all. The local Snowflake refuses missing streams, and accepts any name for objects of other kinds.
    """
    needs = needs_of(graph) if needs is None else tuple(needs)
    jobs = _nodes_asked(graph, sized)
    shown = _shown_objects(connection, graph.target, needs, jobs)
    missing: list[MissingObject] = []
    unknown: list[str] = []
    looked_at = 0
    for kinds in _IN_TURN:
        gone = _places(missing)
        wanted = {kind: [need for need in needs if need.kind is kind] for kind in kinds}
        within = {kind: [need for need in wanted[kind] if not need.name.startswith(gone)] for kind in kinds}
        for kind, answer in _answers(connection, shown, graph.target, within).items():
            absent = dict.fromkeys((need for need in wanted[kind] if need not in within[kind]), "")
            if isinstance(answer, AccountError):
                unknown.append(f"{kind}: {answer.message}")
            else:
                looked_at += len(within[kind])
                absent.update(answer)
            missing += (MissingObject(need, statement_for(need, graph), absent[need]) for need in absent)
    with suppress(AccountError):  # a list that cannot be read was said above
        missing += unusable_integrations(shown, needs)
    with suppress(AccountError):
        missing += stale_streams(shown, needs)
    try:
        missing += _small_pools(shown, jobs)
    except AccountError as error:
        unknown.append(f"sizes of compute pools: {error.message}")
    assumed = [
        missing_object
        for missing_object in missing
        if graph.target.is_local
        and not missing_object.exists
        and missing_object.need.kind not in (Kind.STREAM, Kind.FEATURE_VIEW)
    ]
    return Environment(
        tuple(missing_object for missing_object in missing if missing_object not in assumed),
        tuple(unknown),
        looked_at - len(assumed),
        tuple(assumed),
    )


def _places(missing: Iterable[MissingObject]) -> tuple[str, ...]:
    """The prefixes of names in missing databases and schemas; queries for such objects would be refused."""
    return tuple(
        f"{missing_object.need.name}."
        for missing_object in missing
        if missing_object.need.kind in (Kind.DATABASE, Kind.SCHEMA)
    )


def _answers(
    connection: SnowflakeConnection,
    shown: ShownObjects,
    target: Target,
    wanted: Mapping[Kind, list[Need]],
) -> dict[Kind, list[tuple[Need, str]] | AccountError]:
    """The missing objects of each kind, or the error of its query; the kinds are queried in parallel."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = pool.map(lambda kind: _absent(connection, shown, target, kind, wanted[kind]), wanted)
        return dict(zip(wanted, answers, strict=True))


def _nodes_asked(graph: TaskGraph, sized: Container[str] | None) -> dict[str, dict[str, int]]:
    """Compute pool → the tasks whose jobs need more than one node at the start, with the number of nodes."""
    asking: dict[str, dict[str, int]] = {}
    for task in graph.all_tasks:
        match task.run_on:
            case OnPool(pool=pool, instances=instances, min_instances=least) if (
                sized is None or task.name in sized
            ):
                if (least or instances) > 1:
                    asking.setdefault(folded(pool), {})[task.name] = least or instances
    return asking


def _small_pools(shown: ShownObjects, jobs: Mapping[str, Mapping[str, int]]) -> Iterator[MissingObject]:
    """Compute pools with fewer nodes than a job needs at the start; such a job is refused or never starts."""
    for pool, tasks in jobs.items():
        row = shown.row(_LISTINGS[Kind.POOL], pool)
        nodes = None if row is None else int(row["max_nodes"])
        small = {
            name: nodes_needed
            for name, nodes_needed in tasks.items()
            if nodes is not None and nodes_needed > nodes
        }
        if small and nodes is not None:
            demands = ", ".join(f"{name} waits for {nodes_needed}" for name, nodes_needed in small.items())
            yield MissingObject(
                Need(Kind.POOL, pool, tuple(small)),
                f"ALTER COMPUTE POOL {identifier(pool)} SET MAX_NODES = {max(small.values())}",
                f"it has at most {nodes} node{'s' if nodes != 1 else ''}, and {demands}",
                exists=True,
            )


def unusable_integrations(shown: ShownObjects, needs: Iterable[Need]) -> Iterator[MissingObject]:
    """Notification integrations that are disabled, or of another type than the one as which the graph uses them.

    Snowflake sends nothing through them, and says so only when there is something to send.
    https://docs.snowflake.com/en/sql-reference/sql/show-integrations
    """
    for need in needs:
        row = shown.row(_LISTINGS[Kind.NOTIFICATION], need.name) if need.kind is Kind.NOTIFICATION else None
        if row is None:
            continue
        name, found = dotted(need.name), str(row.get("type") or "").upper()
        if need.usage and found.partition(" ")[0] in _TYPES and not found.startswith(need.usage.upper()):
            note = f"it is of type {found}, and is used as {need.usage.upper()}"
            yield MissingObject(need, f"DESCRIBE NOTIFICATION INTEGRATION {name}", note, exists=True)
        elif str(row.get("enabled")).lower() == "false":
            statement = f"ALTER NOTIFICATION INTEGRATION {name} SET ENABLED = TRUE"
            yield MissingObject(need, statement, "it is disabled", exists=True)


def stale_streams(shown: ShownObjects, needs: Iterable[Need]) -> Iterator[MissingObject]:
    """The streams that cannot be read any more, such as those whose table was dropped."""
    for need in needs:
        row = shown.row(STREAMS, need.name) if need.kind is Kind.STREAM else None
        if row is not None and is_stale(row):
            statement = f"CREATE OR REPLACE STREAM {dotted(need.name)} ON TABLE …"
            yield MissingObject(need, statement, "it is stale, and cannot be read any more", exists=True)


_TYPES = frozenset({"EMAIL", "WEBHOOK", "QUEUE"})
"""The first words of the types of notification integrations; a queue has its provider behind it."""


def create(connection: SnowflakeConnection, target: Target, missing: Iterable[MissingObject]) -> None:
    """Create the missing objects with their statements."""
    for missing_object in missing:
        rows(connection, missing_object.statement, role=target.owner_role)


def statement_for(need: Need, graph: TaskGraph) -> str:
    """The statement that creates the object; `…` marks values that the user must decide."""
    name = dotted(need.name)
    match need.kind:
        case Kind.DATABASE:
            return f"CREATE DATABASE {name}"
        case Kind.SCHEMA:
            return f"CREATE SCHEMA {name}"
        case Kind.STAGE:
            # Server-side encryption lets jobs mount it: https://docs.snowflake.com/en/sql-reference/sql/create-stage
            return f"CREATE STAGE {name} ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE')"
        case Kind.WAREHOUSE:
            return f"CREATE WAREHOUSE {name} WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60"
        case Kind.POOL:
            return _pool_statement(need, graph)
        case Kind.NOTIFICATION:
            return f"CREATE NOTIFICATION INTEGRATION {name} ENABLED = TRUE {_NOTIFICATIONS[need.usage]}"
        case Kind.ACCESS:
            return f"CREATE EXTERNAL ACCESS INTEGRATION {name} ALLOWED_NETWORK_RULES = (…) ENABLED = TRUE"
        case Kind.SECRET:
            return f"CREATE SECRET {name} TYPE = GENERIC_STRING SECRET_STRING = '…'"
        case Kind.STREAM:
            return f"CREATE STREAM {name} ON TABLE …"
        case Kind.PROCEDURE:
            return f"CREATE PROCEDURE {name}(…) …"
        case Kind.IMAGES:
            return (
                f"CREATE IMAGE REPOSITORY {qualified(graph.target.database, graph.target.schema, 'IMAGES')}"
            )
        case Kind.PACKAGE:
            package = literal(_package(need)[0])
            return f"SELECT VERSION FROM INFORMATION_SCHEMA.PACKAGES WHERE PACKAGE_NAME = {package}"
        case Kind.TABLE:
            return f"CREATE TABLE {name} (…)"
        case Kind.FEATURE_VIEW:
            return f"-- FeatureStore.register_feature_view makes {name}"


_NOTIFICATIONS: Final = {
    "email": "TYPE = EMAIL",
    "webhook": "TYPE = WEBHOOK WEBHOOK_URL = '…'",
    "queue": "TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = …",
    "": "TYPE = …",
}


def _pool_statement(need: Need, graph: TaskGraph) -> str:
    """For the target's own pool, by its `create.compute_pool`; by default, with the nodes of the largest job."""
    is_targets = graph.target.compute_pool is not None and raw(graph.target.compute_pool) == raw(need.name)
    new = graph.target.new_pool if is_targets and graph.target.new_pool else NewPool()
    instances = [
        task.run_on.instances
        for task in graph.all_tasks
        if isinstance(task.run_on, OnPool) and raw(task.run_on.pool) == raw(need.name)
    ]
    most = new.max_nodes or max([new.min_nodes, *instances])
    return (
        f"CREATE COMPUTE POOL {identifier(need.name)} MIN_NODES = {new.min_nodes} MAX_NODES = {most}"
        f" INSTANCE_FAMILY = {identifier(new.instance_family)} AUTO_SUSPEND_SECS = {new.auto_suspend}"
    )


# -- looking


def _shown_objects(
    connection: SnowflakeConnection, target: Target, needs: Iterable[Need], pools: Iterable[str]
) -> ShownObjects:
    """What SHOW lists of everything that will be asked for, so that each list is asked for once."""
    names = [(_LISTINGS[need.kind], need.name) for need in needs if need.kind in _LISTINGS]
    return ShownObjects(connection, target, [*names, *((_LISTINGS[Kind.POOL], pool) for pool in pools)])


def _absent(
    connection: SnowflakeConnection, shown: ShownObjects, target: Target, kind: Kind, needs: list[Need]
) -> list[tuple[Need, str]] | AccountError:
    """The missing objects of one kind, each with a note, or why they cannot be looked for."""
    try:
        if not needs:
            return []
        if kind in _LISTINGS:
            return [(need, "") for need in needs if shown.row(_LISTINGS[kind], need.name) is None]
        return list(_LOOKS[kind](connection, target, needs))
    except AccountError as error:
        return error


def _images(connection: SnowflakeConnection, target: Target, needs: list[Need]) -> Iterator[tuple[Need, str]]:
    if not rows(connection, "SHOW IMAGE REPOSITORIES IN ACCOUNT", role=target.owner_role):
        yield from ((need, "") for need in needs)


def _packages(
    connection: SnowflakeConnection, target: Target, needs: list[Need]
) -> Iterator[tuple[Need, str]]:
    """Packages that Snowflake's channel lacks for the Python version of steps, or lacks in the pinned version.

    https://docs.snowflake.com/en/sql-reference/info-schema/packages
    """
    names = sorted({_package(need)[0] for need in needs})
    available = rows(
        connection,
        f"SELECT PACKAGE_NAME, VERSION FROM {identifier(target.database)}.INFORMATION_SCHEMA.PACKAGES"
        f" WHERE LANGUAGE = 'python' AND RUNTIME_VERSION = {literal(PYTHON_VERSION)}"
        f" AND PACKAGE_NAME IN ({', '.join(literal(name) for name in names)})",
        role=target.owner_role,
    )
    versions: dict[str, set[str]] = {}
    for name, version in available:
        versions.setdefault(str(name).lower(), set()).add(str(version))
    for need in needs:
        name, pin = _package(need)
        there = versions.get(name, set())
        if not there:
            yield need, f"not in Snowflake's channel for Python {PYTHON_VERSION}"
        elif pin and pin not in there:
            latest = max(there, key=_ordered)
            yield need, f"not in this version; the newest there is {latest}"


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _package(need: Need) -> tuple[str, str | None]:
    """The package's name in lower case, and its pinned version or None."""
    match = _PACKAGE.match(need.name)
    return (match[1].lower(), match[2]) if match else (need.name.lower(), None)


Look = Callable[["SnowflakeConnection", Target, list[Need]], Iterator[tuple[Need, str]]]

_OF_SCHEMA = ("database_name", "schema_name", "name")

_LISTINGS: Final[Mapping[Kind, Listing]] = {
    Kind.DATABASE: Listing("DATABASES", ("name",)),
    Kind.SCHEMA: Listing("SCHEMAS", ("database_name", "name"), place="DATABASE"),
    Kind.STAGE: Listing("STAGES", _OF_SCHEMA, place="SCHEMA"),
    Kind.WAREHOUSE: Listing("WAREHOUSES", ("name",)),
    Kind.POOL: Listing("COMPUTE POOLS", ("name",)),
    Kind.NOTIFICATION: Listing("INTEGRATIONS", ("name",), category="NOTIFICATION"),
    Kind.ACCESS: Listing("INTEGRATIONS", ("name",), category="EXTERNAL_ACCESS"),
    Kind.SECRET: Listing("SECRETS", _OF_SCHEMA, place="SCHEMA"),
    Kind.STREAM: STREAMS,
    # A feature view is a dynamic table or a view.
    Kind.FEATURE_VIEW: Listing("OBJECTS", _OF_SCHEMA, place="SCHEMA"),
}
_LOOKS: Final[Mapping[Kind, Look]] = {Kind.IMAGES: _images, Kind.PACKAGE: _packages}
"""How to find the missing objects of each kind. Procedures, which can be overloaded, and tables, which the graph
may create, are not checked."""

_IN_TURN: Final = (
    (Kind.DATABASE,),
    (Kind.SCHEMA,),
    tuple(kind for kind in Kind if kind in {*_LISTINGS, *_LOOKS} - {Kind.DATABASE, Kind.SCHEMA}),
)
"""Groups of kinds that are queried in parallel; objects in a database or schema come after these."""
