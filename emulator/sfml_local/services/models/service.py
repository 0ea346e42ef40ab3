"""The model registry: everything that `snowflake.ml.registry` needs, stored in SQLite and in folders."""

from __future__ import annotations

from sfml_local.core.account import Account, Kind
from sfml_local.core.service import Service
from sfml_local.services.models import (
    files,
    inference,
    locations,
    predictors,
    queries,
    sql,
    store,
    table_functions,
)


class Models(Service):
    """The model registry."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={"MODULE": Kind(tags_of=queries.tags_on)},
            locators={"snow://": locations.locate},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions=queries.SYSTEM_FUNCTIONS,
            relations=queries.RELATIONS,
            first_rewrites=(table_functions.table_calls, inference.binary_values),
            rewrites=(inference.model_calls,),
            schema_dropped=(sql.schema_dropped,),
            start=(files.remove_orphans, inference.register, predictors.watch),
            stop=(predictors.stop_all,),
        )
