"""Reads whether the streams of graphs exist, and whether they are stale, with SHOW STREAMS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sfml.account.streams import StreamReading, reading_of
from sfml.base.errors import AccountError
from sfml.graph.model import Target
from sfml.snowflake.shown import Listing, ShownObjects

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

STREAMS = Listing("STREAMS", ("database_name", "schema_name", "name"), place="SCHEMA")


def streams_of(connection: SnowflakeConnection, target: Target, names: Iterable[str]) -> StreamReading:
    """What the account shows of the streams with these qualified names; costs no call without names.

    A refused call makes them unknown.
    """
    names = tuple(names)
    shown = ShownObjects(connection, target, [(STREAMS, name) for name in names])
    try:
        rows = [shown.row(STREAMS, name) for name in names]
    except AccountError as error:
        return reading_of(names, (), error.message)
    return reading_of(names, [row for row in rows if row is not None])
