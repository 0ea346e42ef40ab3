"""Closes Snowpark sessions and connections to a test's server that a test left open.

An open session stays in Snowpark's set of active sessions. In the next test, `Session.builder.getOrCreate()` or
`snowflake.ml` would return it, although its database is gone. At the end of the process the connector closes open
connections, and waits for servers that no longer answer.

Both are found in the clients' own lists: searching all objects of a large process takes longer than most tests.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session

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
    """Snowpark's active sessions; nothing is imported to look for them."""
    module = sys.modules.get("snowflake.snowpark.session")
    return [] if module is None else list(module._active_sessions.copy())


def _open_connections() -> list[SnowflakeConnection]:
    """The connections that the connector has opened in this process, and not closed."""
    module = sys.modules.get("snowflake.connector.connection")
    if module is None:
        return []
    # A copy of its references, without its lock: what is collected meanwhile takes that lock to close itself.
    references = module._connections_registry._connections.data.copy()
    connections = [connection for reference in references if (connection := reference()) is not None]
    return [connection for connection in connections if not connection.is_closed()]
