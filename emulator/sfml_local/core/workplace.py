"""What a session works with: a connection to the SQL engine, and what lives as long as it."""

from __future__ import annotations

import itertools
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core.parts import Parts

if TYPE_CHECKING:
    from fakesnow.fakes import FakeSnowflakeConnection

    from sfml_local.core.names import ObjectName
    from sfml_local.core.session_variables import SessionVariable


class Workplace:
    """A session's, or that of its caller: a procedure with its caller's rights works in the caller's session.

    https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights
    """

    def __init__(self, parts: Parts[Any], connection: FakeSnowflakeConnection) -> None:
        self.parts = parts
        self.connection = connection
        """It holds the current database and schema."""
        self.variables: dict[str, SessionVariable] = {}
        self.zone: str | None = None
        """The time zone that DuckDB's connection works in, once a statement has set it."""
        self.temporaries: set[ObjectName] = set()
        """Temporary tables and views, which nobody else sees."""
        self.dropped: set[ObjectName] = set()
        """Temporary tables whose schema was dropped, which DuckDB still has."""
        self.lengths: dict[ObjectName, dict[str, int]] = {}
        """The declared lengths of text columns of these tables."""
        self.changed: set[ObjectName] = set()
        """Tables that the open transaction has changed."""
        self.in_transaction = False
        self.begun_in: int | None = None
        """The scope of a session in which the open transaction was begun."""
        self.begun_at: datetime | None = None
        """When the open transaction was begun."""
        self.relations = itertools.count()
        self.lock = threading.RLock()
        """Acquired while DuckDB works for this session, because a DuckDB connection serves one thread at a time."""
        self.executing: str | None = None
        """The id of the statement that has the lock."""
        # Acquired while DuckDB's connection is closed or interrupted, because it crashes if both happen at once.
        self.ending = threading.Lock()
        self.is_closed = False
