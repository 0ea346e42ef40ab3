"""Warehouses and compute pools."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.kinds import of_account
from sfml_local.core.service import Service
from sfml_local.services.compute import rest, sql, store


class ComputeObjects(Service):
    """Warehouses and compute pools."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={word: of_account("compute", word) for word in ("WAREHOUSE", "COMPUTE POOL")},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            operations=rest.OPERATIONS,
        )
