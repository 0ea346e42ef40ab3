"""Snowpark sessions and connections of this process that lead to one server, and closing those that are left open.

A session that nobody closes stays in Snowpark's set of active ones: the next test's `Session.builder.getOrCreate()` or
`snowflake.ml` gets it, with a server that is gone. The connector closes what is left when the process ends, and waits
for servers that do not answer any more.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session

T = TypeVar("T")
IsMeant = Callable[["SnowflakeConnection"], bool]

NO_ACTIVE_SESSION = "1403"
"""What Snowpark's error says where there is no active session, and not more than one."""


def close_left_open(is_meant: IsMeant, *, sessions_alone: bool = False) -> None:
    """Close the sessions whose connection is meant, then, unless it is sessions alone, the meant connections.

    Sessions go first and whole: one whose connection is closed already is still an active one to Snowpark.
    """
    for session in _active_sessions():
        if is_meant(session.connection):
            with contextlib.suppress(Exception):  # its server may refuse by a rule of the test, or be gone
                session.close()
    for connection in () if sessions_alone else _open_connections():
        if is_meant(connection):
            with contextlib.suppress(Exception):
                connection.close(retry=False)


def _active_sessions() -> Iterator[Session]:
    """The sessions that Snowpark holds for active; nothing is imported or searched where there are none."""
    context = sys.modules.get("snowflake.snowpark.context")
    if context is None or not _is_any_active(context):
        return
    from snowflake.snowpark import Session

    yield from _instances(Session)


def _is_any_active(context: ModuleType) -> bool:
    from snowflake.snowpark.exceptions import SnowparkSessionException

    try:
        context.get_active_session()
    except SnowparkSessionException as error:
        return error.error_code != NO_ACTIVE_SESSION
    return True


def _open_connections() -> Iterator[SnowflakeConnection]:
    module = sys.modules.get("snowflake.connector.connection")
    if module is not None:
        yield from (each for each in _instances(module.SnowflakeConnection) if not each.is_closed())


def _instances(kind: type[T]) -> list[T]:
    """The live objects of a class. `isinstance` would ask proxies, some of which load what they stand for."""
    return [each for each in gc.get_objects() if issubclass(type(each), kind)]
