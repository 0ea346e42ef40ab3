"""Contacts of tasks. Contacts themselves are not objects here: any name may be set.

Snowflake has no way to read those of a task (GET_CONTACTS knows databases, schemas and tables), so they are shown as
SNOWFLAKE.LOCAL.TASK_CONTACTS, which an account does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.result import Result, table
from sfml_local.services.tasks import tag_store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def task_contacts(account: Account, session: Session, database: str | None) -> Result:
    """SNOWFLAKE.LOCAL.TASK_CONTACTS: every contact of every task."""
    columns = ("DATABASE_NAME", "SCHEMA_NAME", "TASK_NAME", "PURPOSE", "CONTACT")
    return table(columns, tag_store.every_contact(account.store))


RELATIONS = {"SNOWFLAKE.LOCAL.TASK_CONTACTS": task_contacts}
