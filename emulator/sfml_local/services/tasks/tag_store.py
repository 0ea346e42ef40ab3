"""Rows of the tags and contacts of tasks, by the task's id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store


def set_tags(store: Store, task_id: str, tags: Mapping[ObjectName, str]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO task_tags VALUES (?, ?, ?, ?, ?)",
            [(task_id, *tag.parts, value) for tag, value in tags.items()],
        )


def unset_tags(store: Store, task_id: str, tags: list[ObjectName]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "DELETE FROM task_tags"
            " WHERE task_id = ? AND tag_database = ? AND tag_schema = ? AND tag_name = ?",
            [(task_id, *tag.parts) for tag in tags],
        )


def tags_of(store: Store, task_id: str) -> dict[ObjectName, str]:
    rows = store.rows("SELECT * FROM task_tags WHERE task_id = ? ORDER BY tag_name", (task_id,))
    return {ObjectName(row["tag_database"], row["tag_schema"], row["tag_name"]): row["value"] for row in rows}


def tasks_with(store: Store, tag: ObjectName) -> list[str]:
    """The ids of the tasks that have a tag."""
    rows = store.rows(
        "SELECT DISTINCT task_id FROM task_tags WHERE tag_database = ? AND tag_schema = ? AND tag_name = ?",
        tag.parts,
    )
    return [row["task_id"] for row in rows]


def set_contacts(store: Store, task_id: str, contacts: Mapping[str, ObjectName]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO task_contacts VALUES (?, ?, ?)",
            [(task_id, purpose, contact.fqn()) for purpose, contact in contacts.items()],
        )


def unset_contacts(store: Store, task_id: str, purposes: Iterable[str]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "DELETE FROM task_contacts WHERE task_id = ? AND purpose = ?",
            [(task_id, purpose) for purpose in purposes],
        )


def every_contact(store: Store) -> list[tuple[Any, ...]]:
    """(database, schema, name, purpose, contact) of each contact of each task."""
    rows = store.rows(
        "SELECT database_name, schema_name, name, purpose, contact FROM task_contacts"
        " JOIN tasks ON tasks.id = task_id ORDER BY database_name, schema_name, name, purpose"
    )
    return [tuple(row) for row in rows]
