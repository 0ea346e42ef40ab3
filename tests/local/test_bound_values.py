"""Values that the connector binds on the server, with `paramstyle="qmark"`."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from sfml_local.http.app import LocalServer

NOON = datetime.datetime(2026, 1, 2, 12, 30)
ZONES = ("UTC", "America/Los_Angeles", "Asia/Tokyo")


@pytest.fixture(params=ZONES)
def bound(server: LocalServer, request: pytest.FixtureRequest) -> Iterator[SnowflakeConnection]:
    args = server.connect_args(timezone=request.param, paramstyle="qmark")
    with snowflake.connector.connect(**args) as connection:
        yield connection


def wall(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(tzinfo=None)


@pytest.mark.parametrize("many", [False, True])
def test_a_time_without_a_zone_is_the_same_in_every_session(bound: SnowflakeConnection, many: bool) -> None:
    cursor = bound.cursor()
    cursor.execute("CREATE OR REPLACE TEMP TABLE moments (n TIMESTAMP_NTZ, l TIMESTAMP_LTZ)")
    insert = "INSERT INTO moments VALUES (?, ?)"
    rows: list[Any] = [(NOON, NOON), (NOON, NOON)]
    cursor.executemany(insert, rows) if many else cursor.execute(insert, rows[0])
    for shown in cursor.execute("SELECT n, l FROM moments").fetchall():
        assert [wall(one) for one in shown] == [NOON, NOON]
    assert cursor.execute("SELECT COUNT(*) FROM moments WHERE n = ?", (NOON,)).fetchall() == [(1 + many,)]


def test_its_type_is_that_without_a_zone(bound: SnowflakeConnection) -> None:
    assert bound.cursor().execute("SELECT ?", (NOON,)).fetchall() == [(NOON,)]


def test_a_moment_bound_as_one_in_the_sessions_zone_is_an_instant(bound: SnowflakeConnection) -> None:
    [(shown,)] = bound.cursor().execute("SELECT ?", (("TIMESTAMP_LTZ", NOON),)).fetchall()
    assert shown.astimezone(datetime.UTC) == NOON.replace(tzinfo=datetime.UTC)


def test_a_cursor_knows_the_formats_of_its_answer(bound: SnowflakeConnection) -> None:
    cursor = bound.cursor()
    cursor.execute("ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD.MM.YYYY'")
    cursor.execute("SELECT 1")
    assert cursor.date_output_format == "DD.MM.YYYY"
    assert cursor.timestamp_output_format == "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"
    assert cursor.binary_output_format == "HEX"


PAIRS = "SELECT * FROM VALUES (?, ?), (?, ?)"


@pytest.mark.parametrize(
    ("statement", "values", "rows"),
    [
        (f"({PAIRS}) UNION ({PAIRS})", [1, "a", 2, "b"] * 2, [(1, "a"), (2, "b")]),
        (f"({PAIRS}) INTERSECT ({PAIRS})", [1, "a", 2, "b", 1, "a", 3, "c"], [(1, "a")]),
        (f"({PAIRS}) EXCEPT ({PAIRS})", [1, "a", 2, "b", 1, "a", 3, "c"], [(2, "b")]),
        ("WITH q AS (SELECT ? AS x) SELECT x FROM q UNION ALL SELECT ? FROM q", [1, 2], [(1,), (2,)]),
        (
            "SELECT * FROM (SELECT ? AS d, ? AS jan, ? AS feb) UNPIVOT (n FOR m IN (jan, feb))",
            ["x", 1, 2],
            [("x", "JAN", 1), ("x", "FEB", 2)],
        ),
        (
            "SELECT * FROM (SELECT column1 AS n, column2 AS m FROM VALUES (?, ?), (?, ?))"
            " PIVOT (SUM(n) FOR m IN ('JAN', 'FEB'))",
            [1, "JAN", 2, "FEB"],
            [(1, 2)],
        ),
        ("SELECT column1 FROM (SELECT * FROM VALUES (?), (?)) SAMPLE (? ROWS)", [1, 1, 1], [(1,)]),
        ("SELECT COALESCE(?, ?), IFF(?, ?, 0)", [None, 2.5, True, 0.1], [(2.5, 0.1)]),
    ],
)
def test_values_of_statements_that_are_described_first(
    bound: SnowflakeConnection, statement: str, values: list[Any], rows: list[tuple[Any, ...]]
) -> None:
    assert sorted(bound.cursor().execute(statement, values).fetchall()) == sorted(rows)


def test_bound_floats_are_floats_in_expressions(bound: SnowflakeConnection) -> None:
    cursor = bound.cursor()
    cursor.execute("SELECT COALESCE(?, ?), COALESCE(?, 0)", (None, float("inf"), 0.1))
    assert (cursor.fetchall(), [one.type_code for one in cursor.description]) == (
        [(float("inf"), 0.1)],
        [1, 1],
    )


def test_described_columns_have_the_types_of_the_values(bound: SnowflakeConnection) -> None:
    described = bound.cursor().describe("SELECT ? AS t, ? AS n, ? AS f", ("x", 1, 2.5))
    assert [one.type_code for one in described] == [2, 0, 1]


@pytest.mark.parametrize("kind", ["VIEW", "TEMPORARY VIEW", "OR REPLACE VIEW"])
def test_a_view_has_no_bound_values(bound: SnowflakeConnection, kind: str) -> None:
    with pytest.raises(ProgrammingError, match="Bind variables not allowed in view and UDF definitions"):
        bound.cursor().execute(f"CREATE {kind} of_values AS SELECT * FROM VALUES (?)", (1,))


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ('SELECT "$1", "$2" FROM (SELECT * FROM VALUES (1, 2))', [(1, 2)]),
        ('SELECT q."$2" FROM (SELECT 1 AS a, 2 AS b) AS q', [(2,)]),
        ('SELECT "$2" FROM (SELECT 1 AS "$2", 5 AS b)', [(1,)]),
        ('SELECT b, a FROM (SELECT 2 AS a, 1 AS b UNION ALL SELECT 1, 2) ORDER BY "$1"', [(2, 1), (1, 2)]),
        ("SELECT b, a FROM (SELECT 2 AS a, 1 AS b UNION ALL SELECT 1, 2) ORDER BY $1", [(2, 1), (1, 2)]),
        ("SELECT b FROM (SELECT 2 AS a, 1 AS b) GROUP BY b, $1 HAVING $1 = 2", [(1,)]),
    ],
)
def test_columns_by_position_are_those_of_what_is_read(
    connection: SnowflakeConnection, statement: str, rows: list[tuple[Any, ...]]
) -> None:
    assert connection.cursor().execute(statement).fetchall() == rows


def test_a_quoted_position_names_its_column(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()
    cursor.execute("SHOW SCHEMAS")
    cursor.execute('SELECT "$1" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))')
    assert [one.name for one in cursor.description] == ["$1"]


@pytest.mark.parametrize("insert", ["INSERT INTO sized VALUES (?, ?, ?)", "INSERT INTO sized SELECT ?, ?, ?"])
@pytest.mark.parametrize("temporary", ["TEMP ", ""])
def test_bound_values_are_held_to_the_sizes_of_columns(
    server: LocalServer, insert: str, temporary: str
) -> None:
    long = ["abcd", NOON, b"\1"], ["abc", NOON, b"\1\2\3"]
    with snowflake.connector.connect(**server.connect_args(paramstyle="qmark")) as connection:
        cursor = connection.cursor()
        columns = "v VARCHAR(3), n TIMESTAMP_NTZ(0), b BINARY(2)"
        cursor.execute(f"CREATE OR REPLACE {temporary}TABLE sized ({columns})")
        cursor.execute(insert, ["abc", NOON.replace(microsecond=999999), b"\1\2"])
        cursor.executemany("INSERT INTO sized VALUES (?, ?, ?)", [["abc", NOON, None]] * 2)
        for row in long:
            with pytest.raises(ProgrammingError, match="too long and would be truncated"):
                cursor.execute(insert, row)
        with pytest.raises(ProgrammingError, match="'abcd' is too long"):
            cursor.execute("UPDATE sized SET v = ?", ["abcd"])
        assert cursor.execute("SELECT DISTINCT v, n FROM sized").fetchall() == [("abc", NOON)]
