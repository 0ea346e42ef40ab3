"""LOAD_HISTORY and COPY_HISTORY: what COPY INTO has told of each file, for 14 days.

https://docs.snowflake.com/en/sql-reference/info-schema/load_history · /sql-reference/functions/copy_history
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core.arguments import Args, time_of
from sfml_local.core.errors import SqlError
from sfml_local.core.names import resolve
from sfml_local.core.result import Result, columns
from sfml_local.services.stages import copy_store

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_LOADS = columns(
    "SCHEMA_NAME FILE_NAME TABLE_NAME LAST_LOAD_TIME:timestamp_ltz STATUS ROW_COUNT:fixed ROW_PARSED:fixed "
    "FIRST_ERROR_MESSAGE FIRST_ERROR_LINE_NUMBER:fixed FIRST_ERROR_CHARACTER_POSITION:fixed FIRST_ERROR_COL_NAME "
    "ERROR_COUNT:fixed ERROR_LIMIT:fixed"
)


def load_history(account: Account, session: Session, database: str | None) -> Result:
    """The files that were loaded into the tables of a database."""
    found = copy_store.of_database(account, database or session.database)
    return Result(
        _LOADS,
        tuple(
            (
                *(row["schema"], row["location"] + row["file"], row["table_name"], _moment(row)),
                *(row["status"].replace("_", " "), row["loaded"], row["parsed"], *_error(row)),
                *(row["errors"], row["error_limit"]),
            )
            for row in found
        ),
    )


_COPIES = columns(
    "FILE_NAME STAGE_LOCATION LAST_LOAD_TIME:timestamp_ltz ROW_COUNT:fixed ROW_PARSED:fixed FILE_SIZE:fixed "
    "FIRST_ERROR_MESSAGE FIRST_ERROR_LINE_NUMBER:fixed FIRST_ERROR_CHARACTER_POS:fixed FIRST_ERROR_COLUMN_NAME "
    "ERROR_COUNT:fixed ERROR_LIMIT:fixed STATUS TABLE_CATALOG_NAME TABLE_SCHEMA_NAME TABLE_NAME PIPE_CATALOG_NAME "
    "PIPE_SCHEMA_NAME PIPE_NAME PIPE_RECEIVED_TIME:timestamp_ltz"
)


def copy_history(account: Account, session: Session, args: Args) -> Result:
    """COPY_HISTORY(TABLE_NAME, START_TIME [, END_TIME])."""
    given = args.by_name("COPY_HISTORY", "TABLE_NAME START_TIME END_TIME")
    for name in ("TABLE_NAME", "START_TIME"):
        if name not in given:
            message = f"not enough arguments for function [COPY_HISTORY], {name} is missing"
            raise SqlError(f"SQL compilation error:\n{message}", 938, "22023")
    table = resolve(str(given["TABLE_NAME"]), session)
    start, end = time_of(given["START_TIME"]), time_of(given.get("END_TIME")) or account.clock()
    found = copy_store.of_table(account, table)
    return Result(
        _COPIES,
        tuple(
            (
                *(row["file"], row["location"], _moment(row), row["loaded"], row["parsed"], row["size"]),
                *(*_error(row), row["errors"], row["error_limit"]),
                *(row["status"].replace("_", " ").capitalize(), *table.parts, None, None, None, None),
            )
            for row in found
            if start is not None and start <= _moment(row) <= end
        ),
    )


def _moment(row: Row) -> datetime.datetime:
    return datetime.datetime.fromisoformat(row["loaded_on"])


def _error(row: Row) -> tuple[Any, ...]:
    return row["first_error"], row["line"], row["character"], row["column_name"]


RELATIONS = {"INFORMATION_SCHEMA.LOAD_HISTORY": load_history}
TABLE_FUNCTIONS = {"COPY_HISTORY": copy_history}
