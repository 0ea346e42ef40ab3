"""Tasks and task graphs: definitions, runs and history."""

from __future__ import annotations

from sfml_local.core.account import Account, Kind
from sfml_local.core.kinds import described
from sfml_local.core.service import Service
from sfml_local.services.tasks import (
    commands,
    contacts,
    ddl,
    execution,
    functions,
    history,
    ownership,
    rest,
    run_store,
    slot_store,
    sql,
    store,
)


class Tasks(Service):
    """Tasks, their graphs, runs and history."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={
                "TASK": described(
                    Kind(
                        owner_of=ownership.owner_of,
                        give=ownership.give,
                        give_all=ownership.give_all,
                        tags_of=ownership.tags_of,
                    ),
                    "Task",
                    ddl.ddl,
                    ddl.names,
                )
            },
            schema=store.SCHEMA + run_store.SCHEMA + slot_store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions=functions.SYSTEM_FUNCTIONS,
            table_functions=history.TABLE_FUNCTIONS,
            relations=contacts.RELATIONS,
            operations=rest.OPERATIONS,
            schema_dropped=(commands.schema_dropped,),
            start=(execution.start,),
            stop=(execution.stop,),
        )
