"""Snowpark sessions on a connection that outlives them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfml.snowflake.refusals import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session


class LentConnection:
    """A connection in the hands of a session, which may end without closing it or cancelling what else it runs.

    `Session.close` closes its connection, and first cancels every statement of it; of one that is closed already it
    only forgets the session. Snowpark keeps each session that is not closed in a set of the process, where
    `snowflake.ml` finds it later, with a connection that is gone.
    """

    def __init__(self, connection: SnowflakeConnection) -> None:
        self._connection = connection
        self._is_returned = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def is_closed(self) -> bool:
        return self._is_returned or bool(self._connection.is_closed())

    def close(self, retry: bool = True) -> None:
        """End the loan; the connection stays open."""
        self._is_returned = True


@contextmanager
def snowpark_session(connection: SnowflakeConnection) -> Iterator[Session]:
    """A Snowpark session on this connection, which ends with the block and leaves the connection open."""
    from snowflake.snowpark import Session

    lent = LentConnection(connection)
    with translated():
        session: Session = Session.builder.configs({"connection": lent}).create()
    try:
        yield session
    finally:
        lent.close()
        session.close()
