"""Session variables: values with types, as SET, SHOW VARIABLES and statements see them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.constants import FIELD_ID_TO_NAME
from snowflake.connector.errors import ProgrammingError


def ask(connection: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall()  # type: ignore[return-value]


def test_variables_keep_their_types(connection: SnowflakeConnection) -> None:
    ask(
        connection,
        "SET (A, B, C) = (SELECT 5::NUMBER(10, 2), '2026-01-02'::DATE, '2026-01-02 03:04:05'::TIMESTAMP_NTZ)",
        "SET (D, E, F) = (1.5e0, TRUE, TO_BINARY('AB', 'HEX'))",
    )
    assert ask(connection, "SELECT $A + 1, $B + 1, DATEADD('hour', 1, $C), NOT $E, TO_VARCHAR($F)") == [
        (Decimal("6.00"), datetime.date(2026, 1, 3), datetime.datetime(2026, 1, 2, 4, 4, 5), False, "AB")
    ]
    described = connection.cursor().describe("SELECT $A, $B, $C, $D, $E, $F")
    assert [FIELD_ID_TO_NAME[one.type_code] for one in described] == [
        *("FIXED", "DATE", "TIMESTAMP_NTZ", "REAL", "BOOLEAN", "BINARY"),
    ]
    shown = [(row[3], row[4], row[5]) for row in ask(connection, "SHOW VARIABLES")]
    assert shown == [
        *(
            ("A", "5.00", "fixed"),
            ("B", "2026-01-02", "date"),
            ("C", "2026-01-02 03:04:05.000", "timestamp_ntz"),
        ),
        *(("D", "1.5", "real"), ("E", "true", "boolean"), ("F", "AB", "binary")),
    ]
    assert ask(connection, "SELECT GETVARIABLE('A'), GETVARIABLE('a'), GETVARIABLE('Z')") == [
        ("5.00", None, None)
    ]


def test_setting_again_changes_when_it_was_updated_only(connection: SnowflakeConnection) -> None:
    before, after = (ask(connection, f"SET A = {value}", "SHOW VARIABLES")[0] for value in (1, 2))
    assert before[1] == before[2] == after[1] < after[2]


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("SELECT 1,\n  $NOPE", 2211, "error line 2 at position 2\nSession variable '$NOPE' does not exist"),
        ("SET A = REPEAT('é', 129)", 1007, "'A' not done because value exceeds size limit.*Its size is 258"),
        ("SET (A, B) = (SELECT 1)", 1003, "2 variables are set to the columns of a query with 1"),
        ("SET A =", 1003, "expected a value"),
    ],
)
def test_variables_that_cannot_be(connection: SnowflakeConnection, sql: str, code: int, words: str) -> None:
    with pytest.raises(ProgrammingError, match=words.replace("$", r"\$")) as refused:
        ask(connection, sql)
    assert refused.value.errno == code
