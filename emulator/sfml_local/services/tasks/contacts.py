"""Contacts of tasks. Contacts themselves are not objects here: any name may be set.

Snowflake has no way to read those of a task (GET_CONTACTS knows databases, schemas and tables), so they are shown as
SNOWFLAKE.LOCAL.TASK_CONTACTS, which an account does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.core.result import Result, table
from sfml_local.core.store import Store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


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


def task_contacts(account: Account, session: Session, database: str | None) -> Result:
    """SNOWFLAKE.LOCAL.TASK_CONTACTS: every contact of every task."""
    rows = account.store.rows(
        "SELECT database_name, schema_name, name, purpose, contact FROM task_contacts"
        " JOIN tasks ON tasks.id = task_id ORDER BY database_name, schema_name, name, purpose"
    )
    columns = ("DATABASE_NAME", "SCHEMA_NAME", "TASK_NAME", "PURPOSE", "CONTACT")
    return table(columns, [tuple(row) for row in rows])


RELATIONS = {"SNOWFLAKE.LOCAL.TASK_CONTACTS": task_contacts}
