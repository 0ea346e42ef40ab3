"""Tags, and tagged objects."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.kinds import described, of_schemas
from sfml_local.core.service import Service
from sfml_local.services.tags import sql, store, tagging


class Tags(Service):
    """Tags as objects, and tagged objects."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={"TAG": described(of_schemas("tags"), "Tag", store.ddl, store.names)},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions=tagging.SYSTEM_FUNCTIONS,
            table_functions=tagging.TABLE_FUNCTIONS,
            schema_dropped=(store.schema_dropped,),
            object_dropped=(store.object_dropped,),
            object_renamed=(store.object_renamed,),
        )
