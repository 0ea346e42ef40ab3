"""Statements of the general steps: rows as mappings, and texts and names in quotes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snowflake.snowpark import Session


def rows_of(session: Session, statement: str) -> list[Mapping[str, Any]]:
    """Return the rows of a statement."""
    rows: Any = session.sql(statement).collect()
    return [row.as_dict() for row in rows]


def quoted(text: str) -> str:
    """Return a text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """Return a name in quotes, which keep it as it is."""
    return '"' + name.replace('"', '""') + '"'
