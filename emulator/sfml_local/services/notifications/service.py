"""Notifications, kept in an outbox."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.notifications import outbox


class Notifications(Service):
    """The outbox of notifications."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            schema=outbox.SCHEMA,
            system_functions=outbox.SYSTEM_FUNCTIONS,
            table_functions=outbox.TABLE_FUNCTIONS,
            relations=outbox.RELATIONS,
        )
