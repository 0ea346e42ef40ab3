"""The streams that the conditions of a deployed graph read, and what an account shows of them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sfml.account.deployed import DeployedGraph
from sfml.base.quoting import name_parts, raw
from sfml.base.record import record
from sfml.graph.model import Target
from sfml.graph.needs import resolved
from sfml.semantics.condition_words import streams_in


@record
class StreamReading:
    """The streams of a graph that cannot be found, those that are stale, and those of which neither is known.

    All are qualified names; `unknown` gives the reason of each.
    """

    gone: frozenset[str]
    stale: frozenset[str]
    unknown: Mapping[str, str]


NO_STREAMS = StreamReading(frozenset(), frozenset(), {})
"""The reading of graphs whose conditions read no stream."""


def streams_read(graph: DeployedGraph, target: Target) -> Mapping[str, tuple[str, ...]]:
    """Qualified name of each stream that a deployed condition reads → the tasks of these conditions, unquoted."""
    found: dict[str, list[str]] = {}
    conditions = {task.name: task.condition for task in graph.tasks}
    if graph.root is not None:
        conditions = {graph.root.name: graph.root.condition, **conditions}
    for task, condition in conditions.items():
        for stream in streams_in(condition):
            found.setdefault(resolved(target, stream), []).append(task)
    return {stream: tuple(dict.fromkeys(tasks)) for stream, tasks in found.items()}


def shown_name(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts of a stream's name, unquoted, from a row of SHOW STREAMS."""
    return tuple(str(row[column]) for column in ("database_name", "schema_name", "name"))


def is_stale(row: Mapping[str, Any]) -> bool:
    """Whether a row of SHOW STREAMS is of a stream that cannot be read any more; clients spell the value differently.

    https://docs.snowflake.com/en/sql-reference/sql/show-streams
    """
    return str(row.get("stale")).lower() == "true"


def joined(readings: Iterable[StreamReading]) -> StreamReading:
    """The readings of several databases as one."""
    readings = tuple(readings)
    return StreamReading(
        frozenset(name for reading in readings for name in reading.gone),
        frozenset(name for reading in readings for name in reading.stale),
        {name: reason for reading in readings for name, reason in reading.unknown.items()},
    )


def reading_of(
    names: Iterable[str], rows: Iterable[Mapping[str, Any]], doubt: str | None = None
) -> StreamReading:
    """What the rows of SHOW STREAMS say of these streams; with a `doubt`, those without a row are not known."""
    stale = {shown_name(row): is_stale(row) for row in rows}
    parts_of = {name: tuple(raw(part) for part in name_parts(name)) for name in names}
    absent = [name for name, parts in parts_of.items() if parts not in stale]
    return StreamReading(
        frozenset(absent if doubt is None else ()),
        frozenset(name for name, parts in parts_of.items() if stale.get(parts)),
        {} if doubt is None else dict.fromkeys(absent, doubt),
    )
