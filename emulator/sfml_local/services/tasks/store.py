"""Tasks and the versions of their graphs in the account's metadata."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store
from sfml_local.services.tasks.model import Settings, Task

SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY,
    database_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_on TEXT NOT NULL,
    started INTEGER NOT NULL DEFAULT 0,
    graph_version INTEGER NOT NULL DEFAULT 0,
    last_committed_on TEXT,
    last_suspended_on TEXT,
    last_suspended_reason TEXT,
    scheduled_since TEXT,
    UNIQUE (database_name, schema_name, name)
);
CREATE INDEX IF NOT EXISTS tasks_by_finalized
    ON tasks (database_name, schema_name, json_extract(settings, '$.finalize'));
CREATE TABLE IF NOT EXISTS task_graph_versions (
    root_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_on TEXT NOT NULL,
    tasks TEXT NOT NULL,
    PRIMARY KEY (root_id, version)
);
CREATE TABLE IF NOT EXISTS task_tags (
    task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    tag_database TEXT NOT NULL,
    tag_schema TEXT NOT NULL,
    tag_name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (task_id, tag_database, tag_schema, tag_name)
);
CREATE TABLE IF NOT EXISTS task_contacts (
    task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    contact TEXT NOT NULL,
    PRIMARY KEY (task_id, purpose)
);
CREATE TABLE IF NOT EXISTS task_failures (
    root_id TEXT NOT NULL,
    name TEXT NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (root_id, name)
);
"""


def when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _task(row: sqlite3.Row) -> Task:
    return _parsed(*row)


@lru_cache(maxsize=4096)
def _parsed(
    id: str,
    database: str,
    schema: str,
    name: str,
    settings: str,
    owner: str,
    created_on: str,
    started: int,
    graph_version: int,
    last_committed_on: str | None,
    last_suspended_on: str | None,
    last_suspended_reason: str | None,
    scheduled_since: str | None,
) -> Task:
    """The task in a row, cached, because every change of a graph reads all tasks of its schema."""
    return Task(
        id=id,
        name=ObjectName(database, schema, name),
        settings=Settings.from_json(settings),
        owner=owner,
        created_on=datetime.fromisoformat(created_on),
        started=bool(started),
        graph_version=graph_version,
        last_committed_on=when(last_committed_on),
        last_suspended_on=when(last_suspended_on),
        last_suspended_reason=last_suspended_reason,
        scheduled_since=when(scheduled_since),
    )


def find(store: Store, name: ObjectName) -> Task | None:
    row = store.row(
        "SELECT * FROM tasks WHERE database_name = ? AND schema_name = ? AND name = ?",
        name.parts,
    )
    return _task(row) if row else None


def find_by_id(store: Store, id: str) -> Task | None:
    row = store.row("SELECT * FROM tasks WHERE id = ?", (id,))
    return _task(row) if row else None


def in_schema(store: Store, database: str, schema: str) -> list[Task]:
    """The tasks of a schema, by name."""
    rows = store.rows(
        "SELECT * FROM tasks WHERE database_name = ? AND schema_name = ? ORDER BY name", (database, schema)
    )
    return [_task(row) for row in rows]


def finalizer_of(store: Store, name: ObjectName) -> Task | None:
    """The task that finalizes the graph of that root."""
    row = store.row(
        "SELECT * FROM tasks WHERE database_name = ? AND schema_name = ?"
        " AND json_extract(settings, '$.finalize') = ?",
        name.parts,
    )
    return _task(row) if row else None


def everywhere(store: Store, database: str | None = None) -> list[Task]:
    """The tasks of a database, or of the account, by name."""
    rows = store.rows(
        "SELECT * FROM tasks WHERE ? IS NULL OR database_name = ? ORDER BY database_name, schema_name, name",
        (database, database),
    )
    return [_task(row) for row in rows]


def started(store: Store) -> list[Task]:
    """The tasks that are resumed, by name."""
    rows = store.rows("SELECT * FROM tasks WHERE started ORDER BY database_name, schema_name, name")
    return [_task(row) for row in rows]


def save(store: Store, *tasks: Task) -> None:
    """Insert the tasks, or replace those with the same id, all or none."""
    with store.transaction() as connection:
        for task in tasks:
            connection.execute(
                "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, owner = excluded.owner,"
                " started = excluded.started, graph_version = excluded.graph_version,"
                " last_committed_on = excluded.last_committed_on,"
                " last_suspended_on = excluded.last_suspended_on,"
                " last_suspended_reason = excluded.last_suspended_reason,"
                " scheduled_since = excluded.scheduled_since",
                (
                    task.id,
                    task.name.database,
                    task.name.schema,
                    task.name.name,
                    task.settings.to_json(),
                    task.owner,
                    text(task.created_on),
                    int(task.started),
                    task.graph_version,
                    text(task.last_committed_on),
                    text(task.last_suspended_on),
                    task.last_suspended_reason,
                    text(task.scheduled_since),
                ),
            )


def delete(store: Store, task: Task) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM tasks WHERE id = ?", (task.id,))
        connection.execute("DELETE FROM task_failures WHERE root_id = ?", (task.id,))


# -- versions of a graph


def _snapshot(tasks: Iterable[Task]) -> str:
    return json.dumps(
        [
            {
                "id": task.id,
                "database": task.name.database,
                "schema": task.name.schema,
                "name": task.name.name,
                "owner": task.owner,
                "created_on": text(task.created_on),
                "started": task.started,
                "settings": task.settings.to_json(),
            }
            for task in sorted(tasks, key=lambda task: task.name)
        ]
    )


def commit_version(store: Store, root: Task, tasks: Iterable[Task], now: datetime) -> int:
    """Fix a version of the graph and return its number; the last number if nothing has changed.

    "Each incremental increase in the value represents one or more modifications":
    https://docs.snowflake.com/en/sql-reference/functions/task_history (GRAPH_VERSION)
    """
    # Whether the root is started is not part of a version; executing and resuming it fix the same one.
    members = [task for task in tasks if task.id != root.id]
    new = _snapshot(
        (*members, root.__class__(root.id, root.name, root.settings, root.owner, root.created_on))
    )
    with store.transaction() as connection:
        last = connection.execute(
            "SELECT version, tasks FROM task_graph_versions WHERE root_id = ? ORDER BY version DESC LIMIT 1",
            (root.id,),
        ).fetchone()
        if last is not None and last["tasks"] == new:
            return int(last["version"])
        version = 1 if last is None else int(last["version"]) + 1
        connection.execute(
            "INSERT INTO task_graph_versions VALUES (?, ?, ?, ?)", (root.id, version, text(now), new)
        )
        return version


def version(store: Store, root_id: str, number: int) -> list[Task]:
    """The tasks of a fixed version of a graph."""
    row = store.row(
        "SELECT tasks FROM task_graph_versions WHERE root_id = ? AND version = ?", (root_id, number)
    )
    if row is None:
        raise KeyError((root_id, number))
    found = []
    for entry in json.loads(row["tasks"]):
        created_on = when(entry["created_on"])
        assert created_on is not None
        found.append(
            Task(
                id=entry["id"],
                name=ObjectName(entry["database"], entry["schema"], entry["name"]),
                settings=Settings.from_json(entry["settings"]),
                owner=entry["owner"],
                created_on=created_on,
                started=entry["started"],
            )
        )
    return found


# -- failures in a row


def failures(store: Store, root_id: str) -> dict[str, int]:
    rows = store.rows("SELECT name, failures FROM task_failures WHERE root_id = ?", (root_id,))
    return {row["name"]: row["failures"] for row in rows}


def set_failures(store: Store, root_id: str, counts: dict[str, int]) -> None:
    """Replace a root's counters; an empty mapping resets them."""
    with store.transaction() as connection:
        connection.execute("DELETE FROM task_failures WHERE root_id = ?", (root_id,))
        connection.executemany(
            "INSERT INTO task_failures VALUES (?, ?, ?)",
            [(root_id, name, count) for name, count in counts.items()],
        )
