"""Settings of sessions, and the queries of clients when they connect."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.session import cancelling, query_history, sql, waiting


class SessionSettings(Service):
    """USE, parameters, variables, and the queries of clients when they connect."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions={
                **sql.SYSTEM_FUNCTIONS,
                **waiting.SYSTEM_FUNCTIONS,
                **cancelling.SYSTEM_FUNCTIONS,
            },
            table_functions=query_history.TABLE_FUNCTIONS,
        )
