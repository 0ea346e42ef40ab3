"""The lease of a pipeline: an object of the account whose creation fails when it exists.

It is a stage without files, named after the root, whose comment says who holds it. Whoever deploys may create stages
already, creating one needs no warehouse, and it costs nothing: decision 0023 has what else was looked at.
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
"""The object exists; 003041: and the role may not see it."""


class Leases:
    """The leases of one schema, each by the name of its pipeline's root."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target

    def take(self, root: str, lease: Lease) -> None:
        """Take it; raises `LeaseHeld` when somebody has it, who may be found with `holder`."""
        name = self._name(root)
        try:
            self._run(f"CREATE STAGE {name} COMMENT = {literal(lease_json(lease))}")
        except AccountError as cause:
            if cause.code not in _EXISTS:
                raise
            raise LeaseHeld(f"the lease {name} is held") from cause

    def holder(self, root: str) -> Lease | None:
        """Whose it is now, with one SHOW; None when nobody has it, or nobody that can be seen."""
        schema = qualified(self._target.database, self._target.schema)
        shown = records(
            self._connection,
            f"SHOW STAGES LIKE {literal(lease_name(root))} IN SCHEMA {schema}",
            role=self._target.owner_role,
        )
        # LIKE takes `_` for a wildcard and ignores case.
        comments = [str(row["comment"]) for row in shown if row["name"] == lease_name(root)]
        return lease_from(comments[0]) if comments else None

    def replace(self, root: str, lease: Lease) -> None:
        """Take it from whoever has it, in one statement: nobody else can get in between."""
        self._run(f"CREATE OR REPLACE STAGE {self._name(root)} COMMENT = {literal(lease_json(lease))}")

    def drop(self, root: str) -> None:
        """Give it back: whoever's it is."""
        self._run(f"DROP STAGE IF EXISTS {self._name(root)}")

    def _name(self, root: str) -> str:
        return qualified(self._target.database, self._target.schema, lease_name(root))

    def _run(self, sql: str) -> None:
        rows(self._connection, sql, role=self._target.owner_role)


def lease_name(root: str) -> str:
    """The name of the lease's object: `SFML_LEASE$CLV`."""
    return f"SFML_LEASE${root}"
