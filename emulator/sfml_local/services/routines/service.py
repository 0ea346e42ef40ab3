"""Procedures, functions and blocks of Snowflake Scripting."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.routines import (
    calling,
    ddl,
    functions,
    procedures,
    python_functions,
    python_table_functions,
    sql,
    store,
)


class Routines(Service):
    """Procedures, functions, CALL, and blocks of Snowflake Scripting."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={word: ddl.kind(word) for word in ("PROCEDURE", "FUNCTION")},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            first_rewrites=(python_table_functions.table_calls,),
            rewrites=(functions.user_functions,),
            table_calls=(functions.table_function, calling.rows_of_call),
            around=(functions.running,),
            schema_dropped=(sql.schema_dropped,),
            session_closed=(sql.session_closed,),
            start=(procedures.start, sql.start, python_functions.register),
            stop=(procedures.stop, functions.stop),
        )
