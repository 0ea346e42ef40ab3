"""Where each schedule stands: the next time that has neither been fired nor been missed."""

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
    """The schedule's next time; one in the past was due while nothing fired it.

    What is kept counts for as long as the root is started: RESUME begins anew.
    """
    row = store.row("SELECT since, next_time FROM task_slots WHERE task_id = ?", (root.id,))
    if row is not None and row["since"] == text(root.scheduled_since):
        return when(row["next_time"])
    return next_scheduled(root, root.scheduled_since or root.last_committed_on or root.created_on)


def pass_slot(store: Store, root: Task, slot: datetime) -> None:
    """Go on to the time after this one."""
    store.execute(
        "INSERT OR REPLACE INTO task_slots VALUES (?, ?, ?)",
        (root.id, text(root.scheduled_since), text(next_scheduled(root, slot))),
    )
