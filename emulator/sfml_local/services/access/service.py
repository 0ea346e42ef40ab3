"""Roles, grants, and objects that graphs name but do not create."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.kinds import of_account
from sfml_local.core.service import Service
from sfml_local.services.access import rest, sql, store


class Access(Service):
    """Roles, grants, and named objects."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={kind: of_account("named_objects", kind) for kind in ("ROLE", "INTEGRATION")},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            operations=rest.OPERATIONS,
            read_only=sql.READ_ONLY,
            schema_dropped=(store.schema_dropped,),
            object_dropped=(store.object_dropped,),
            object_renamed=(store.object_renamed,),
        )
