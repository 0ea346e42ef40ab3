"""Databases and schemas."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.databases import ownership, rest, sql, store


class Databases(Service):
    """Databases and schemas."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={word: ownership.kind(word) for word in ("DATABASE", "SCHEMA")},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            operations=rest.OPERATIONS,
            schema_dropped=(store.forget_properties,),
        )
