"""Stages, file formats, and files as tables."""

from __future__ import annotations

from dataclasses import replace

from starlette.routing import Route

from sfml_local.core.account import Account, Kind
from sfml_local.core.kinds import described, of_schemas
from sfml_local.core.service import Service
from sfml_local.services.stages import (
    copy_history,
    copy_store,
    directories,
    file_formats,
    load_history,
    locations,
    presigned,
    rest,
    schema_inference,
    sql,
    stage_functions,
    staged_queries,
    store,
    validation,
)


class Stages(Service):
    """Stages, file formats, COPY INTO, and queries of staged files."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={
                "STAGE": replace(of_schemas("stages"), followed=directories.followed),
                "FILE_FORMAT": described(Kind(), "File format", file_formats.ddl, file_formats.names),
            },
            schema=store.SCHEMA + copy_store.SCHEMA,
            database_schema=load_history.creation_sql,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions={**presigned.SYSTEM_FUNCTIONS, **stage_functions.SYSTEM_FUNCTIONS},
            table_functions={
                **schema_inference.TABLE_FUNCTIONS,
                **copy_history.TABLE_FUNCTIONS,
                **validation.TABLE_FUNCTIONS,
            },
            relations=copy_history.RELATIONS,
            first_rewrites=(
                stage_functions.locations_without_quotes,
                stage_functions.directories,
                validation.tables_of_validate,
                staged_queries.queries_of_stages,
            ),
            around=(load_history.forgetting,),
            operations=rest.OPERATIONS,
            routes=(Route("/files/{token}/{name}", presigned.read, methods=["GET"]),),
            schema_dropped=(
                sql.schema_dropped,
                load_history.schema_dropped,
                copy_store.schema_dropped,
                locations.forget_tables,
            ),
            session_closed=(sql.session_closed,),
            start=(sql.start,),
        )
