"""Tags on tasks, by the task's id. Any tag can be set; a created tag may restrict the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store
from sfml_local.services.tags.sql import check_value

if TYPE_CHECKING:
    from sfml_local.core.account import Account


def set_tags(account: Account, task_id: str, tags: dict[ObjectName, str]) -> None:
    for tag, value in tags.items():
        check_value(account, tag, value)
    with account.store.transaction() as connection:
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
