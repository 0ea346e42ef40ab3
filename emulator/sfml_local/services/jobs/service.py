"""ML Jobs."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.compute.store import PoolUse
from sfml_local.services.jobs import sql, store


class Jobs(Service):
    """ML Jobs."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions=sql.SYSTEM_FUNCTIONS,
            table_functions=sql.TABLE_FUNCTIONS,
            schema_dropped=(sql.schema_dropped,),
            start=(sql.start,),
            stop=(sql.stop,),
        )
        account.part(PoolUse).answer = store.use_of_pool
