"""Requests with several statements, as the connector sends them with `num_statements`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector import ProgrammingError
from snowflake.connector.cursor import SnowflakeCursor

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

BLOCK = "BEGIN LET x := 1; FOR i IN 1 TO 2 DO x := x + 1; END FOR; IF (x > 2) THEN RETURN x; END IF; END"


def every(cursor: SnowflakeCursor) -> list[list[Any]]:
    """The rows of each result, in order."""
    found = [cursor.fetchall()]
    while cursor.nextset() is not None:
        found.append(cursor.fetchall())
    return found


def test_each_statement_has_a_result(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor().execute("SELECT 1; SELECT 2; SELECT 'a; b';", num_statements=3)
    assert every(cursor) == [[(1,)], [(2,)], [("a; b",)]]


@pytest.mark.parametrize(
    ("sql", "actual", "desired"),
    [
        ("SELECT 1; SELECT 2", 2, None),
        ("SELECT 1; SELECT 2", 2, 3),
        ("SELECT 1", 1, 2),
        (f"SELECT 1; {BLOCK}", 2, None),
    ],
)
def test_another_count_is_refused(
    connection: SnowflakeConnection, sql: str, actual: int, desired: int | None
) -> None:
    with pytest.raises(ProgrammingError, match=f"count {actual} did not match .* count {desired or 1}") as no:
        connection.cursor().execute(sql, num_statements=desired)
    assert (no.value.errno, no.value.sqlstate) == (8, "0A000")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1;",
        "SELECT 1; -- the end",
        "SELECT ';' AS \"a;b\"",
        f"{BLOCK};",
        "DECLARE x INT; y INT; BEGIN RETURN REPEAT('a', 2); END",
        f"CREATE OR REPLACE TASK several_task AS {BLOCK}",
        "CREATE OR REPLACE TASK several_task AS DECLARE x INT; BEGIN RETURN x; END",
        f"CREATE OR REPLACE PROCEDURE several_procedure() RETURNS INT AS {BLOCK}",
        f"EXECUTE IMMEDIATE $${BLOCK}$$",
        "SELECT CASE WHEN 1 = 1 THEN REPEAT('a', 2) END",
    ],
)
def test_one_statement_is_one(connection: SnowflakeConnection, sql: str) -> None:
    connection.cursor().execute(sql)


def test_a_session_takes_any_number(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()
    cursor.execute("ALTER SESSION SET MULTI_STATEMENT_COUNT = 0")
    cursor.execute("CREATE TEMP TABLE several (a INT); BEGIN; INSERT INTO several VALUES (1); COMMIT")
    assert cursor.execute("SELECT a FROM several").fetchall() == [(1,)]


def test_bound_values_go_to_their_statements(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor().execute("SELECT %s; SELECT %s, %s", (1, 2, 3), num_statements=2)
    assert every(cursor) == [[(1,)], [(2, 3)]]


def test_statements_after_a_refused_one_do_not_run(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()
    with pytest.raises(ProgrammingError, match="NO_SUCH"):
        cursor.execute(
            "CREATE TEMP TABLE first_one (a INT); SELECT * FROM no_such; SELECT 1/0", num_statements=3
        )
    assert cursor.execute("SELECT * FROM first_one").fetchall() == []


def test_a_result_is_fetched_by_its_id(connection: SnowflakeConnection) -> None:
    done = connection.cursor().execute("SELECT 7").sfqid
    assert done is not None
    assert connection.cursor().query_result(done).fetchall() == [(7,)]
    failed = connection.cursor()
    with pytest.raises(ProgrammingError):
        failed.execute("SELECT * FROM no_such")
    assert failed.sfqid is not None
    with pytest.raises(ProgrammingError, match="NO_SUCH"):
        connection.cursor().query_result(failed.sfqid)
    with pytest.raises(ProgrammingError, match="not found"):
        connection.cursor().query_result("00000000-0000-0000-0000-000000000000")
