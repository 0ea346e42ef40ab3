"""Types and texts of what SQL computes: NUMBER through `/` and AVG, DATE through DATE_TRUNC, floats as text."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.http.app import LocalServer
from sfml_steps.results import as_read

TABLE = """
CREATE OR REPLACE TABLE N (A NUMBER(10,2), I INT, W NUMBER(38,12), F FLOAT, T VARCHAR, D DATE, TS TIMESTAMP)
"""
ROWS = """
INSERT INTO N VALUES (1, 3, 7, 2.5, '5', '2024-01-07', '2024-01-07 10:11:12.5'),
                     (2, 4, 7, 100, '6', '2024-02-09', '2024-02-09')
"""


@pytest.fixture(scope="module")
def numbers(server: LocalServer) -> Iterator[Session]:
    with Session.builder.configs(server.connect_args()).create() as session:
        session.sql(TABLE).collect()
        session.sql(ROWS).collect()
        yield session


def first(session: Session, sql: str) -> Any:
    return session.sql(sql).collect()[0][0]


@pytest.mark.parametrize(
    ("expression", "scale", "value"),
    [
        ("1 / 3", 6, "0.333333"),
        ("AVG(A)", 8, "1.50000000"),
        ("AVG(I)", 6, "3.500000"),
        ("AVG(W)", 12, "7.000000000000"),
        ("AVG(DISTINCT A)", 8, "1.50000000"),
        ("SUM(A) / 3", 8, "1.00000000"),
        ("MAX(W) / 3", 12, "2.333333333333"),
        ("MAX(I) / MIN(A)", 6, "4.000000"),
        ("MAX(A) / MAX(I) / 2 / 5", 12, "0.050000000000"),
        ("AVG(A) * AVG(A) * AVG(A) * AVG(A) * AVG(A)", 12, "7.593750000000"),
        ("SUM(IFF(A > 1, 1, 0)) / COUNT(*)", 6, "0.500000"),
        ("IFF(COUNT(*) = 0, SUM(A), SUM(A) / 7)", 8, "0.42857143"),
        ("COALESCE(SUM(A) / 7, SUM(A), 0)", 8, "0.42857143"),
        ("DIV0(SUM(A), 0)", 8, "0E-8"),
        ("MEDIAN(A)", 5, "1.50000"),
        ("MEDIAN(I)", 3, "3.500"),
        ("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY A)", 5, "1.50000"),
        ("ROUND(AVG(A), 1)", 1, "1.5"),
    ],
)
def test_numbers_stay_numbers(numbers: Session, expression: str, scale: int, value: str) -> None:
    frame = numbers.sql(f"SELECT {expression} AS X FROM N")
    kind: Any = frame.schema.fields[0].datatype
    assert (kind.simple_string()[:7], kind.scale) == ("decimal", scale)
    answer = frame.collect()[0][0]
    assert isinstance(answer, Decimal)
    assert str(answer) == value
    numbers.sql(f"CREATE OR REPLACE TABLE O AS SELECT {expression} AS X FROM N").collect()
    assert f",{scale})" in str(numbers.sql("DESCRIBE TABLE O").collect()[0]["type"])


@pytest.mark.parametrize(
    "expression", ["AVG(F)", "SUM(A) / MAX(F)", "MAX(F) / 2", "MEDIAN(F)", "AVG(T)", "SUM(T)"]
)
def test_what_is_made_of_a_float_or_a_text_is_a_float(numbers: Session, expression: str) -> None:
    assert isinstance(first(numbers, f"SELECT {expression} FROM N"), float)


def test_a_window_and_a_subquery_keep_them(numbers: Session) -> None:
    assert first(numbers, "SELECT AVG(A) OVER (ORDER BY I) FROM N ORDER BY I") == Decimal("1.00000000")
    assert first(numbers, "WITH R AS (SELECT A / I AS Q FROM N) SELECT AVG(Q) FROM R") == Decimal(
        "0.416666665000"
    )
    numbers.sql(
        "CREATE OR REPLACE VIEW V AS SELECT AVG(A) / 2 AS X, DATE_TRUNC('MONTH', MIN(D)) AS Y FROM N"
    ).collect()
    assert numbers.table("V").collect() == [(Decimal("0.750000000000"), datetime.date(2024, 1, 1))]


def test_dates_stay_dates(numbers: Session) -> None:
    truncated = "DATE_TRUNC('MONTH', D), TRUNC(D, 'MONTH'), DATE_TRUNC('WEEK', D), DATE_TRUNC('HOUR', TS)"
    row = numbers.sql(f"SELECT {truncated} FROM N ORDER BY D").collect()[0]
    month = datetime.date(2024, 1, 1)
    assert row == (month, month, month, datetime.datetime(2024, 1, 7, 10))
    assert type(row[0]) is datetime.date


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("100::FLOAT::STRING", "100"),
        ("'id_' || 5::FLOAT", "id_5"),
        ("TO_VARCHAR(MAX(F))", "100"),
        ("MIN(F)::VARCHAR", "2.5"),
        ("CONCAT(MAX(F), '%')", "100%"),
        ("(MAX(F) * 10) || ''", "1000"),
        ("AVG(A)::VARCHAR", "1.50000000"),
        ("MIN(TS)::VARCHAR", "2024-01-07 10:11:12.500"),
        ("MAX(TS) || ''", "2024-02-09 00:00:00.000"),
        ("MIN(D)::VARCHAR", "2024-01-07"),
        ("'2024-01-01 02:03:04 +0000'::TIMESTAMP_TZ::VARCHAR", "2024-01-01 02:03:04.000 +0000"),
        ("MAX(T) || 'x'", "6x"),
    ],
)
def test_texts_are_those_of_snowflake(numbers: Session, expression: str, text: str) -> None:
    assert first(numbers, f"SELECT {expression} FROM N") == text


@pytest.mark.parametrize(
    ("sql", "errno", "words"),
    [
        ("SELECT 1 / 0", 100051, "Division by zero"),
        ("SELECT F / (I - 3) FROM N", 100051, "Division by zero"),
        ("SELECT SQRT(-1)", 100038, "Invalid floating point operation: sqrt(-1)"),
        ("SELECT LN(0)", 100038, "Invalid floating point operation: ln(0)"),
    ],
)
def test_what_has_no_value_is_refused(
    numbers: Session, connection: SnowflakeConnection, sql: str, errno: int, words: str
) -> None:
    with pytest.raises(ProgrammingError) as refused:
        connection.cursor().execute(sql)
    assert refused.value.errno == errno
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "expression",
    [
        *("SUM(nope)", "AVG(N.nope)", "MEDIAN(nope + 1)", "VARIANCE(nope)", "TO_DOUBLE(nope)", "nope::FLOAT"),
        *("TRY_TO_DOUBLE(nope)", "TO_NUMBER(nope)", "nope::DATE", "nope::BOOLEAN", "COALESCE(nope, 1)"),
    ],
)
def test_a_column_that_is_not_there_is_named(numbers: Session, expression: str) -> None:
    with pytest.raises(SnowparkSQLException, match=r"invalid identifier '(N\.)?NOPE'"):
        numbers.sql(f"SELECT {expression} FROM N").collect()


def test_a_division_that_is_not_reached_is_not_refused(numbers: Session) -> None:
    assert first(numbers, "SELECT IFF(I = 3, 0, A / (I - 3)) FROM N ORDER BY I") == 0
    assert first(numbers, "SELECT A / NULLIF(0, 0) FROM N") is None


def test_snowpark_and_pandas_get_the_same(numbers: Session) -> None:
    frame = numbers.table("N").select(F.avg("A").alias("M"), (F.sum("A") / F.lit(3)).alias("Q"))
    assert [str(field.datatype) for field in frame.schema.fields] == [
        "DecimalType(28, 8)",
        "DecimalType(38, 8)",
    ]
    assert frame.to_pandas().iloc[0].tolist() == [1.5, 1.0]
    row = frame.collect()[0]
    assert as_read(row) == {"M": 1.5, "Q": 1.0}


BOUND: tuple[tuple[str, list[Any], Any], ...] = (
    ("SELECT A / ?, TO_CHAR(D, ?) FROM N WHERE A = ?", [2, "YYYY", 1], (Decimal("0.50000000"), "2024")),
    ("SELECT ?::INT, TO_DATE(?, 'DD.MM.YYYY')", ["5", "07.01.2024"], (5, datetime.date(2024, 1, 7))),
    ("SELECT COUNT(*) FROM N WHERE D > ? AND A IN (?, ?)", ["2024-01-01", 1, 2], (2,)),
    (
        "SELECT DATEADD(DAY, ?, D), IFF(A > ?, ?, ?) FROM N WHERE A = 1",
        [3, 0, "b", "s"],
        (datetime.date(2024, 1, 10), "b"),
    ),
    ("SELECT PARSE_JSON(?):k = ?", ['{"k": 1}', 1], (True,)),
)


@pytest.mark.parametrize(("sql", "bound", "answer"), BOUND)
def test_bound_values_are_values(numbers: Session, sql: str, bound: list[Any], answer: Any) -> None:
    assert tuple(numbers.sql(sql, params=bound).collect()[0]) == answer


def test_bound_values_are_left_as_they_are(server: LocalServer, numbers: Session) -> None:
    rows = numbers.sql("SELECT AVG(A) FROM N WHERE A > ? AND A / ? > 0", params=[1, 2]).collect()
    assert rows == [(Decimal("2.00000000"),)]


LONG = "COALESCE(NULLIF(GREATEST(I + F * 2.0 - A, 0), 7.25), ABS(LEAST(I, F)) + ROUND(F, 1))"
DAYS = "IFF(A > 1, DATEADD('day', 1, TS), DATEADD('hour', I, TS)), NULLIF(TS, DATEADD('day', 2, TS))"
LONG_MOMENT = f"COALESCE(TS, {DAYS})"


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        (f"I || ':' || {LONG}", ["3:7", "4:202"]),
        (f"TO_CHAR({LONG})", ["7", "202"]),
        (f"A || ':' || SUM({LONG}) OVER (PARTITION BY A ORDER BY {LONG}::STRING)", ["1.00:7", "2.00:202"]),
        (f"{LONG_MOMENT}::STRING", ["2024-01-07 10:11:12.500", "2024-02-09 00:00:00.000"]),
    ],
)
def test_a_long_value_has_the_same_text(numbers: Session, expression: str, texts: list[str]) -> None:
    """It is bound once: with a copy for each type that it may have, a text in a text was too large to be typed."""
    assert [row[0] for row in numbers.sql(f"SELECT {expression} FROM N ORDER BY A").collect()] == texts
    grouped = f"SELECT {expression} AS X, COUNT(*) FROM N GROUP BY ALL ORDER BY X"
    if "OVER" not in expression:
        assert sorted(row[0] for row in numbers.sql(grouped).collect()) == sorted(texts)
