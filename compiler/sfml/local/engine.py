"""The SQL engine: fakesnow over DuckDB, with what it lacks rewritten before it sees a statement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import snowflake.connector.errors
from fakesnow.dialect import parse_one
from fakesnow.instance import FakeSnow
from fakesnow.rowtype import describe_as_rowtype
from fakesnow.statement_type import statement_type_id

from sfml.local.errors import SqlError, not_emulated
from sfml.local.result import ArrowRows, Column, Result

if TYPE_CHECKING:
    from fakesnow.cursor import FakeSnowflakeCursor
    from fakesnow.fakes import FakeSnowflakeConnection

    from sfml.local.account import Account
    from sfml.local.session import Session


class Engine:
    """fakesnow over the DuckDB files of one folder."""

    def __init__(self, account: Account, folder: Path) -> None:
        self._account = account
        self._databases = folder / "databases"
        self._fakesnow = FakeSnow(
            create_database_on_connect=False, create_schema_on_connect=False, db_path=self._databases
        )

    def connect(self, database: str | None, schema: str | None) -> FakeSnowflakeConnection:
        return self._fakesnow.connect(database, schema)

    def close(self) -> None:
        self._fakesnow.duck_conn.close()

    def run(
        self, session: Session, sql: str, params: Sequence[Any] = (), describe_only: bool = False
    ) -> Result:
        """The result of a statement that sqlglot and fakesnow understand; raises SqlError."""
        with session.lock:
            try:
                return self._run(session, sql, params, describe_only)
            except snowflake.connector.errors.Error as cause:
                raise translated(cause, sql) from cause
            except (duckdb.Error, NotImplementedError, AssertionError) as cause:
                raise not_emulated(f"{sql} ({type(cause).__name__}: {cause})") from cause

    def _run(self, session: Session, sql: str, params: Sequence[Any], describe_only: bool) -> Result:
        expression = parse_one(sql)
        cursor = session.connection.cursor()
        type_id = statement_type_id(expression)
        cursor.execute(sql, binding_params=tuple(params) or None, server=True)
        return _result(cursor, type_id)

    def evaluate(self, session: Session, expression: str) -> Any:
        """The value of a SQL expression in this session."""
        return self._account.execute(session, f"SELECT {expression}").scalar


def _result(cursor: FakeSnowflakeCursor, type_id: int) -> Result:
    table = cursor._arrow_table
    described = describe_as_rowtype(cursor._describe_last_sql())
    columns = tuple(
        Column(c["name"], c["type"], c["precision"], c["scale"], c["length"], c["nullable"])
        for c in described
    )
    return Result(columns, ArrowRows(table) if table is not None else (), type_id)


def translated(cause: snowflake.connector.errors.Error, sql: str) -> SqlError:
    """fakesnow's error as this server's."""
    message = cause.raw_msg if getattr(cause, "raw_msg", None) else str(cause.msg)
    if cause.errno == 9999:
        return not_emulated(sql)
    return SqlError(message, cause.errno or 1003, cause.sqlstate or "42000")
