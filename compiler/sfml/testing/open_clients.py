"""Closes Snowpark sessions and connections to a test's server that a test left open.

An open session stays in Snowpark's set of active sessions. In the next test, `Session.builder.getOrCreate()` or
`snowflake.ml` would return it, although its database is gone. At the end of the process the connector closes open
connections, and waits for servers that no longer answer.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session

T = TypeVar("T")
IsMeant = Callable[["SnowflakeConnection"], bool]


def close_left_open(is_meant: IsMeant, *, sessions_alone: bool = False) -> None:
    """Close the sessions whose connection satisfies `is_meant`; then such connections, unless `sessions_alone`.

    Sessions come first, because Snowpark counts a session as active even after its connection is closed.
    """
    for session in _active_sessions():
        if is_meant(session.connection):
            with contextlib.suppress(
                Exception
            ):  # a fault rule may refuse the call, or the server may be gone
                session.close()
    for connection in () if sessions_alone else _open_connections():
        if is_meant(connection):
            with contextlib.suppress(Exception):
                connection.close(retry=False)


def _active_sessions() -> list[Session]:
    """Snowpark's active sessions, from its own set: to search all objects takes longer than most tests."""
    module = sys.modules.get("snowflake.snowpark.session")
    return [] if module is None else list(module._active_sessions)


def _open_connections() -> Iterator[SnowflakeConnection]:
    module = sys.modules.get("snowflake.connector.connection")
    if module is not None:
        yield from (
            connection for connection in _instances(module.SnowflakeConnection) if not connection.is_closed()
        )


def _instances(kind: type[T]) -> list[T]:
    """The live objects of a class. Not by `isinstance`, because some proxy objects would then load their target."""
    kinds = {id(each) for each in _with_subclasses(kind)}
    return [each for each in gc.get_objects() if id(type(each)) in kinds]


def _with_subclasses(kind: type[T]) -> Iterator[type[T]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _with_subclasses(subclass)
