"""Dynamic tables, their refreshes and their earlier descriptions, in the account's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store
from sfml_local.services.dynamic_tables.model import DynamicTable, Refresh, Source

SCHEMA = """
CREATE TABLE IF NOT EXISTS dynamic_tables (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS dynamic_table_refreshes (
    id TEXT PRIMARY KEY,
    "table" TEXT NOT NULL,
    started TEXT NOT NULL,
    data_timestamp TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS dynamic_table_refreshes_by_time ON dynamic_table_refreshes (data_timestamp);
CREATE TABLE IF NOT EXISTS dynamic_table_descriptions (
    "table" TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    alter_trigger TEXT NOT NULL,
    value TEXT NOT NULL
);
"""

_TIMES = frozenset(
    field.name for kind in (DynamicTable, Refresh) for field in fields(kind) if "datetime" in str(field.type)
)


def _text(value: DynamicTable | Refresh) -> str:
    return json.dumps(
        asdict(value), default=lambda one: one.isoformat() if isinstance(one, datetime) else str(one)
    )


def _values(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    for key in _TIMES & found.keys():
        found[key] = None if found[key] is None else datetime.fromisoformat(found[key])
    found["name"] = ObjectName(**found["name"])
    return found


def _table(text: str) -> DynamicTable:
    found = _values(text)
    found["sources"] = tuple(
        Source(ObjectName(**source["name"]), source["kind"]) for source in found["sources"]
    )
    # Those of earlier versions have none, and get theirs with the next refresh.
    reads = found.get("reads", [source["name"] for source in json.loads(text)["sources"]])
    found["reads"] = tuple(ObjectName(**name) for name in reads)
    return DynamicTable(**found)


# -- tables


def every(store: Store) -> dict[ObjectName, DynamicTable]:
    tables = (_table(row["value"]) for row in store.rows("SELECT value FROM dynamic_tables ORDER BY name"))
    return {table.name: table for table in tables}


def save(store: Store, table: DynamicTable) -> None:
    store.execute(
        "INSERT OR REPLACE INTO dynamic_tables VALUES (?, ?, ?)", (table.id, table.name.fqn(), _text(table))
    )


def delete(store: Store, table: DynamicTable) -> None:
    store.execute("DELETE FROM dynamic_tables WHERE id = ?", (table.id,))


# -- refreshes


def save_refresh(store: Store, refresh: Refresh) -> None:
    store.execute(
        "INSERT OR REPLACE INTO dynamic_table_refreshes VALUES (?, ?, ?, ?, ?)",
        (
            *(refresh.id, refresh.table, refresh.started.isoformat()),
            *(refresh.data_timestamp.isoformat(), _text(refresh)),
        ),
    )


def refreshes(store: Store, since: datetime) -> list[Refresh]:
    """The refreshes whose data is not older than that, the latest first."""
    rows = store.rows(
        "SELECT value FROM dynamic_table_refreshes WHERE data_timestamp >= ?"
        " ORDER BY started DESC, rowid DESC",
        (since.isoformat(),),
    )
    return [Refresh(**_values(row["value"])) for row in rows]


def forget_refreshes(store: Store, before: datetime) -> None:
    store.execute("DELETE FROM dynamic_table_refreshes WHERE data_timestamp < ?", (before.isoformat(),))
    store.execute("DELETE FROM dynamic_table_descriptions WHERE valid_to < ?", (before.isoformat(),))


# -- descriptions


def describe(store: Store, table: DynamicTable, trigger: str) -> None:
    """Store a table's new description, which ends the previous one."""
    now = table.valid_from.isoformat()
    close(store, table, table.valid_from)
    store.execute(
        "INSERT INTO dynamic_table_descriptions VALUES (?, ?, NULL, ?, ?)",
        (table.id, now, trigger, _text(table)),
    )


def close(store: Store, table: DynamicTable, moment: datetime) -> None:
    store.execute(
        'UPDATE dynamic_table_descriptions SET valid_to = ? WHERE "table" = ? AND valid_to IS NULL',
        (moment.isoformat(), table.id),
    )


def descriptions(store: Store) -> list[tuple[DynamicTable, Mapping[str, Any]]]:
    """All descriptions, the earliest first, with their times and triggers."""
    rows = store.rows("SELECT * FROM dynamic_table_descriptions ORDER BY valid_from, rowid")
    return [(_table(row["value"]), dict(row)) for row in rows]
