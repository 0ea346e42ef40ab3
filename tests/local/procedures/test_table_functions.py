"""Table functions and aggregate functions in Python, in SQL and from Snowpark."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pytest
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import (
    FloatType,
    IntegerType,
    PandasDataFrameType,
    StringType,
    StructField,
    StructType,
)

HEAD = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
TOTALS = """
class Totals:
    def __init__(self):
        self.total = 0
    def process(self, n, t):
        self.total += n
        yield (n, f'{t}{n}', self.total)
    def end_partition(self):
        yield (None, 'end', self.total)
"""


@pytest.fixture(scope="module")
def session(server: Any) -> Iterator[Session]:
    with Session.builder.configs(server.connect_args()).create() as session:
        rows = [["a", 1], ["b", 10], ["a", 2], ["b", 20], ["a", 3]]
        session.create_dataframe(rows, schema=["K", "N"]).write.save_as_table("SOLD")
        session.sql(
            f"CREATE FUNCTION totals(n INT, t VARCHAR) RETURNS TABLE (N INT, T VARCHAR, TOTAL INT)"
            f" {HEAD} HANDLER = 'Totals' AS $${TOTALS}$$"
        ).collect()
        yield session


def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.sql(sql).collect()]


def refusal(session: Session, sql: str) -> str:
    with pytest.raises(SnowparkSQLException) as refused:
        session.sql(sql).collect()
    return str(refused.value)


# -- table functions


def test_each_partition_has_an_instance_and_keeps_its_keys(session: Session) -> None:
    answer = rows(
        session,
        "SELECT s.K, s.N, x.T, x.TOTAL FROM SOLD s, TABLE(totals(s.N, s.K) OVER (PARTITION BY s.K ORDER BY s.N)) x",
    )
    assert answer == [
        *(("a", 1, "a1", 1), ("a", 2, "a2", 3), ("a", 3, "a3", 6), ("a", None, "end", 6)),
        *(("b", 10, "b10", 10), ("b", 20, "b20", 30), ("b", None, "end", 30)),
    ]


def test_without_partitions_all_rows_are_one(session: Session) -> None:
    sql = "SELECT MAX(x.TOTAL), COUNT(*), COUNT(s.K) FROM SOLD s, TABLE(totals(s.N, 'x')) x"
    assert rows(session, sql) == [(36, 6, 5)]
    empty = (
        "SELECT * FROM (SELECT * FROM SOLD WHERE N > 99) s, TABLE(totals(s.N, s.K) OVER (PARTITION BY s.K))"
    )
    assert rows(session, empty) == []


def test_constants_need_no_table(session: Session) -> None:
    assert rows(session, "SELECT * FROM TABLE(totals(t => 'c', n => 1 + 1))") == [
        (2, "c2", 2),
        (None, "end", 2),
    ]
    joined = "SELECT s.N, x.T FROM SOLD s JOIN TABLE(totals(2, 'c')) x ON x.N = s.N"
    assert rows(session, joined) == [(2, "c2")]
    assert [row.T for row in session.table_function("totals", F.lit(7), F.lit("z")).collect()] == [
        "z7",
        "end",
    ]


def test_values_come_and_go_in_their_types(session: Session) -> None:
    body = "class Same:\n    def process(self, v, a, d, b, x):\n        yield (v['k'], a + [1], d, b, x)"
    session.sql(
        "CREATE OR REPLACE FUNCTION same(v VARIANT, a ARRAY, d DATE, b BINARY, x NUMBER(10, 2)) RETURNS TABLE"
        f" (V VARIANT, A ARRAY, D DATE, B BINARY, X NUMBER(10, 2)) {HEAD} HANDLER = 'Same' AS $${body}$$"
    ).collect()
    (row,) = rows(
        session,
        "SELECT * FROM TABLE(same(PARSE_JSON('{\"k\": {\"z\": null}}'), [0], '2024-02-29'::DATE,"
        " TO_BINARY('AB'), 1.25))",
    )
    assert (json.loads(row[0]), json.loads(row[1]), str(row[2]), bytes(row[3]), str(row[4])) == (
        {"z": None},
        [0, 1],
        "2024-02-29",
        b"\xab",
        "1.25",
    )


def test_snowpark_registers_table_functions(session: Session) -> None:
    class Words:
        def process(self, text: str) -> Iterable[tuple[str, int]]:
            for word in text.split():
                yield word, len(word)

    words = session.udtf.register(Words, output_schema=["WORD", "SIZE"], input_types=[StringType()])
    assert [tuple(row) for row in session.table_function(words(F.lit("to be"))).collect()] == [
        ("to", 2),
        ("be", 2),
    ]
    frame = session.table("SOLD").filter(F.col("N") < 3)
    joined = frame.join_table_function(words(F.concat(F.lit("of "), F.col("K"))).alias("W", "S"))
    assert sorted(map(tuple, joined.collect())) == [
        ("a", 1, "a", 1),
        ("a", 1, "of", 2),
        ("a", 2, "a", 1),
        ("a", 2, "of", 2),
    ]
    assert joined.schema.names == ["K", "N", "W", "S"]


def test_vectorized_ones_get_data_frames(session: Session) -> None:
    class Summary:
        def end_partition(self, df: pd.DataFrame) -> pd.DataFrame:
            assert list(df.columns) == ["K", "N"]
            return pd.DataFrame({"K": [df["K"].iloc[0]], "SUM": [df["N"].sum()]})

    summary = session.udtf.register(
        Summary,
        output_schema=StructType([StructField("KEY", StringType()), StructField("TOTAL", FloatType())]),
        input_types=[PandasDataFrameType([StringType(), IntegerType()])],
        input_names=["K", "N"],
        packages=["pandas"],
    )
    frame = session.table("SOLD")
    answer = frame.join_table_function(summary("K", "N").over(partition_by="K")).select("KEY", "TOTAL")
    assert sorted(map(tuple, answer.collect())) == [("a", 6.0), ("b", 30.0)]
    body = (
        "import pandas as pd\nfrom _snowflake import vectorized\nclass Twice:\n"
        "    @vectorized(input=pd.DataFrame, max_batch_size=2)\n"
        "    def process(self, df):\n        assert len(df) <= 2\n        return (df['N'] * 2, df['N'] + 1)\n"
    )
    session.sql(
        f"CREATE FUNCTION twice(n INT) RETURNS TABLE (D INT, P INT) {HEAD} PACKAGES = ('pandas')"
        f" HANDLER = 'Twice' AS $${body}$$"
    ).collect()
    sql = "SELECT s.N, x.D, x.P FROM SOLD s, TABLE(twice(s.N)) x ORDER BY s.N"
    assert rows(session, sql) == [(n, 2 * n, n + 1) for n in (1, 2, 3, 10, 20)]


def test_groups_are_applied_to_pandas(session: Session) -> None:
    def least(df: pd.DataFrame) -> pd.DataFrame:
        return df.nsmallest(1, "N")

    schema = StructType([StructField("K", StringType()), StructField("N", IntegerType())])
    answer = session.table("SOLD").group_by("K").apply_in_pandas(least, output_schema=schema)
    assert sorted(map(tuple, answer.collect())) == [("a", 1), ("b", 10)]


def test_what_a_table_function_does_wrong_is_told(session: Session) -> None:
    bodies = {
        "a row of 1 values was returned, RETURNS TABLE declares 2": "yield (1,)",
        "a row of a table function is a tuple; int was returned": "yield 1",
        "ZeroDivisionError": "yield (1 // 0, 1)",
    }
    for message, code in bodies.items():
        body = f"class Bad:\n    def process(self, n):\n        {code}"
        session.sql(
            f"CREATE OR REPLACE FUNCTION bad(n INT) RETURNS TABLE (A INT, B INT) {HEAD} HANDLER = 'Bad' AS $${body}$$"
        ).collect()
        told = refusal(session, "SELECT * FROM TABLE(bad(1))")
        assert message in told and "100357" in told and "function BAD with handler Bad" in told
    assert "outside of TABLE" in refusal(session, "SELECT totals(1, 'a')")
    assert "beside several tables" in refusal(
        session, "SELECT * FROM SOLD a, SOLD b, TABLE(totals(a.N, b.K))"
    )
    assert "a view of the Python table function" in refusal(
        session, "CREATE VIEW V AS SELECT * FROM TABLE(totals(1, 'a'))"
    )


def test_both_kinds_are_shown_described_and_dropped(session: Session) -> None:
    session.sql(
        f"CREATE OR REPLACE AGGREGATE FUNCTION shown(n INT) RETURNS INT {HEAD} HANDLER = 'X' AS 'class X: pass'"
    ).collect()
    shown = {row["name"]: row for row in session.sql("SHOW USER FUNCTIONS IN SCHEMA SFML.PUBLIC").collect()}
    assert (shown["TOTALS"]["is_table_function"], shown["TOTALS"]["is_aggregate"]) == ("Y", "N")
    assert (shown["SHOWN"]["is_table_function"], shown["SHOWN"]["is_aggregate"]) == ("N", "Y")
    described = dict(rows(session, "DESCRIBE FUNCTION totals(INT, VARCHAR)"))
    assert described["returns"] == "TABLE (N INT, T VARCHAR, TOTAL INT)" and described["handler"] == "Totals"
    session.sql("COMMENT ON FUNCTION shown(INT) IS 'agg'").collect()
    session.sql("DROP FUNCTION shown(INT)").collect()
    assert "SHOWN" in refusal(session, "SELECT shown(N) FROM SOLD").upper()


# -- aggregate functions

SPREAD = """
class Spread:
    def __init__(self):
        self._seen = []
    @property
    def aggregate_state(self):
        return self._seen
    def accumulate(self, n):
        self._seen.append(n)
    def merge(self, other):
        self._seen += other
    def finish(self):
        seen = [n for n in self._seen if n is not None]
        return max(seen) - min(seen) if seen else None
"""


def test_an_aggregate_function_answers_for_each_group(session: Session) -> None:
    session.sql(
        f"CREATE OR REPLACE AGGREGATE FUNCTION spread(n INT) RETURNS INT {HEAD} HANDLER = 'Spread' AS $${SPREAD}$$"
    ).collect()
    sql = "SELECT K, spread(N), COUNT(*) FROM SOLD GROUP BY K HAVING spread(N) > 1 ORDER BY K"
    assert rows(session, sql) == [("a", 2, 3), ("b", 10, 2)]
    assert rows(session, "SELECT spread(N) AS S FROM SOLD") == [(19,)]
    assert rows(session, "SELECT spread(N) FROM SOLD WHERE N > 99") == [(None,)]
    assert rows(session, "SELECT spread(DISTINCT N) FROM (SELECT 1 N UNION ALL SELECT 1)") == [(0,)]
    assert rows(session, "SELECT spread(NULLIF(N, 20)) FROM SOLD") == [(9,)]
    assert "for window function" in refusal(session, "SELECT spread(N) OVER (PARTITION BY K) FROM SOLD")
    session.sql("CREATE OR REPLACE VIEW SPREADS AS SELECT K, spread(N) AS S FROM SOLD GROUP BY K").collect()
    assert rows(session, "SELECT * FROM SPREADS ORDER BY K") == [("a", 2), ("b", 10)]


def test_states_of_an_aggregate_function_are_merged(session: Session) -> None:
    body = SPREAD.replace("self._seen += other", "raise NotImplementedError('merge')")
    session.sql(
        f"CREATE OR REPLACE AGGREGATE FUNCTION unmerged(n INT) RETURNS INT {HEAD} HANDLER = 'Spread' AS $${body}$$"
    ).collect()
    assert rows(session, "SELECT unmerged(1)") == [(0,)]
    assert "NotImplementedError: merge" in refusal(session, "SELECT unmerged(N) FROM SOLD")


def test_snowpark_registers_aggregate_functions(session: Session) -> None:
    class Weighted:
        def __init__(self) -> None:
            self._sums = (0.0, 0.0)

        @property
        def aggregate_state(self) -> tuple[float, float]:
            return self._sums

        def accumulate(self, value: int, weight: int) -> None:
            self._sums = (self._sums[0] + value * weight, self._sums[1] + weight)

        def merge(self, other: tuple[float, float]) -> None:
            self._sums = (self._sums[0] + other[0], self._sums[1] + other[1])

        def finish(self) -> float:
            return self._sums[0] / self._sums[1]

    weighted = session.udaf.register(
        Weighted,
        return_type=FloatType(),
        input_types=[IntegerType(), IntegerType()],
        name="weighted",
        replace=True,
    )
    frame = session.table("SOLD").group_by("K").agg(weighted("N", "N").alias("W"))
    assert sorted(map(tuple, frame.collect())) == [("a", 14 / 6), ("b", 500 / 30)]
