"""Tables, views and sequences as objects: SHOW, DESCRIBE, GET_DDL, keys and properties."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.objects import (
    change_store,
    changes,
    ddl,
    declared,
    keeping,
    ownership,
    relations,
    rest,
    sql,
    store,
)


class Objects(Service):
    """Metadata of tables, views and sequences."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={
                **{word: ownership.kind(word) for word in ("TABLE", "VIEW")},
                "SEQUENCE": ddl.SEQUENCE,
            },
            schema=store.SCHEMA + change_store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions=ddl.SYSTEM_FUNCTIONS,
            relations=relations.RELATIONS,
            first_rewrites=(declared.declarations,),
            around=(changes.noting,),
            defined=(keeping.note,),
            operations=rest.OPERATIONS,
            schema_dropped=(sql.schema_dropped,),
        )
