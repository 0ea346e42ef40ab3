"""The event table, and its logs."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.telemetry import events, log_keeping


class Telemetry(Service):
    """The event table and the logs."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            rewrites=(events.event_table,),
            start=(log_keeping.start,),
            session_closed=(log_keeping.session_closed,),
        )
