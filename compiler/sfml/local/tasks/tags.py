"""Tags on tasks. Tags themselves are not objects here: any name may be set."""

from __future__ import annotations

from sfml.local.errors import SqlError
from sfml.local.names import ObjectName
from sfml.local.store import Store

MAX_VALUE = 256
"""https://docs.snowflake.com/en/sql-reference/sql/create-task: characters of a tag's value."""


def checked_value(value: str) -> str:
    """The value again; refuses one that is too long."""
    if len(value) > MAX_VALUE:
        raise SqlError(
            f"Invalid tag value: it has {len(value)} characters, the maximum is {MAX_VALUE}.", 1008, "22023"
        )
    return value


def set_tags(store: Store, task_id: str, tags: dict[ObjectName, str]) -> None:
    for value in tags.values():
        checked_value(value)
    with store.transaction() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO task_tags VALUES (?, ?, ?, ?, ?)",
            [(task_id, tag.database, tag.schema, tag.name, value) for tag, value in tags.items()],
        )


def unset_tags(store: Store, task_id: str, tags: list[ObjectName]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "DELETE FROM task_tags"
            " WHERE task_id = ? AND tag_database = ? AND tag_schema = ? AND tag_name = ?",
            [(task_id, tag.database, tag.schema, tag.name) for tag in tags],
        )


def tags_of(store: Store, task_id: str) -> dict[ObjectName, str]:
    rows = store.rows("SELECT * FROM task_tags WHERE task_id = ? ORDER BY tag_name", (task_id,))
    return {ObjectName(row["tag_database"], row["tag_schema"], row["tag_name"]): row["value"] for row in rows}
