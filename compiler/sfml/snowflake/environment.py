"""Checks that the objects a graph needs exist, with one statement for each kind, and creates missing ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sfml.account.environment import Environment, MissingObject
from sfml.base.errors import AccountError
from sfml.base.quoting import dotted, folded, identifier, literal, qualified, raw
from sfml.graph.model import NewPool, OnPool, Target, TaskGraph
from sfml.graph.needs import Kind, Need, needs_of
from sfml.lower.programs import PYTHON_VERSION
from sfml.snowflake.sql import records, rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

Row = Mapping[str, Any]

_PARTS = re.compile(r'"(?:[^"]|"")+"|[^.]+', re.DOTALL)
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
    missing: list[MissingObject] = []
    unknown: list[str] = []
    looked_at = 0
    for kind in Kind:
        wanted = [need for need in needs if need.kind is kind]
        look = _LOOKS.get(kind)
        if not wanted or look is None:
            continue
        if _is_within(wanted[0], missing):
            missing += (MissingObject(need, statement_for(need, graph)) for need in wanted)
            continue
        try:
            absent = list(look(connection, graph.target, wanted))
        except AccountError as error:
            unknown.append(f"{kind}: {error.message}")
            continue
        looked_at += len(wanted)
        missing += (MissingObject(need, statement_for(need, graph), note) for need, note in absent)
    try:
        missing += _small_pools(connection, graph, sized)
    except AccountError as error:
        unknown.append(f"sizes of compute pools: {error.message}")
    taken = [
        one
        for one in missing
        if graph.target.is_local and not one.exists and one.need.kind is not Kind.STREAM
    ]
    return Environment(
        tuple(one for one in missing if one not in taken),
        tuple(unknown),
        looked_at - len(taken),
        tuple(taken),
    )


def _small_pools(
    connection: SnowflakeConnection, graph: TaskGraph, sized: Container[str] | None
) -> Iterator[MissingObject]:
    """Compute pools with fewer nodes than a job needs at the start; such a job is refused or never starts."""
    asking: dict[str, dict[str, int]] = {}
    for task in graph.all_tasks:
        match task.run_on:
            case OnPool(pool=pool, instances=instances, min_instances=least) if (
                sized is None or task.name in sized
            ):
                if (least or instances) > 1:
                    asking.setdefault(folded(pool), {})[task.name] = least or instances
    if not asking:
        return
    rows = records(connection, "SHOW COMPUTE POOLS", role=graph.target.owner_role)
    most = {str(row["name"]): int(row["max_nodes"]) for row in rows}
    for pool, tasks in asking.items():
        nodes = most.get(raw(pool))
        small = {name: asked for name, asked in tasks.items() if nodes is not None and asked > nodes}
        if small and nodes is not None:
            said = ", ".join(f"{name} waits for {asked}" for name, asked in small.items())
            yield MissingObject(
                Need(Kind.POOL, pool, tuple(small)),
                f"ALTER COMPUTE POOL {identifier(pool)} SET MAX_NODES = {max(small.values())}",
                f"it has at most {nodes} node{'s' if nodes != 1 else ''}, and {said}",
                exists=True,
            )


def create(connection: SnowflakeConnection, target: Target, missing: Iterable[MissingObject]) -> None:
    """Create the missing objects with their statements."""
    for one in missing:
        rows(connection, one.statement, role=target.owner_role)


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
    asked = [
        task.run_on.instances
        for task in graph.all_tasks
        if isinstance(task.run_on, OnPool) and raw(task.run_on.pool) == raw(need.name)
    ]
    most = new.max_nodes or max([new.min_nodes, *asked])
    return (
        f"CREATE COMPUTE POOL {identifier(need.name)} MIN_NODES = {new.min_nodes} MAX_NODES = {most}"
        f" INSTANCE_FAMILY = {identifier(new.instance_family)} AUTO_SUSPEND_SECS = {new.auto_suspend}"
    )


def _is_within(need: Need, missing: list[MissingObject]) -> bool:
    """Whether the object's database or schema is missing, so that a query for it would be refused."""
    gone = [one.need.name for one in missing if one.need.kind in (Kind.DATABASE, Kind.SCHEMA)]
    return any(need.name.startswith(f"{name}.") for name in gone)


# -- looking

_NO_SUCH_PLACE = ("002003", "2003", "002043", "2043")
"""What SHOW says of a schema that is not there."""

Look = Callable[["SnowflakeConnection", Target, list[Need]], Iterator[tuple[Need, str]]]


def _shown(command: str, columns: tuple[str, ...], *, scope: bool = False, category: str = "") -> Look:
    """A function that finds missing objects with one SHOW command; several names are searched in the whole list.

    SHOW lists at most 10,000 objects, so a name that is not in the list is queried again with LIKE.
    https://docs.snowflake.com/en/sql-reference/sql/show
    """

    def look(
        connection: SnowflakeConnection, target: Target, needs: list[Need]
    ) -> Iterator[tuple[Need, str]]:
        def listed(pattern: str | None, within: str | None) -> set[tuple[str, ...]]:
            like = f" LIKE {literal(pattern)}" if pattern else ""
            place = f" IN SCHEMA {dotted(within)}" if within else ""
            try:
                found = records(connection, f"SHOW {command}{like}{place}", role=target.owner_role)
            except AccountError as error:
                if error.code not in _NO_SUCH_PLACE:
                    raise
                return set()  # a schema that is not there holds nothing
            kept = [row for row in found if not category or str(row.get("category")) == category]
            return {tuple(str(row[column]) for column in columns) for row in kept}

        for within, group in _by_schema(needs, scope):
            # The local Snowflake shows a compute pool for any name in LIKE, so its whole list is read.
            by_name = not target.is_local
            first = group[0][1][-1] if len(group) == 1 and by_name else None
            known = listed(first, within)
            for need, parts in group:
                if parts not in known and (first or not by_name or parts not in listed(parts[-1], within)):
                    yield need, ""

    return look


def _by_schema(
    needs: list[Need], scope: bool
) -> Iterator[tuple[str | None, list[tuple[Need, tuple[str, ...]]]]]:
    """The needs with the parts of their names, grouped by the schema for SHOW."""
    groups: dict[str | None, list[tuple[Need, tuple[str, ...]]]] = {}
    for need in needs:
        written = _PARTS.findall(need.name)
        within = ".".join(written[:-1]) if scope else None
        groups.setdefault(within, []).append((need, tuple(raw(part) for part in written)))
    yield from groups.items()


def _schemas(
    connection: SnowflakeConnection, target: Target, needs: list[Need]
) -> Iterator[tuple[Need, str]]:
    for need in needs:
        database, schema = _PARTS.findall(need.name)
        sql = f"SHOW SCHEMAS LIKE {literal(raw(schema))} IN DATABASE {identifier(database)}"
        found = records(connection, sql, role=target.owner_role)
        if raw(schema) not in {str(row["name"]) for row in found}:
            yield need, ""


def _images(connection: SnowflakeConnection, target: Target, needs: list[Need]) -> Iterator[tuple[Need, str]]:
    if not records(connection, "SHOW IMAGE REPOSITORIES IN ACCOUNT", role=target.owner_role):
        yield from ((need, "") for need in needs)


def _packages(
    connection: SnowflakeConnection, target: Target, needs: list[Need]
) -> Iterator[tuple[Need, str]]:
    """Packages that Snowflake's channel lacks for the Python version of steps, or lacks in the pinned version.

    https://docs.snowflake.com/en/sql-reference/info-schema/packages
    """
    names = sorted({_package(need)[0] for need in needs})
    found = rows(
        connection,
        f"SELECT PACKAGE_NAME, VERSION FROM {identifier(target.database)}.INFORMATION_SCHEMA.PACKAGES"
        f" WHERE LANGUAGE = 'python' AND RUNTIME_VERSION = {literal(PYTHON_VERSION)}"
        f" AND PACKAGE_NAME IN ({', '.join(literal(name) for name in names)})",
        role=target.owner_role,
    )
    versions: dict[str, set[str]] = {}
    for name, version in found:
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


_LOOKS: Mapping[Kind, Look] = {
    Kind.DATABASE: _shown("DATABASES", ("name",)),
    Kind.SCHEMA: _schemas,
    Kind.STAGE: _shown("STAGES", ("database_name", "schema_name", "name"), scope=True),
    Kind.WAREHOUSE: _shown("WAREHOUSES", ("name",)),
    Kind.POOL: _shown("COMPUTE POOLS", ("name",)),
    Kind.NOTIFICATION: _shown("INTEGRATIONS", ("name",), category="NOTIFICATION"),
    Kind.ACCESS: _shown("INTEGRATIONS", ("name",), category="EXTERNAL_ACCESS"),
    Kind.SECRET: _shown("SECRETS", ("database_name", "schema_name", "name"), scope=True),
    Kind.STREAM: _shown("STREAMS", ("database_name", "schema_name", "name"), scope=True),
    Kind.IMAGES: _images,
    Kind.PACKAGE: _packages,
}
"""How to find the missing objects of each kind. Procedures, which can be overloaded, and tables, which the graph
may create, are not checked."""
