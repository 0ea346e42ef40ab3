"""Snowpark sessions on an existing connection, which stays open after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfml.snowflake.light_connector import complete_connector
from sfml.snowflake.refusals import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session


class LentConnection:
    """A proxy for a connection that lets a session be closed without closing the connection.

    `Session.close` cancels all statements of its connection and closes it, unless the connection reports that it is
    closed. The session must be closed, because Snowpark keeps open sessions in a set of the process, where
    `snowflake.ml` would find it later with a closed connection.
    """

    def __init__(self, connection: SnowflakeConnection) -> None:
        self._connection = connection
        self._is_returned = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def is_closed(self) -> bool:
        return self._is_returned or bool(self._connection.is_closed())

    def close(self, retry: bool = True) -> None:
        """Report the connection as closed from now on; the connection itself stays open."""
        self._is_returned = True


@contextmanager
def snowpark_session(connection: SnowflakeConnection) -> Iterator[Session]:
    """A Snowpark session on this connection during the block; the connection stays open."""
    complete_connector()
    from snowflake.snowpark import Session

    lent = LentConnection(connection)
    with translated():
        session: Session = Session.builder.configs({"connection": lent}).create()
    try:
        yield session
    finally:
        lent.close()
        session.close()
