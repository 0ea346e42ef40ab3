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
    ],
)
def test_a_literal_has_a_type_and_a_size(server: LocalServer, expression: str, name: str) -> None:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        assert connection.cursor().execute(f"SELECT SYSTEM$TYPEOF({expression})").fetchall() == [(name,)]


def test_what_is_no_literal_is_refused(server: LocalServer) -> None:
    with (
        snowflake.connector.connect(**server.connect_args()) as connection,
        pytest.raises(snowflake.connector.errors.ProgrammingError, match="not emulated"),
    ):
        connection.cursor().execute("SELECT SYSTEM$TYPEOF(A + 1) FROM (SELECT 1 AS A)")
