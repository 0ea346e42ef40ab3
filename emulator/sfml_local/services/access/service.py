"""Roles, grants, and objects that graphs name but do not create."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.kinds import of_account, of_schemas
from sfml_local.core.service import Service
from sfml_local.grammar.quoting import literal
from sfml_local.services.access import rest, sql, store


def _of(kind: str) -> str:
    return f"kind = {literal(kind)} AND database = ? AND schema = ? AND name = ?"


class Access(Service):
    """Roles, grants, and named objects."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={
                **{kind: of_account("named_objects", kind) for kind in ("ROLE", "INTEGRATION", "USER")},
                **{kind: of_schemas("named_objects", _of(kind)) for kind in sql.IN_SCHEMAS},
            },
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            operations=rest.OPERATIONS,
            read_only=sql.READ_ONLY,
            schema_dropped=(store.schema_dropped,),
            object_dropped=(store.object_dropped,),
            object_renamed=(store.object_renamed,),
        )
