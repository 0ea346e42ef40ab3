"""Runs a text with several statements, and returns their results as values for JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfml.base.record import record
from sfml.snowflake.refusals import translated
from sfml.snowflake.sql import fetched

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


@record
class Answer:
    """The result of one statement."""

    statement: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def answers(connection: SnowflakeConnection, text: str) -> Iterator[Answer]:
    """Yield the result of each statement. The error of a failed statement is raised; later ones are not run."""
    from snowflake.connector.util_text import split_statements

    for statement, _ in split_statements(io.StringIO(text)):
        if not statement or not statement.strip().strip(";"):
            continue
        with translated(), connection.cursor() as cursor:
            cursor.execute(statement)
            columns = tuple(column.name for column in cursor.description or ())
            rows = tuple(tuple(plain(value) for value in row) for row in fetched(cursor))
        yield Answer(statement, columns, rows)


def plain(value: Any) -> Any:
    """A value for JSON: numbers and text stay, binary becomes hexadecimal text, the rest text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.hex() if isinstance(value, bytes | bytearray) else str(value)
