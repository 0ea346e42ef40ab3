"""Columns that are not there: what the error shows of them, and where it says they are."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError


def ask(connection: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall()  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("sql", "line", "position", "shown"),
    [
        ("SELECT t.nope FROM t", 1, 7, "T.NOPE"),
        ("SELECT A,\n\tu.nope FROM t", 2, 1, "U.NOPE"),
        ('SELECT "no" FROM t', 1, 7, '"no"'),
        ('SELECT t."No pe" FROM t', 1, 7, 'T."No pe"'),
        ("SELECT nope(1), nope FROM t", 1, 16, "NOPE"),
        ("SELECT A AS nope FROM t WHERE t.nope = 1", 1, 30, "T.NOPE"),
        ("SELECT 'nope', nope FROM t", 1, 15, "NOPE"),
        ("SELECT $7 FROM VALUES (1)", 1, 7, "$7"),
        ("SELECT * EXCLUDE (nope) FROM t", 1, 18, "NOPE"),
        ("SELECT A FROM t QUALIFY nope = 1", 1, 24, "NOPE"),
        ("SELECT x.nope FROM t, LATERAL FLATTEN(t.v) x", 1, 7, "X.NOPE"),
        ("SELECT A FROM t WHERE nope = 'x'", 1, 22, "NOPE"),
        ("SELECT A FROM t WHERE t.nope IN ('x', 'y')", 1, 22, "T.NOPE"),
        ("SELECT A AS b FROM t WHERE b = 1 AND nope = 'x'", 1, 37, "NOPE"),
        ("SELECT nope = 'a' AS nope FROM t", 1, 7, "NOPE"),
        ("SELECT CASE nope WHEN 'a' THEN 1 END FROM t", 1, 12, "NOPE"),
        ("SELECT nope:a::INT FROM t", 1, 7, "NOPE"),
        ("DELETE FROM t WHERE nope = 'x'", 1, 20, "NOPE"),
        ("UPDATE t SET A = 2 FROM t AS s WHERE s.nope = 'x'", 1, 37, "S.NOPE"),
        ("INSERT INTO t (A) SELECT A FROM t WHERE nope = 'x'", 1, 40, "NOPE"),
        ("CREATE TABLE w AS SELECT A FROM t WHERE nope = 'x'", 1, 40, "NOPE"),
        ("MERGE INTO t USING t AS s ON s.nope = 'x' WHEN MATCHED THEN DELETE", 1, 29, "S.NOPE"),
        ("INSERT INTO t (nope) VALUES (1)", 1, 15, "NOPE"),
        ("UPDATE t SET nope = 1", 1, 13, "NOPE"),
        ("DELETE FROM t WHERE nope = 1", 1, 20, "NOPE"),
        ("MERGE INTO t USING t AS s ON t.A = s.nope WHEN MATCHED THEN DELETE", 1, 35, "S.NOPE"),
        ("CREATE VIEW w AS SELECT nope FROM t", 1, 24, "NOPE"),
        ("CREATE TABLE w AS SELECT SFML.PUBLIC.t.nope FROM t", 1, 25, "SFML.PUBLIC.T.NOPE"),
    ],
)
def test_unknown_columns_are_placed(
    connection: SnowflakeConnection, sql: str, line: int, position: int, shown: str
) -> None:
    ask(
        connection,
        "CREATE OR REPLACE FUNCTION nope(x INT) RETURNS INT AS 'x'",
        "CREATE OR REPLACE TABLE t (A INT, v VARIANT)",
    )
    with pytest.raises(ProgrammingError) as refused:
        ask(connection, sql)
    assert refused.value.errno == 904
    assert str(refused.value.raw_msg).endswith(
        f"error line {line} at position {position}\ninvalid identifier '{shown}'"
    )


@pytest.mark.parametrize(
    ("sql", "errno", "words"),
    [
        ("SELECT * FROM nowhere.t", 2003, "Schema 'SFML.NOWHERE'"),
        ("SELECT * FROM nowhere.s.t", 2003, "Database 'NOWHERE'"),
        ("SELECT * FROM PUBLIC.nothing", 2003, "Object 'SFML.PUBLIC.NOTHING'"),
        ("SELECT * FROM nothing", 2003, "Object 'NOTHING'"),
        ("INSERT INTO SFML.PUBLIC.t (A, a) VALUES (1, 2)", 2025, "duplicate column name 'A'"),
        ("UPDATE t SET A = 1, t.a = 2", 2025, "duplicate column name 'A'"),
        ("INSERT INTO nowhere.t VALUES (1)", 2003, "Schema 'SFML.NOWHERE'"),
        ("UPDATE nowhere.t SET a = 1", 2003, "Schema 'SFML.NOWHERE'"),
        ("CREATE VIEW w AS SELECT * FROM nowhere.s.t", 2003, "Database 'NOWHERE'"),
        ("SELECT nothing.NEXTVAL", 904, "error line 1 at position 7\ninvalid identifier 'NOTHING.NEXTVAL'"),
        ("SELECT a.b.f(1)", 2140, "Unknown user-defined function A.B.F"),
        ("SELECT SNOWFLAKE.CORTEX.SENTIMENT('x')", 2, "not emulated.*function SNOWFLAKE.CORTEX.SENTIMENT"),
    ],
)
def test_missing_places_are_told_first(
    connection: SnowflakeConnection, sql: str, errno: int, words: str
) -> None:
    with pytest.raises(ProgrammingError, match=words) as refused:
        ask(connection, sql)
    assert refused.value.errno == errno
