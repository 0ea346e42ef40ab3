"""Reads the grants of a role with SHOW GRANTS: its own, those of all roles granted to it, and PUBLIC's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.base.errors import AccountError
from sfml.base.quoting import identifier
from sfml.graph.comparing import GrantRow
from sfml.snowflake.sql import records

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

MOST_ROLES = 200
"""The maximum number of roles to read; a larger hierarchy belongs to an account administrator."""


def granted_to(connection: SnowflakeConnection, role: str) -> tuple[tuple[GrantRow, ...], tuple[str, ...]]:
    """The grants of a role, direct or through granted roles; and the roles whose grants could not be read.

    https://docs.snowflake.com/en/sql-reference/sql/show-grants
    """
    grants: list[GrantRow] = []
    unread: list[str] = []
    todo, seen = [role, "PUBLIC"], {role, "PUBLIC"}
    while todo and len(seen) <= MOST_ROLES:
        current = todo.pop(0)
        try:
            rows = records(connection, f"SHOW GRANTS TO ROLE {identifier(current)}")
        except AccountError:
            if current == role:
                raise
            unread.append(current)
            continue
        for row in rows:
            on, name = str(row["granted_on"]).replace(" ", "_"), str(row["name"])
            if on == "ROLE" and row["privilege"] == "USAGE":
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
                continue
            grants.append(GrantRow(str(row["privilege"]), on, name, current))
    return tuple(grants), tuple(unread)
