"""Rows of the latest change of each table, and the number of its changes.

A row outlives its table, so that a new table with the same name continues the count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS table_changes (
    name TEXT PRIMARY KEY,
    changed_on TEXT NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Change:
    """The latest change of a table; `version` counts its changes."""

    changed_on: datetime
    version: int


def note(account: Account, names: Iterable[ObjectName]) -> None:
    """Count a change of these tables, now."""
    moment = account.clock().isoformat()
    with account.store.transaction() as connection:
        connection.executemany(
            "INSERT INTO table_changes VALUES (?, ?, 1)"
            " ON CONFLICT (name) DO UPDATE SET changed_on = excluded.changed_on, version = version + 1",
            [(name.fqn(), moment) for name in names],
        )


def every(account: Account) -> dict[str, Change]:
    """The latest changes by full name."""
    rows = account.store.rows("SELECT * FROM table_changes")
    return {
        row["name"]: Change(datetime.fromisoformat(row["changed_on"]), int(row["version"])) for row in rows
    }


def versions(account: Account, names: Iterable[ObjectName]) -> dict[str, int]:
    """The number of changes of each of these tables; 0 for unknown ones."""
    found = {}
    for name in names:
        value = account.store.value("SELECT version FROM table_changes WHERE name = ?", (name.fqn(),))
        found[name.fqn()] = int(value or 0)
    return found
