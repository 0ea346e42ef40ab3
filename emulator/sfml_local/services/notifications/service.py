"""Notifications, kept in an functions."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.notifications import functions, store


class Notifications(Service):
    """The outbox of notifications."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            schema=store.SCHEMA,
            system_functions=functions.SYSTEM_FUNCTIONS,
            table_functions=functions.TABLE_FUNCTIONS,
            relations=functions.RELATIONS,
        )
