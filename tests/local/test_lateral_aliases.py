"""Aliases of a SELECT list in WHERE, HAVING and QUALIFY: https://docs.snowflake.com/en/sql-reference/sql/select"""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection


def ask(connection: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall()  # type: ignore[return-value]


MADE = """CREATE OR REPLACE TABLE j AS
SELECT PARSE_JSON('{"a": "x", "n": 5}') AS v, 1 AS id, 'q' AS s, DATE '2026-01-01' AS d
UNION ALL SELECT NULL, 2, 'r', DATE '2020-01-01'"""


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT v:a::STRING AS o FROM j WHERE o = 'x'", ["x"]),
        ("SELECT UPPER(s) AS o FROM j WHERE o IN ('Q', 'Z')", ["Q"]),
        ("SELECT v:n::INT AS o FROM j WHERE o BETWEEN '2' AND '9'", [5]),
        ("SELECT TO_VARCHAR(d) AS o FROM j WHERE o > '2025'", ["2026-01-01"]),
        ("SELECT DATE_TRUNC('month', d)::VARCHAR AS m FROM j WHERE m >= '2025-01-01' GROUP BY m", ["2026-01-01"]),
        ("SELECT CASE WHEN id = 1 THEN 'a' ELSE 'b' END AS o FROM j WHERE o <> 'b'", ["a"]),
        ("SELECT v:a::STRING AS o FROM j GROUP BY o HAVING o = 'x'", ["x"]),
        ("SELECT COUNT(*) AS n FROM j HAVING n = '2'", [2]),
        ("SELECT s AS o FROM j QUALIFY RANK() OVER (ORDER BY id) = 1 AND o = 'q'", ["q"]),
        ("SELECT a.s AS o FROM j AS a JOIN j AS b ON a.id = b.id WHERE o = 'q'", ["q"]),
        ("SELECT f.value::STRING AS w FROM j, LATERAL FLATTEN(input => v) AS f WHERE w = 'x'", ["x"]),
        ("WITH c AS (SELECT s AS o FROM j), e AS (SELECT o AS p FROM c WHERE p = 'q') SELECT p FROM e", ["q"]),
        ("SELECT (SELECT UPPER(s) AS u FROM j WHERE u = 'R')", ["R"]),
        ("SELECT UPPER(s) AS o FROM j WHERE o = 'Q' UNION ALL SELECT s AS o FROM j WHERE o = 'r'", ["Q", "r"]),
        ("SELECT column1 AS c FROM VALUES ('a'), ('b') WHERE c = 'a'", ["a"]),
        ("SELECT o = 'Q', UPPER(s) AS o FROM j WHERE id = 1", [True]),
        ("SELECT CASE WHEN o IN ('Q', 'Z') THEN 1 ELSE 0 END, UPPER(s) AS o FROM j ORDER BY id", [1, 0]),
        ("SELECT UPPER(s) AS o, o AS p, p AS r FROM j WHERE r = 'Q'", ["Q"]),
        ("SELECT UPPER(s) AS o FROM j ORDER BY o = 'Q', o", ["R", "Q"]),
        ("SELECT IFF(n = '2', 'two', 'other'), COUNT(*) AS n FROM j", ["two"]),
        ("SELECT s FROM j WHERE s IN (SELECT LOWER(s) AS y FROM j WHERE y = 'q' AND UPPER(y) = 'Q')", ["q"]),
        # A column of the table comes first.
        ("SELECT s AS id FROM j WHERE id = '1'", ["q"]),
        ("SELECT 'z' AS s FROM j WHERE s = 'q'", ["z"]),
        ("SELECT TABLE_NAME AS tn FROM INFORMATION_SCHEMA.TABLES WHERE tn = 'J'", ["J"]),
    ],
)  # fmt: skip
def test_a_condition_takes_an_alias(connection: SnowflakeConnection, sql: str, rows: list[Any]) -> None:
    assert [row[0] for row in ask(connection, MADE, sql)] == rows


def test_statements_that_write_take_them_too(connection: SnowflakeConnection) -> None:
    ask(
        connection,
        MADE,
        "CREATE OR REPLACE VIEW jv AS SELECT UPPER(s) AS o FROM j WHERE o = 'Q'",
        "CREATE OR REPLACE TABLE jt AS SELECT UPPER(s) AS o FROM j WHERE o = 'Q'",
        "INSERT INTO jt SELECT UPPER(s) AS o FROM j WHERE o = 'R'",
        "DELETE FROM jt WHERE o IN (SELECT UPPER(s) AS y FROM j WHERE y = 'Q')",
    )
    assert ask(connection, "SELECT * FROM jv UNION ALL SELECT * FROM jt") == [("Q",), ("R",)]
