"""Dynamic tables: tables with the rows of a query, refreshed according to their target lag."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.dynamic_tables import guard, rest, shown, sql, store
from sfml_local.services.dynamic_tables.tables import DynamicTables
from sfml_local.services.tasks.execution import scheduler_of


class DynamicTableService(Service):
    """Dynamic tables, their refreshes and histories."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            operations=rest.OPERATIONS,
            table_functions=shown.TABLE_FUNCTIONS,
            first_rewrites=(guard.guarded,),
            defined=(guard.renamed,),
            schema_dropped=(sql.schema_dropped,),
            start=(_start,),
            stop=(_stop,),
        )


def _start(account: Account) -> None:
    scheduler_of(account).others.append(account.part(DynamicTables))


def _stop(account: Account) -> None:
    account.part(DynamicTables).stop()
