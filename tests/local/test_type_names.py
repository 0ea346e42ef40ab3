"""SYSTEM$TYPEOF: the documented answers, and a refusal for what only an account knows."""

from __future__ import annotations

import pytest
import snowflake.connector

from sfml_local.http.app import LocalServer


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        # https://docs.snowflake.com/en/sql-reference/functions/system_typeof
        ("NULL", "NULL[LOB]"),
        ("1", "NUMBER(1,0)[SB1]"),
        ("1e10", "NUMBER(11,0)[SB8]"),
        ("10000", "NUMBER(5,0)[SB2]"),
        ("'something'", "VARCHAR(9)[LOB]"),
        # By the same rule.
        ("42", "NUMBER(2,0)[SB1]"),
        ("-129", "NUMBER(3,0)[SB2]"),
        ("1.5", "NUMBER(2,1)[SB1]"),
        ("0.05", "NUMBER(2,2)[SB1]"),
        ("2147483648", "NUMBER(10,0)[SB8]"),
        ("12345678901234567890", "NUMBER(20,0)[SB16]"),
        ("TRUE", "BOOLEAN[SB1]"),
        ("(((-5)))", "NUMBER(1,0)[SB1]"),
        # Types of one size, of whatever expression.
        ("CURRENT_DATE()", "DATE[SB4]"),
        ("DATEADD(day, 1, '2024-01-01'::DATE)", "DATE[SB4]"),
        ("TIME_FROM_PARTS(1, 2, 3)", "TIME(9)[SB8]"),
        ("DATEADD(hour, 1, '2024-01-01'::DATE)", "TIMESTAMP_NTZ(9)[SB16]"),
        ("1.5::FLOAT * 2", "FLOAT[DOUBLE]"),
        ("1 = 2 OR NULL", "BOOLEAN[SB1]"),
        ("IFF(TRUE, '2024-01-01'::DATE, NULL)", "DATE[SB4]"),
    ],
)
def test_a_literal_has_a_type_and_a_size(server: LocalServer, expression: str, name: str) -> None:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        assert connection.cursor().execute(f"SELECT SYSTEM$TYPEOF({expression})").fetchall() == [(name,)]


def test_the_type_of_columns_is_told_where_it_has_one_size(server: LocalServer) -> None:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        sql = """SELECT UPPER(SYSTEM$TYPEOF(D)), MAX(SYSTEM$TYPEOF(F)), SYSTEM$TYPEOF(MAX(D))
            FROM (SELECT '2024-01-01'::DATE AS D, 1::FLOAT AS F) GROUP BY D"""
        assert connection.cursor().execute(sql).fetchall() == [("DATE[SB4]", "FLOAT[DOUBLE]", "DATE[SB4]")]


@pytest.mark.parametrize("expression", ["A + 1", "T", "T || 'x'", "PARSE_JSON(T)", "CURRENT_TIMESTAMP()"])
def test_a_size_that_only_an_account_knows_is_refused(server: LocalServer, expression: str) -> None:
    with (
        snowflake.connector.connect(**server.connect_args()) as connection,
        pytest.raises(snowflake.connector.errors.ProgrammingError, match="not emulated"),
    ):
        connection.cursor().execute(f"SELECT SYSTEM$TYPEOF({expression}) FROM (SELECT 1 AS A, '1' AS T)")
