"""Rows of the files that COPY INTO has loaded, with what it told of them, for 14 days."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS copied_files (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    table_name TEXT NOT NULL,
    loaded_on TEXT NOT NULL,
    location TEXT NOT NULL,
    size INTEGER NOT NULL,
    file TEXT NOT NULL,
    status TEXT NOT NULL,
    parsed INTEGER NOT NULL,
    loaded INTEGER NOT NULL,
    error_limit INTEGER,
    errors INTEGER NOT NULL,
    first_error TEXT,
    line INTEGER,
    character INTEGER,
    column_name TEXT
);
"""
DAYS = 14


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file: its name below the location, its size, and the row that COPY INTO tells of it after its name."""

    name: str
    size: int
    told: tuple[Any, ...]


def note(account: Account, table: ObjectName, location: str, files: Sequence[CopiedFile]) -> None:
    """Keep what a statement told of its files, and forget what is too old."""
    now = account.clock()
    oldest = (now - datetime.timedelta(days=DAYS)).isoformat()
    with account.store.transaction():
        account.store.execute("DELETE FROM copied_files WHERE loaded_on < ?", (oldest,))
        for file in files:
            account.store.execute(
                f"INSERT INTO copied_files VALUES ({', '.join('?' * 16)})",
                (*table.parts, now.isoformat(), location, file.size, file.name, *file.told),
            )


def schema_dropped(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM copied_files WHERE database = ? AND schema = ?", (database, schema))


def of_database(account: Account, database: str | None) -> list[Row]:
    """The files that were loaded into the tables of a database, in their order."""
    return account.store.rows(
        "SELECT * FROM copied_files WHERE database = ? ORDER BY loaded_on, rowid", (database,)
    )


def of_table(account: Account, table: ObjectName) -> list[Row]:
    """The files that were loaded into a table, in their order."""
    return account.store.rows(
        "SELECT * FROM copied_files WHERE database = ? AND schema = ? AND table_name = ? ORDER BY loaded_on, rowid",
        table.parts,
    )
