"""Lineage, as far as definitions tell it."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.lineage import sql


class LineageService(Service):
    """What was made from what."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, system_functions={"SYSTEM$DGQL": sql.dgql})
