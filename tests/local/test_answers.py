"""What an answer tells the connector beside its rows: their format, the counts of a change, parameters."""

from __future__ import annotations

import math
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from sfml_local.http.app import LocalServer

ONE_OF_EACH = (
    "SELECT 1, 1.25::NUMBER(10, 2), 12345678901234567890123456789012345678, -0.5::FLOAT, 1e300::FLOAT, TRUE, NULL,"
    " '2024-02-29'::DATE, '12:01:02.5'::TIME, '2024-02-29 12:00:00.5'::TIMESTAMP_NTZ, '2024-01-01'::TIMESTAMP_LTZ,"
    " '2024-01-01 00:00:00+02:00'::TIMESTAMP_TZ, PARSE_JSON('{\"a\": [1]}'), ARRAY_CONSTRUCT(1),"
    " TO_BINARY('ab', 'HEX'), 'text'"
)


@pytest.mark.parametrize("name", ["QUERY_RESULT_FORMAT", "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT"])
def test_rows_are_the_same_in_both_formats(connection: SnowflakeConnection, name: str) -> None:
    cursor = connection.cursor()
    arrow = cursor.execute(ONE_OF_EACH).fetchall()  # type: ignore[union-attr]
    cursor.execute(f"ALTER SESSION SET {name} = 'JSON'")
    assert cursor.execute(ONE_OF_EACH).fetchall() == arrow  # type: ignore[union-attr]
    assert cursor._query_result_format == "json"
    [(shown,)] = cursor.execute("SELECT 'NaN'::FLOAT").fetchall()  # type: ignore[union-attr]
    assert math.isnan(shown)
    cursor.execute(f"ALTER SESSION SET {name} = 'ARROW'")
    cursor.execute(ONE_OF_EACH)
    assert cursor._query_result_format == "arrow"


def test_changes_have_counts(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()

    def counts(statement: str) -> tuple[Any, ...]:
        cursor.execute(statement)
        assert cursor.stats is not None
        return tuple(cursor.stats)

    assert counts("CREATE OR REPLACE TABLE counted (a INT)") == (None,) * 4
    assert counts("INSERT INTO counted VALUES (1), (2)") == (2, 0, 0, 0)
    assert counts("UPDATE counted SET a = 3 WHERE a = 1") == (0, 0, 1, 0)
    assert counts("DELETE FROM counted WHERE a = 99") == (None,) * 4
    merged = "MERGE INTO counted USING (SELECT 3 AS b UNION ALL SELECT 4) ON a = b"
    assert counts(f"{merged} WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (b)") == (
        1,
        1,
        0,
        0,
    )
    assert counts("SELECT 1") == (None,) * 4


def test_clients_are_told_parameters(server: LocalServer) -> None:
    given = {"CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 1, "QUERY_TAG": "told"}
    args = server.connect_args(session_parameters=given, paramstyle="qmark")
    with snowflake.connector.connect(**args) as connection:
        assert connection._session_parameters["QUERY_TAG"] == "told"
        assert connection.client_session_keep_alive is False
        cursor = connection.cursor()
        cursor.execute("ALTER SESSION SET CLIENT_PREFETCH_THREADS = 7")
        assert connection.client_prefetch_threads == 7
        cursor.execute("CREATE OR REPLACE TABLE many_bound (a INT)")
        cursor.execute("ALTER SESSION SET CLIENT_STAGE_ARRAY_BINDING_THRESHOLD = 1")
        cursor.executemany("INSERT INTO many_bound VALUES (?)", [(number,) for number in range(1000)])
        assert cursor.execute("SELECT COUNT(*) FROM many_bound").fetchall() == [(1000,)]  # type: ignore[union-attr]
        assert cursor.execute("SHOW STAGES LIKE 'SYSTEMBIND'").fetchall() == []  # type: ignore[union-attr]


def test_parameters_of_a_login_are_known_in_any_case(server: LocalServer) -> None:
    given = {"query_tag": "in lower case", "Made_up": "x"}
    with snowflake.connector.connect(**server.connect_args(session_parameters=given)) as connection:
        cursor = connection.cursor()
        rows = cursor.execute("SHOW PARAMETERS IN SESSION").fetchall()  # type: ignore[union-attr]
        shown = {row[0]: row[1] for row in rows}  # type: ignore[index]
        assert (shown["QUERY_TAG"], shown["MADE_UP"]) == ("in lower case", "x")
