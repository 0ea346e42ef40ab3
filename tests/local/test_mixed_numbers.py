"""Numbers of different types in one column keep their decimal places, whatever brings them together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

from sfml_local.http.app import LocalServer

TABLES = (
    "CREATE TABLE t (n NUMBER(38, 0), m NUMBER(10, 2), k NUMBER(38, 2), i INT, s VARCHAR, d DATE)",
    "INSERT INTO t VALUES (2, 1.5, 4.44, 3, 'x', '2024-01-01')",
    "CREATE TABLE u (n NUMBER(38, 0), x NUMBER(38, 4))",
    "INSERT INTO u VALUES (1, 0.0001)",
)
CHOICES = {
    "IFF(n > 5, n, 1.5)": "1.5",
    "IFF(n > 1, 1.5, n)": "1.5",
    "IFF(n > 5, n, m)": "1.50",
    "CASE WHEN n > 5 THEN n WHEN n > 1 THEN m ELSE NULL END": "1.50",
    "CASE n WHEN 2 THEN 1.5 ELSE n END": "1.5",
    "CASE WHEN n = 1 THEN n WHEN n = 3 THEN k ELSE 0.005 END": "0.005",
    "COALESCE(NULL, NULLIF(n, 2), m)": "1.50",
    "COALESCE(NULLIF(n, 2), '1.5')": "1.5",
    "NVL(NULLIF(n, 2), 1.5)": "1.5",
    "IFNULL(NULLIF(n, 2), m)": "1.50",
    "ZEROIFNULL(IFF(n > 5, n, 1.5))": "1.5",
    "DECODE(n, 1, n, 2, m)": "1.50",
    "DECODE(n, 1, n, 2.5)": "2.5",
    "GREATEST(1::NUMBER, m, 1.55)": "1.55",
    "LEAST(n, m)": "1.50",
    "LEAST(k, 0.005)": "0.005",
    "NVL2(n, m, n)": "1.50",
    "NVL2(NULL, n, m)": "1.50",
    "IFF(n > 5, n, IFF(n > 6, m, 0.005))": "0.005",
    "COALESCE(IFF(n > 5, n, NULL), GREATEST(m, k), 0.12345)": "4.44000",
    "LAG(n, 1, 1.5) OVER (ORDER BY i)": "1.5",
    "LEAD(n, 1, m) OVER (ORDER BY i)": "1.50",
    "SUM(IFF(n > 5, n, 1.5)) OVER (PARTITION BY i)": "1.5",
    "(SELECT COALESCE(NULLIF(t.n, 2), u.x) FROM u)": "0.0001",
    "(SELECT MIN(a) FROM (SELECT t.n AS a UNION ALL SELECT u.x FROM u))": "0.0001",
    "(SELECT MIN(a) FROM (SELECT t.n AS a UNION ALL SELECT u.x FROM u WHERE u.n < t.i))": "0.0001",
}
"""Expression over the row of T → its value."""
QUERIES = {
    "SELECT n FROM t UNION ALL SELECT m FROM t": ["2.00", "1.50"],
    "SELECT n FROM t UNION SELECT m FROM t UNION SELECT 0.005 ORDER BY 1": ["0.005", "1.500", "2.000"],
    "SELECT n FROM t EXCEPT SELECT m FROM t": ["2.00"],
    "SELECT n FROM t INTERSECT SELECT m FROM t": [],
    "SELECT 1::NUMBER AS a UNION ALL BY NAME SELECT 1.5 AS a": ["1.0", "1.5"],
    "(SELECT n FROM t LIMIT 1) UNION ALL (SELECT m FROM t LIMIT 1)": ["2.00", "1.50"],
    "SELECT a FROM (SELECT n AS a FROM t UNION ALL SELECT m FROM t) WHERE a < 1.6": ["1.50"],
    "WITH c AS (SELECT n AS a FROM t UNION ALL SELECT m FROM t) SELECT SUM(a) FROM c": ["3.50"],
    "WITH c AS (SELECT n AS a FROM t UNION ALL SELECT m FROM t) SELECT a FROM c UNION ALL SELECT 0.0001": [
        *("2.0000", "1.5000", "0.0001")
    ],
    "WITH RECURSIVE c AS (SELECT n AS a FROM u UNION ALL SELECT a + 0.5 FROM c WHERE a < 2) SELECT a FROM c": [
        *("1.0", "1.5", "2.0")
    ],
    "WITH RECURSIVE c AS (SELECT 1 AS a UNION ALL SELECT a + 0.5 FROM c WHERE a < 2) SELECT a FROM c": [
        *("1.0", "1.5", "2.0")
    ],
    "SELECT SUM(m) FROM t UNION ALL SELECT AVG(x) FROM u": ["1.5000000000", "0.0001000000"],
    "SELECT * FROM VALUES (1::NUMBER), (1.5)": ["1.0", "1.5"],
    "SELECT COUNT(*) FROM t WHERE n IN (SELECT m FROM t)": ["0"],
    "SELECT COUNT(*) FROM t WHERE n NOT IN (SELECT m FROM t)": ["1"],
    "SELECT COUNT(*) FROM t WHERE n = ANY (SELECT m FROM t)": ["0"],
    "SELECT COUNT(*) FROM t AS a WHERE a.n IN (SELECT m FROM t AS b WHERE b.i = a.i)": ["0"],
    "SELECT v FROM t UNPIVOT (v FOR name IN (m, k)) ORDER BY 1": ["1.50", "4.44"],
    "SELECT v FROM (SELECT n::NUMBER(10, 2) AS n, m FROM t) UNPIVOT (v FOR name IN (n, m)) ORDER BY 1": [
        *("1.50", "2.00")
    ],
    "SELECT COALESCE(SUM(m), 0.005) + 0.001 FROM t": ["1.501"],
    "SELECT COALESCE(NULLIF(SUM(n), 2), AVG(m)) FROM t": ["1.50000000"],
    "SELECT COALESCE(NULLIF(n, 2), m) FROM t GROUP BY COALESCE(NULLIF(n, 2), m)": ["1.50"],
}
"""Query → the values of its only column."""
UNTOUCHED = {
    "IFF(n > 5, n, 1)": (38, 0),
    "COALESCE(m, 0)": (12, 2),
    "COALESCE(m, m)": (10, 2),
    "COALESCE(m, i)": (38, 2),
    "COALESCE(k, m)": (38, 2),
}
"""Expression → its precision and scale, which no number needed to be wider for."""


@pytest.fixture(scope="module")
def rows(server: LocalServer) -> Iterator[snowflake.connector.SnowflakeConnection]:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        for statement in TABLES:
            connection.cursor().execute(statement)
        yield connection


def answer(connection: snowflake.connector.SnowflakeConnection, sql: str) -> list[Any]:
    return [row[0] for row in connection.cursor().execute(sql) or ()]


def texts(values: list[Any]) -> list[str]:
    return [str(value) for value in values]


@pytest.mark.parametrize("expression", CHOICES)
def test_a_choice_keeps_the_places(rows: snowflake.connector.SnowflakeConnection, expression: str) -> None:
    assert texts(answer(rows, f"SELECT {expression} FROM t")) == [CHOICES[expression]]


@pytest.mark.parametrize("expression", CHOICES)
def test_it_is_described_and_stored_as_it_is_answered(
    rows: snowflake.connector.SnowflakeConnection, expression: str
) -> None:
    cursor = rows.cursor()
    told = cursor.describe(f"SELECT {expression} FROM t")[0]
    cursor.execute(f"CREATE OR REPLACE TABLE stored AS SELECT {expression} AS a FROM t")
    cursor.execute(f"CREATE OR REPLACE VIEW seen AS SELECT {expression} AS a FROM t")
    assert (
        texts(answer(rows, "SELECT a FROM stored UNION ALL SELECT a FROM seen")) == [CHOICES[expression]] * 2
    )
    assert [row[1] for row in cursor.execute("DESCRIBE TABLE stored") or ()] == [
        f"NUMBER({told.precision},{told.scale})"
    ]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_keeps_the_places(rows: snowflake.connector.SnowflakeConnection, sql: str) -> None:
    assert texts(answer(rows, sql)) == QUERIES[sql]


@pytest.mark.parametrize("expression", UNTOUCHED)
def test_a_type_is_no_wider_than_it_must_be(
    rows: snowflake.connector.SnowflakeConnection, expression: str
) -> None:
    told = rows.cursor().describe(f"SELECT {expression} FROM t")[0]
    assert (told.precision, told.scale) == UNTOUCHED[expression]


def test_changes_keep_the_places(rows: snowflake.connector.SnowflakeConnection) -> None:
    cursor = rows.cursor()
    cursor.execute("CREATE OR REPLACE TABLE changed (n NUMBER(38, 0), m NUMBER(10, 2))")
    cursor.execute("INSERT INTO changed SELECT n, IFF(n > 5, n, 1.25) FROM t")
    assert answer(rows, "SELECT m FROM changed") == [Decimal("1.25")]
    cursor.execute("UPDATE changed SET m = IFF(n > 5, n, 1.75)")
    assert answer(rows, "SELECT m FROM changed") == [Decimal("1.75")]
    cursor.execute(
        "MERGE INTO changed c USING u ON c.n = u.n + 1 WHEN MATCHED THEN UPDATE SET m = LEAST(c.n, x)"
    )
    assert answer(rows, "SELECT m FROM changed") == [Decimal("0.00")]
    cursor.execute(
        "MERGE INTO changed c USING u ON c.n = 2 WHEN MATCHED THEN UPDATE SET m = LEAST(c.n, 1.25)"
    )
    assert answer(rows, "SELECT m FROM changed") == [Decimal("1.25")]
    cursor.execute("DELETE FROM changed WHERE IFF(n > 5, n, 1.5) = 1.5")
    assert answer(rows, "SELECT m FROM changed") == []


def test_a_bound_value_keeps_its_places(rows: snowflake.connector.SnowflakeConnection) -> None:
    cursor = rows.cursor()
    cursor.execute("SELECT IFF(n > 5, n, %s) FROM t", (Decimal("1.5"),))
    assert cursor.fetchall() == [(Decimal("1.5"),)]


def test_many_branches_keep_the_places(rows: snowflake.connector.SnowflakeConnection) -> None:
    branches = " ".join(f"WHEN i = {number} THEN n + {number} * i" for number in range(100, 250))
    sql = f"SELECT CASE {branches} WHEN i = 3 THEN m ELSE n END FROM t"
    assert answer(rows, sql) == [Decimal("1.50")]


def test_a_transaction_outlives_a_query_that_is_described_in_parts(
    rows: snowflake.connector.SnowflakeConnection,
) -> None:
    cursor = rows.cursor()
    cursor.execute("CREATE OR REPLACE TABLE kept (a INT)")
    cursor.execute("BEGIN")
    cursor.execute("INSERT INTO kept VALUES (1)")
    answer(
        rows,
        "SELECT (SELECT MIN(a) FROM (SELECT t.n AS a UNION ALL SELECT u.x FROM u WHERE u.n < t.i)) FROM t",
    )
    cursor.execute("COMMIT")
    assert answer(rows, "SELECT a FROM kept") == [1]


def test_what_has_no_room_for_its_places_is_an_error(rows: snowflake.connector.SnowflakeConnection) -> None:
    with pytest.raises(ProgrammingError, match="out of range"):
        answer(rows, "SELECT IFF(TRUE, 99999999999999999999999999999999999999::NUMBER, x) FROM u")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM t WHERE (n, m) IN (SELECT m, n FROM t)",
        "WITH RECURSIVE c AS (SELECT 1.5 AS a UNION ALL SELECT a * 0.5 FROM c WHERE a > 0.1) SELECT a FROM c",
        "SELECT v FROM t UNPIVOT (v FOR name IN (n, m))",
        "SELECT v FROM t UNPIVOT INCLUDE NULLS (v FOR name IN (n AS 'a', m AS 'b'))",
        "WITH c AS (SELECT n, m FROM t) SELECT v FROM c AS d UNPIVOT (v FOR name IN (m, n))",
        "SELECT v FROM (SELECT n, m FROM t) UNPIVOT (v FOR name IN (m, n))",
        "MERGE INTO u USING (SELECT v FROM t UNPIVOT (v FOR c IN (n, m))) ON u.n = v WHEN MATCHED THEN DELETE",
    ],
)
def test_what_is_not_known_is_refused(rows: snowflake.connector.SnowflakeConnection, sql: str) -> None:
    with pytest.raises(ProgrammingError, match="not emulated by the local server"):
        answer(rows, sql)


def test_rows_of_a_stage_have_remainders_and_quotients(rows: snowflake.connector.SnowflakeConnection) -> None:
    """DuckDB tells no plan of a query that reads them, so it is taken for one that may mix numbers."""
    cursor = rows.cursor()
    for statement in (
        "CREATE OR REPLACE TEMPORARY STAGE staged",
        "CREATE OR REPLACE TEMPORARY FILE FORMAT columns TYPE = PARQUET",
        "COPY INTO @staged/x FROM (SELECT 5 AS a) FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE",
    ):
        cursor.execute(statement)
    read = "(SELECT $1:\"A\"::NUMBER(38, 0) AS a FROM @staged/x (FILE_FORMAT => 'columns'))"
    cursor.execute(f"SELECT a % 3::INT, 7 % 4::INT, a / 3 FROM {read}")
    assert cursor.fetchall() == [(2, 3, Decimal("1.666667"))]
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="Division by zero"):
        cursor.execute(f"SELECT a % 0::INT FROM {read}")
