"""User-defined functions of SQL and Python, in queries and in Snowpark's data frames."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import FloatType, IntegerType, PandasSeries, PandasSeriesType

from sfml_local.core.errors import SqlError
from sfml_local.http.app import LocalServer
from sfml_local.processes.children import interrupt

PYTHON = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'f'"


@pytest.fixture
def numbers(session: Session) -> Iterator[str]:
    frame = session.create_dataframe([[1, "a", 1.5], [2, None, 2.5]], schema=["N", "T", "X"])
    frame.write.mode("overwrite").save_as_table("NUMBERS")
    yield "NUMBERS"


def values(session: Session, sql: str) -> list[Any]:
    return [row[0] if len(row) == 1 else tuple(row) for row in session.sql(sql).collect()]


def test_a_sql_function_takes_the_place_of_its_call(session: Session, numbers: str) -> None:
    session.sql("CREATE OR REPLACE FUNCTION plus(n INT, m INT DEFAULT 10) RETURNS INT AS 'n + m'").collect()
    session.sql("CREATE OR REPLACE FUNCTION twice(n INT) RETURNS INT AS $$ plus(n, n) * 1 $$").collect()
    session.sql("CREATE OR REPLACE FUNCTION most() RETURNS INT AS 'SELECT MAX(N) FROM NUMBERS'").collect()
    assert values(session, "SELECT twice(N + 1) FROM NUMBERS ORDER BY N") == [4, 6]
    assert values(session, "SELECT plus(1), plus(m => 1, n => 2), most(), SFML.PUBLIC.twice(4)") == [
        (11, 3, 2, 8)
    ]
    assert session.table(numbers).filter(F.call_udf("twice", F.col("N")) > 2).count() == 1


def test_a_sql_table_function_is_a_query(session: Session, numbers: str) -> None:
    session.sql(
        "CREATE OR REPLACE FUNCTION above(least INT) RETURNS TABLE (A INT, B VARCHAR) AS "
        "'SELECT N, T FROM NUMBERS WHERE N > least'"
    ).collect()
    assert values(session, "SELECT * FROM TABLE(above(0)) ORDER BY A") == [(1, "a"), (2, None)]
    assert [row.A for row in session.table_function("above", F.lit(1)).collect()] == [2]


def test_a_function_that_calls_itself_ends_in_an_error(session: Session) -> None:
    session.sql("CREATE OR REPLACE FUNCTION endless(n INT) RETURNS INT AS 'endless(n)'").collect()
    with pytest.raises(SnowparkSQLException, match="too deeply"):
        session.sql("SELECT endless(1)").collect()


TYPES = {
    "FLOAT": ("x * 2", "1.5", 3.0),
    "NUMBER(10, 2)": ("x + 1", "1.25", Decimal("2.25")),
    "BOOLEAN": ("not x", "TRUE", False),
    "DATE": ("x.replace(day=2)", "'2020-01-01'::DATE", datetime.date(2020, 1, 2)),
    "TIMESTAMP_NTZ": ("x", "'2020-01-01 01:02:03'::TIMESTAMP_NTZ", datetime.datetime(2020, 1, 1, 1, 2, 3)),
    "BINARY": ("x + b'!'", "TO_BINARY('ab', 'UTF-8')", bytearray(b"ab!")),
    "VARCHAR": ("f'{type(x).__name__}'", "NULL", "NoneType"),
    "INT": ("None", "1", None),
}


@pytest.mark.parametrize("declared", TYPES)
def test_values_come_and_go_in_their_types(session: Session, declared: str) -> None:
    code, argument, expected = TYPES[declared]
    name = f"typed_{declared.split('(')[0]}"
    session.sql(
        f"CREATE OR REPLACE FUNCTION {name}(x {declared}) RETURNS {declared} {PYTHON} AS $$f = lambda x: {code}$$"
    ).collect()
    assert values(session, f"SELECT {name}({argument})") == [expected]


def test_snowpark_registers_functions(session: Session, numbers: str) -> None:
    add = session.udf.register(
        lambda x, y: x + y, return_type=IntegerType(), input_types=[IntegerType(), IntegerType()]
    )

    @F.udf(name="upper_or_none", replace=True, session=session)
    def upper_or_none(text: str) -> str:
        return text.upper() if text else "none"

    @F.pandas_udf(session=session)
    def both(n: PandasSeries[int], x: PandasSeries[float]) -> PandasSeries[float]:
        return n + x

    frame = session.table(numbers).select(add("N", F.lit(1)), upper_or_none("T"), both("N", "X")).sort("N")
    assert list(map(tuple, frame.collect())) == [(2, "A", 2.5), (3, "none", 4.5)]
    assert values(session, "SELECT upper_or_none('b')") == ["B"]
    session.sql("CREATE OR REPLACE TABLE MADE AS SELECT upper_or_none(T) AS U FROM NUMBERS").collect()
    assert sorted(values(session, "SELECT U FROM MADE")) == ["A", "none"]


def test_a_function_made_anew_is_the_new_one(session: Session) -> None:
    for number in (1, 2):
        session.sql(
            f"CREATE OR REPLACE FUNCTION anew(x INT) RETURNS INT {PYTHON} AS 'f = lambda x: x * {number}'"
        ).collect()
        assert values(session, "SELECT anew(5)") == [5 * number]


def test_an_exception_and_a_death_are_told(session: Session) -> None:
    session.sql(
        f"CREATE OR REPLACE FUNCTION bad(x INT) RETURNS INT {PYTHON} AS 'f = lambda x: 1 // x'"
    ).collect()
    with pytest.raises(
        SnowparkSQLException, match=r"(?s)100357.*_udf_code.py.*ZeroDivisionError.*function BAD"
    ):
        session.sql("SELECT bad(0)").collect()
    assert values(session, "SELECT bad(1)") == [1]
    code = "import os\nf = lambda x: os._exit(3)"
    session.sql(f"CREATE OR REPLACE FUNCTION gone(x INT) RETURNS INT {PYTHON} AS '{code}'").collect()
    with pytest.raises(SnowparkSQLException, match="ended with exit code 3"):
        session.sql("SELECT gone(0)").collect()


def test_a_timeout_and_a_cancel_end_a_function(server: LocalServer, session: Session) -> None:
    code = "import time\ndef f(x):\n    time.sleep(60)"
    session.sql(f"CREATE OR REPLACE FUNCTION slow(x INT) RETURNS INT {PYTHON} AS '{code}'").collect()
    own = server.account.sessions.open(database="SFML", schema="PUBLIC")
    own.parameters["STATEMENT_TIMEOUT_IN_SECONDS"] = 1
    with pytest.raises(SqlError) as late:
        server.account.execute(own, "SELECT slow(1)")
    assert late.value.errno == 630
    del own.parameters["STATEMENT_TIMEOUT_IN_SECONDS"]
    caught: list[SqlError] = []

    def ask() -> None:
        with pytest.raises(SqlError) as cancelled:
            server.account.execute(own, "SELECT slow(2)")
        caught.append(cancelled.value)

    asking = threading.Thread(target=ask)
    asking.start()
    deadline = time.monotonic() + 30
    while not any(child.works_for(own) for child in tuple(server.account.children)):
        assert time.monotonic() < deadline
    interrupt(server.account, own)
    asking.join(30)
    assert [error.errno for error in caught] == [604]


def test_functions_are_shown_described_and_dropped(session: Session) -> None:
    session.sql("CREATE OR REPLACE FUNCTION shown(n INT) RETURNS INT COMMENT = 'c' AS 'n'").collect()
    (row,) = session.sql("SHOW USER FUNCTIONS LIKE 'SHOWN'").collect()
    assert (row["arguments"], row["description"], row["language"]) == (
        "SHOWN(NUMBER) RETURN NUMBER",
        "c",
        "SQL",
    )
    described = dict(map(tuple, session.sql("DESCRIBE FUNCTION shown(INT)").collect()))
    assert (described["signature"], described["body"]) == ("(N NUMBER)", "n")
    session.sql("DROP FUNCTION shown(INT)").collect()
    with pytest.raises(SnowparkSQLException, match="SHOWN"):
        session.sql("SELECT shown(1)").collect()


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("CREATE FUNCTION j() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1'", "LANGUAGE JAVASCRIPT"),
        ("CREATE AGGREGATE FUNCTION a(x INT) RETURNS INT AS 'x'", "CREATE AGGREGATE FUNCTION A"),
        (f"CREATE FUNCTION t(x INT) RETURNS TABLE () {PYTHON} AS 'x'", "RETURNS TABLE"),
    ],
)
def test_other_functions_are_refused_by_name(session: Session, sql: str, word: str) -> None:
    with pytest.raises(SnowparkSQLException, match="not emulated by the local server") as refused:
        session.sql(sql).collect()
    assert word in str(refused.value)


def test_pandas_functions_get_floats(session: Session, numbers: str) -> None:
    half = F.pandas_udf(
        lambda x: x / 2,
        return_type=PandasSeriesType(FloatType()),
        input_types=[PandasSeriesType(FloatType())],
        session=session,
        max_batch_size=1,
    )
    assert [row[0] for row in session.table(numbers).sort("N").select(half("X")).collect()] == [0.75, 1.25]


def test_settings_bound_memory_and_cores(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFML_LOCAL_PROCESS_MEMORY_MB", "600")
    monkeypatch.setenv("SFML_LOCAL_PROCESS_CORES", "1")
    for name, body in (("cores", "os.sched_getaffinity(0)"), ("bytes_of", "bytearray(n)")):
        session.sql(
            f"CREATE OR REPLACE FUNCTION {name}(n INT) RETURNS INT {PYTHON} AS $$\nimport os\n"
            f"def f(n):\n    return len({body})\n$$"
        ).collect()
    assert values(session, "SELECT cores(0), bytes_of(1000)") == [(1, 1000)]
    with pytest.raises(SnowparkSQLException, match="MemoryError"):
        session.sql("SELECT bytes_of(1073741824)").collect()
    assert values(session, "SELECT bytes_of(1000)") == [1000]


def test_a_refused_replacement_leaves_the_function(session: Session) -> None:
    session.sql("CREATE OR REPLACE FUNCTION kept(n INT) RETURNS INT AS 'n + 1'").collect()
    with pytest.raises(SnowparkSQLException, match="invalid identifier 'M'"):
        session.sql("CREATE OR REPLACE FUNCTION kept(n INT) RETURNS INT AS 'm'").collect()
    assert session.sql("SELECT kept(1)").collect()[0][0] == 2
