"""Datasets."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.datasets import sql, store


class Datasets(Service):
    """Datasets and their versions."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            locators={sql.SCHEME: sql.locate},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            first_rewrites=(sql.versions_read,),
            schema_dropped=(sql.schema_dropped,),
            start=(sql.start,),
        )
