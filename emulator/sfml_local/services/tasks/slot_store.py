"""The position of each schedule: its next time that has neither fired nor been missed."""

from __future__ import annotations

from datetime import datetime

from sfml_local.core.store import Store
from sfml_local.services.tasks.model import Task, next_scheduled
from sfml_local.services.tasks.store import text, when

SCHEMA = """
CREATE TABLE IF NOT EXISTS task_slots (
    task_id TEXT PRIMARY KEY,
    since TEXT,
    next_time TEXT
);
"""


def next_slot(store: Store, root: Task) -> datetime | None:
    """The schedule's next time; a time in the past was missed.

    The stored value is valid while the root is started; RESUME resets it.
    """
    row = store.row("SELECT since, next_time FROM task_slots WHERE task_id = ?", (root.id,))
    if row is not None and row["since"] == text(root.scheduled_since):
        return when(row["next_time"])
    return next_scheduled(root, root.scheduled_since or root.last_committed_on or root.created_on)


def pass_slot(store: Store, root: Task, slot: datetime) -> None:
    """Advance to the next time."""
    store.execute(
        "INSERT OR REPLACE INTO task_slots VALUES (?, ?, ?)",
        (root.id, text(root.scheduled_since), text(next_scheduled(root, slot))),
    )
