"""Streams in the account's metadata; their changes are stored beside the tables."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store

if TYPE_CHECKING:
    from sfml_local.core.account import Account


SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (
    id TEXT PRIMARY KEY,
    database_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    name TEXT NOT NULL,
    base_schema TEXT NOT NULL,
    base_name TEXT NOT NULL,
    append_only INTEGER NOT NULL,
    stale INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL,
    comment TEXT,
    created_on TEXT NOT NULL,
    UNIQUE (database_name, schema_name, name)
);
"""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream on a table of the same database. `stale`: its table was dropped or replaced."""

    id: str
    name: ObjectName
    base: ObjectName
    append_only: bool
    owner: str
    created_on: datetime
    comment: str | None = None
    stale: bool = False


def _stream(row: sqlite3.Row) -> Stream:
    return Stream(
        id=row["id"],
        name=ObjectName(row["database_name"], row["schema_name"], row["name"]),
        base=ObjectName(row["database_name"], row["base_schema"], row["base_name"]),
        append_only=bool(row["append_only"]),
        owner=row["owner"],
        created_on=datetime.fromisoformat(row["created_on"]),
        comment=row["comment"],
        stale=bool(row["stale"]),
    )


def find(store: Store, name: ObjectName) -> Stream | None:
    row = store.row(
        "SELECT * FROM streams WHERE database_name = ? AND schema_name = ? AND name = ?",
        name.parts,
    )
    return _stream(row) if row else None


def on_table(store: Store, base: ObjectName) -> list[Stream]:
    """The streams that follow this table."""
    rows = store.rows(
        "SELECT * FROM streams WHERE database_name = ? AND base_schema = ? AND base_name = ? AND NOT stale",
        base.parts,
    )
    return [_stream(row) for row in rows]


def everywhere(store: Store, database: str | None = None, schema: str | None = None) -> list[Stream]:
    """The streams of a schema, a database or the account, by name."""
    rows = store.rows(
        "SELECT * FROM streams WHERE (? IS NULL OR database_name = ?) AND (? IS NULL OR schema_name = ?)"
        " ORDER BY database_name, schema_name, name",
        (database, database, schema, schema),
    )
    return [_stream(row) for row in rows]


def exist(store: Store) -> bool:
    """Whether the account has any stream; if not, statements need no checks."""
    return store.row("SELECT 1 FROM streams LIMIT 1") is not None


def add(store: Store, stream: Stream) -> None:
    store.execute(
        "INSERT INTO streams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            stream.id,
            stream.name.database,
            stream.name.schema,
            stream.name.name,
            stream.base.schema,
            stream.base.name,
            int(stream.append_only),
            int(stream.stale),
            stream.owner,
            stream.comment,
            stream.created_on.isoformat(),
        ),
    )


def set_comment(store: Store, stream: Stream, comment: str | None) -> None:
    store.execute("UPDATE streams SET comment = ? WHERE id = ?", (comment, stream.id))


def remove(store: Store, stream: Stream) -> None:
    store.execute("DELETE FROM streams WHERE id = ?", (stream.id,))


def make_stale(store: Store, base: ObjectName) -> None:
    """Mark the streams of a dropped or replaced table as stale."""
    store.execute(
        "UPDATE streams SET stale = 1 WHERE database_name = ? AND base_schema = ? AND base_name = ?",
        base.parts,
    )


def base_renamed(store: Store, old: ObjectName, new: str) -> None:
    store.execute(
        "UPDATE streams SET base_name = ? WHERE database_name = ? AND base_schema = ? AND base_name = ?",
        (new, *old.parts),
    )


def is_followed(account: Account, table: ObjectName) -> bool:
    """Whether a stream follows the table, which enables its change tracking."""
    return bool(on_table(account.store, table))
