"""The outbox: messages that an account would have sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS notifications (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    created TEXT NOT NULL,
    source TEXT NOT NULL,
    query_id TEXT,
    integration TEXT NOT NULL,
    content_type TEXT NOT NULL,
    subject TEXT,
    recipients TEXT,
    message TEXT NOT NULL
);
"""


def post(
    account: Account,
    source: str,
    integration: str,
    content_type: str,
    message: str,
    *,
    subject: str | None = None,
    recipients: tuple[str, ...] = (),
    query_id: str | None = None,
) -> None:
    """Add a message to the outbox. `source` is the function or the task setting that sent it."""
    account.store.execute(
        "INSERT INTO notifications"
        " (created, source, query_id, integration, content_type, subject, recipients, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account.clock().isoformat(),
            source,
            query_id,
            integration,
            content_type,
            subject,
            json.dumps(recipients) if recipients else None,
            message,
        ),
    )


def every(account: Account) -> list[Row]:
    """All messages, the oldest first."""
    return account.store.rows("SELECT * FROM notifications ORDER BY number")
