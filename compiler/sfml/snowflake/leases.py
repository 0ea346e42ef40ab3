"""The lease of a pipeline: an object in the account whose creation fails if it exists.

It is an empty stage that is named after the root; its comment holds the lease. A role that deploys can already create
stages; creating one needs no warehouse and costs nothing. Decision 0023 discusses the alternatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.base.errors import AccountError, LeaseHeld
from sfml.base.quoting import literal, qualified
from sfml.graph.model import Target
from sfml.plan.lease import Lease, lease_from, lease_json
from sfml.snowflake.sql import records, rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_EXISTS = ("002002", "2002", "003041", "3041")
"""Error codes for an existing object; 003041: the role cannot see it."""


class Leases:
    """The leases of one schema, identified by the names of the pipelines' roots."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target

    def take(self, root: str, lease: Lease) -> None:
        """Acquire the lease; raises `LeaseHeld` if it is held. `holder` then returns its lease."""
        name = self._name(root)
        try:
            self._run(f"CREATE STAGE {name} COMMENT = {literal(lease_json(lease))}")
        except AccountError as cause:
            if cause.code not in _EXISTS:
                raise
            raise LeaseHeld(f"the lease {name} is held") from cause

    def holder(self, root: str) -> Lease | None:
        """The lease that is held, read with one SHOW; None if there is none, or none that the role can see."""
        schema = qualified(self._target.database, self._target.schema)
        shown = records(
            self._connection,
            f"SHOW STAGES LIKE {literal(lease_name(root))} IN SCHEMA {schema}",
            role=self._target.owner_role,
        )
        # LIKE treats `_` as a wildcard and ignores case.
        comments = [str(row["comment"]) for row in shown if row["name"] == lease_name(root)]
        return lease_from(comments[0]) if comments else None

    def replace(self, root: str, lease: Lease) -> None:
        """Acquire the lease even if it is held, in one statement, so that no other command can interfere."""
        self._run(f"CREATE OR REPLACE STAGE {self._name(root)} COMMENT = {literal(lease_json(lease))}")

    def drop(self, root: str) -> None:
        """Release the lease, whoever holds it."""
        self._run(f"DROP STAGE IF EXISTS {self._name(root)}")

    def _name(self, root: str) -> str:
        return qualified(self._target.database, self._target.schema, lease_name(root))

    def _run(self, sql: str) -> None:
        rows(self._connection, sql, role=self._target.owner_role)


def lease_name(root: str) -> str:
    """The name of the lease's stage: `SFML_LEASE$CLV`."""
    return f"SFML_LEASE${root}"
