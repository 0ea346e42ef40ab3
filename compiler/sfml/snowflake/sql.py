"""Runs single statements; the client's exceptions are translated into those of `base.errors`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sfml.snowflake.refusals import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursorBase

_READING = threading.Lock()


def fetched(cursor: SnowflakeCursorBase[Any]) -> list[Any]:
    """The rows of a result, which one thread at a time reads.

    The first result in a process makes the logger of the client's C++ code. A thread that waits for this logger keeps
    the interpreter, which the one that makes the logger needs, so both would wait forever.
    """
    with _READING:
        return list(cursor.fetchall())


def rows(connection: SnowflakeConnection, sql: str, *, role: str | None = None) -> list[tuple[Any, ...]]:
    """The rows of a statement as tuples; `role` is named in the help if a privilege is missing."""
    with translated(role=role), connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple(row) for row in fetched(cursor)]


def records(connection: SnowflakeConnection, sql: str, *, role: str | None = None) -> list[dict[str, Any]]:
    """The rows of a statement as mappings from column names, as the account spells them, to values."""
    from snowflake.connector import DictCursor

    with translated(role=role), connection.cursor(DictCursor) as cursor:
        cursor.execute(sql)
        return [dict(row) for row in fetched(cursor)]
