"""Streams in the account's metadata; their changes are stored beside the tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
CREATE TABLE IF NOT EXISTS stream_sources (
    stream_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    base_schema TEXT NOT NULL,
    base_name TEXT NOT NULL,
    is_table INTEGER NOT NULL,
    PRIMARY KEY (stream_id, position)
);
CREATE TABLE IF NOT EXISTS stream_stages (
    stream_id TEXT PRIMARY KEY,
    stage TEXT NOT NULL  -- its full name; the stream's base is the table of its files
);
"""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream on a table, view or stage of the same database. `stale`: what it follows was dropped or replaced.

    The base of a stream on a stage, `stage`, is the table of the files that its directory had when it was refreshed.
    `legs`, of a stream on a view, follow the tables below it; `views` are those between them and the view.
    """

    id: str
    name: ObjectName
    base: ObjectName
    append_only: bool
    owner: str
    created_on: datetime
    comment: str | None = None
    stale: bool = False
    legs: tuple[Stream, ...] = ()
    views: tuple[ObjectName, ...] = ()
    stage: str | None = None

    @property
    def kind(self) -> str:
        """What it is on, in a word."""
        if self.stage is not None:
            return "stage"
        return "view" if self.legs else "table"

    @property
    def source(self) -> str:
        """The full name of what it is on."""
        return self.stage or self.base.fqn()

    @property
    def followed(self) -> tuple[Stream, ...]:
        """What has the changes of one table each."""
        return self.legs or (self,)

    @property
    def tables(self) -> tuple[ObjectName, ...]:
        return tuple(one.base for one in self.followed)


_SOURCES = """
SELECT *, (
    SELECT json_group_array(json_array(position, is_table, base_schema, base_name))
    FROM stream_sources WHERE stream_id = id
) AS sources, (SELECT stage FROM stream_stages WHERE stream_id = id) AS stage FROM streams
"""


def with_sources(stream: Stream, tables: Iterable[ObjectName], views: Iterable[ObjectName]) -> Stream:
    """The stream on a view, of these tables and over these views."""
    legs = (
        replace(stream, id=f"{stream.id}_{number}", base=table, append_only=False)
        for number, table in enumerate(tables)
    )
    return replace(stream, legs=tuple(legs), views=tuple(views))


def _stream(row: sqlite3.Row) -> Stream:
    stream = _bare(row)
    sources = sorted(json.loads(row["sources"]))
    if not sources:
        return stream
    tables, views = (
        [ObjectName(stream.name.database, *place) for _, is_table, *place in sources if is_table == wanted]
        for wanted in (1, 0)
    )
    return with_sources(stream, tables, views)


def _bare(row: sqlite3.Row) -> Stream:
    return Stream(
        id=row["id"],
        name=ObjectName(row["database_name"], row["schema_name"], row["name"]),
        base=ObjectName(row["database_name"], row["base_schema"], row["base_name"]),
        append_only=bool(row["append_only"]),
        owner=row["owner"],
        created_on=datetime.fromisoformat(row["created_on"]),
        comment=row["comment"],
        stale=bool(row["stale"]),
        stage=row["stage"],
    )


def find(store: Store, name: ObjectName) -> Stream | None:
    row = store.row(
        f"{_SOURCES} WHERE database_name = ? AND schema_name = ? AND name = ?",
        name.parts,
    )
    return _stream(row) if row else None


_READS = (
    "database_name = ? AND (base_schema = ? AND base_name = ? OR id IN"
    " (SELECT stream_id FROM stream_sources WHERE base_schema = ? AND base_name = ?))"
)


def _read_of(base: ObjectName) -> tuple[str, ...]:
    return (*base.parts, *base.parts[1:])


def _reading(store: Store, base: ObjectName) -> list[Stream]:
    rows = store.rows(f"{_SOURCES} WHERE {_READS} AND NOT stale", _read_of(base))
    return [_stream(row) for row in rows]


def on_table(store: Store, base: ObjectName) -> list[Stream]:
    """The streams that follow this table, and the legs of streams on views that do."""
    return [one for stream in _reading(store, base) for one in stream.followed if one.base == base]


def everywhere(store: Store, database: str | None = None, schema: str | None = None) -> list[Stream]:
    """The streams of a schema, a database or the account, by name."""
    rows = store.rows(
        f"{_SOURCES} WHERE (? IS NULL OR database_name = ?) AND (? IS NULL OR schema_name = ?)"
        " ORDER BY database_name, schema_name, name",
        (database, database, schema, schema),
    )
    return [_stream(row) for row in rows]


def names(account: Account, database: str, schema: str) -> list[ObjectName]:
    """The streams of a schema, by name."""
    return sorted(stream.name for stream in everywhere(account.store, database, schema))


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
    if stream.stage is not None:
        store.execute("INSERT INTO stream_stages VALUES (?, ?)", (stream.id, stream.stage))
    sources = [(table, 1) for table in stream.tables if stream.legs] + [(view, 0) for view in stream.views]
    for position, (source, is_table) in enumerate(sources):
        store.execute(
            "INSERT INTO stream_sources VALUES (?, ?, ?, ?, ?)",
            (stream.id, position, source.schema, source.name, is_table),
        )


def set_comment(store: Store, stream: Stream, comment: str | None) -> None:
    store.execute("UPDATE streams SET comment = ? WHERE id = ?", (comment, stream.id))


def remove(store: Store, stream: Stream) -> None:
    store.execute("DELETE FROM streams WHERE id = ?", (stream.id,))
    for table in ("stream_sources", "stream_stages"):
        store.execute(f"DELETE FROM {table} WHERE stream_id = ?", (stream.id,))


def make_stale(store: Store, base: ObjectName) -> None:
    """Mark the streams of a dropped or replaced table or view as stale."""
    store.execute(f"UPDATE streams SET stale = 1 WHERE {_READS}", _read_of(base))


def base_renamed(store: Store, old: ObjectName, new: str) -> None:
    store.execute(
        "UPDATE streams SET base_name = ? WHERE database_name = ? AND base_schema = ? AND base_name = ?",
        (new, *old.parts),
    )
    store.execute(
        "UPDATE stream_sources SET base_name = ? WHERE stream_id IN"
        " (SELECT id FROM streams WHERE database_name = ?) AND base_schema = ? AND base_name = ?",
        (new, *old.parts),
    )


def stage_renamed(account: Account, kind: str, name: str, new: str) -> None:
    if kind == "STAGE":
        account.store.execute("UPDATE stream_stages SET stage = ? WHERE stage = ?", (new, name))


def is_followed(account: Account, name: ObjectName) -> bool:
    """Whether a stream follows the table or view, which enables its change tracking."""
    return bool(_reading(account.store, name))
