"""Streams on tables, views and stages: the changes since they were last consumed."""

from __future__ import annotations

from sqlglot import exp

from sfml_local.core.account import Account
from sfml_local.core.kinds import described, of_schemas
from sfml_local.core.service import Service
from sfml_local.services.streams import following, multi_inserts, sql, store


class Streams(Service):
    """Streams on tables, views and stages."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={
                "STREAM": described(
                    of_schemas("streams", "database_name = ? AND schema_name = ? AND name = ?"),
                    "Stream",
                    sql.ddl,
                    store.names,
                )
            },
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            trees={exp.MultitableInserts: multi_inserts.insert},
            system_functions={"SYSTEM$STREAM_HAS_DATA": sql.stream_has_data},
            rewrites=(following.stream_tables,),
            around=(following.following,),
            committing=(following.consume,),
            schema_dropped=(sql.schema_dropped,),
            object_renamed=(store.stage_renamed,),
        )
