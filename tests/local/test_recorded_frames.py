"""What the tests of Snowflake's Python clients record of accounts, where a client is needed to see it.

snowflakedb/snowpark-python tests/integ @846856f7, unless a test names another source.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkPandasException, SnowparkSQLException
from snowflake.snowpark.types import (
    FloatType,
    IntegerType,
    PandasDataFrameType,
    PandasSeriesType,
    StringType,
    StructField,
    StructType,
)

ROWS = b"1,one,1.2\n2,two,2.2\n"
COLUMNS = StructType(
    [StructField("a", IntegerType()), StructField("b", StringType()), StructField("c", FloatType())]
)


@pytest.fixture
def rows_csv(session: Session) -> str:
    session.sql("CREATE OR REPLACE STAGE RECORDED").collect()
    session.sql("CREATE OR REPLACE TABLE LOADED (A INT, B VARCHAR, C FLOAT)").collect()
    session.file.put_stream(io.BytesIO(ROWS), "@RECORDED/in/rows.csv", auto_compress=False)
    return "@RECORDED/in/rows.csv"


def collected(session: Session, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.sql(sql).collect()]


# -- loading (scala/test_dataframe_copy_into.py)


def test_rows_of_a_loaded_file_are_shown_again(session: Session, rows_csv: str) -> None:
    copy = f"COPY INTO LOADED FROM {rows_csv}"
    session.sql(copy).collect()
    assert collected(session, f"{copy} VALIDATION_MODE = RETURN_2_ROWS") == [(1, "one", 1.2), (2, "two", 2.2)]
    assert collected(session, f"{copy} VALIDATION_MODE = RETURN_2_ROWS PATTERN = '.*none[.]csv'") == []


def test_a_transformation_has_as_many_values_as_the_table_has_columns(
    session: Session, rows_csv: str
) -> None:
    for columns, values, words in (
        ("", "$1", "expecting 3 but got 1"),
        ("(A)", "$1, $2", "expecting 1 but got 2"),
    ):
        with pytest.raises(
            SnowparkSQLException, match=f"Insert value list does not match column list {words}"
        ):
            session.sql(f"COPY INTO LOADED{columns} FROM (SELECT {values} FROM {rows_csv})").collect()


def test_metadata_name_the_path_in_the_stage(session: Session, rows_csv: str) -> None:
    assert collected(session, f"SELECT DISTINCT METADATA$FILENAME FROM {rows_csv}") == [("in/rows.csv",)]


def test_documents_of_files_have_sorted_keys(session: Session) -> None:
    session.sql("CREATE OR REPLACE STAGE DOCUMENTS").collect()
    session.file.put_stream(io.BytesIO(b'{"b": 1, "a": {"d": 1, "c": 2}}'), "@DOCUMENTS/d.json")
    frame = io.BytesIO()
    pd.DataFrame({"str": ["s"], "num": [1]}).to_parquet(frame)
    session.file.put_stream(io.BytesIO(frame.getvalue()), "@DOCUMENTS/d.parquet", auto_compress=False)
    session.sql("CREATE OR REPLACE TABLE TAKEN (V VARIANT)").collect()
    for kind in ("JSON", "PARQUET"):
        copy = f"COPY INTO TAKEN FROM @DOCUMENTS PATTERN = '.*{kind.lower()}.*' FILE_FORMAT = (TYPE = {kind})"
        session.sql(copy).collect()
    texts = collected(session, "SELECT V::VARCHAR FROM TAKEN ORDER BY 1")
    assert texts == [('{"a":{"c":2,"d":1},"b":1}',), ('{"num":1,"str":"s"}',)]


def test_copying_into_a_table_that_is_not_there(session: Session, rows_csv: str) -> None:
    """The sentence: snowflakedb/snowflake-connector-python issue 833."""
    with pytest.raises(SnowparkSQLException, match=r"001757 .*\nTable 'NONE' does not exist$"):
        session.sql(f"COPY INTO NONE FROM {rows_csv}").collect()
    with pytest.raises(
        SnowparkPandasException, match='Cannot write pandas DataFrame to table "none" because it'
    ):
        session.write_pandas(pd.DataFrame({"A": [1]}), "none")


def test_moments_of_older_annotations_have_no_zone(session: Session) -> None:
    frame, moments = io.BytesIO(), pd.to_datetime(["2022-04-01 11:11:11"], utc=True)
    pd.DataFrame({"T": moments}).to_parquet(frame, version="1.0", coerce_timestamps="ms")
    session.sql("CREATE OR REPLACE STAGE MOMENTS").collect()
    session.file.put_stream(io.BytesIO(frame.getvalue()), "@MOMENTS/m.parquet", auto_compress=False)
    session.sql("CREATE OR REPLACE FILE FORMAT OLD TYPE = PARQUET").collect()
    session.sql("CREATE OR REPLACE FILE FORMAT NEW TYPE = PARQUET USE_LOGICAL_TYPE = TRUE").collect()
    infer = "SELECT TYPE FROM TABLE(INFER_SCHEMA(LOCATION => '@MOMENTS', FILE_FORMAT => '{}'))"
    assert collected(session, infer.format("OLD")) == [("TIMESTAMP_NTZ",)]
    assert collected(session, infer.format("NEW")) == [("TIMESTAMP_LTZ",)]


def test_copied_files_are_counted(session: Session, rows_csv: str) -> None:
    session.sql("CREATE OR REPLACE STAGE COPIED").collect()
    assert session.file.copy_files("@RECORDED/in/", "@COPIED/out/", detailed_output=False) == 1
    assert session.file.copy_files("@RECORDED/in/", "@COPIED/again/") == ["again/rows.csv"]


# -- data frames (test_df_to_pandas.py)


def test_pandas_gets_the_smallest_integers_of_the_type(session: Session) -> None:
    types = ("NUMBER(2)", "NUMBER(4)", "NUMBER(6)", "NUMBER(18)", "INT")
    shown = ", ".join(f"A::{kind} AS C{index}" for index, kind in enumerate(types))
    frame = session.sql(f"SELECT {shown} FROM VALUES ('1'), ('-2') AS T(A)").to_pandas()
    assert [str(kind) for kind in frame.dtypes] == ["int8", "int16", "int32", "int64", "int64"]
    assert frame.C0.tolist() == [1, -2]


def test_a_computed_number_beyond_its_digits_stays_whole(session: Session) -> None:
    frame = session.sql("SELECT A * 100 AS B FROM VALUES (99::NUMBER(2)), (1) AS T(A)").to_pandas()
    assert frame.B.tolist() == [9900, 100]


# -- sessions (test_session.py, scala/test_session_suite.py)


def test_snowparks_own_tables_end_no_transaction(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE KEPT (A INT)").collect()
    session.sql("BEGIN").collect()
    session.sql("INSERT INTO KEPT VALUES (1), (2)").collect()
    assert session.table("KEPT").cache_result().count() == 2
    assert session.sql("SELECT CURRENT_TRANSACTION()").collect()[0][0] is not None
    session.sql("ROLLBACK").collect()
    assert session.table("KEPT").count() == 0
    session.sql("BEGIN").collect()
    session.sql("INSERT INTO KEPT VALUES (3)").collect()
    session.sql("CREATE TEMPORARY TABLE OWN (A INT)").collect()
    assert session.sql("SELECT CURRENT_TRANSACTION()").collect()[0][0] is None
    session.sql("ROLLBACK").collect()
    assert session.table("KEPT").count() == 1


def test_values_are_bound_within_an_immediate_statement(session: Session) -> None:
    frame = session.sql("EXECUTE IMMEDIATE $$ SELECT ? AS x, '?' AS y $$", [1])
    assert [tuple(row) for row in frame.select("x", "y").collect()] == [(1, "?")]


def test_the_client_is_told(session: Session, connection: SnowflakeConnection) -> None:
    assert session.sql("SELECT CURRENT_CLIENT()").collect()[0][0].startswith("PythonSnowpark 1.")
    ((client,),) = connection.cursor().execute("SELECT CURRENT_CLIENT()").fetchall()
    assert client == f"PythonConnector {snowflake.connector.__version__}"


# -- functions (test_udf.py, test_udtf.py)


@pytest.fixture
def numbers(session: Session) -> Iterator[Any]:
    yield session.create_dataframe([["x", 100], ["x", 50], ["y", 7]], schema=["ID", "N"])


def test_batches_of_a_partition_and_its_end(session: Session, numbers: Any) -> None:
    class Batches:
        """Answers the rows of each batch, and the sum of them all at the end."""

        def __init__(self) -> None:
            self.sum: Any = None

        def process(self, df):  # type: ignore[no-untyped-def]
            self.sum = df if self.sum is None else self.sum + df
            return df

        def end_partition(self):  # type: ignore[no-untyped-def]
            return self.sum

    output = PandasDataFrameType([StringType(), IntegerType()], ["_ID", "_N"])
    given = [PandasDataFrameType([StringType(), IntegerType()])]
    sums = session.udtf.register(Batches, output_schema=output, input_types=given, max_batch_size=1)
    found = numbers.select(sums("ID", "N").over(partition_by="ID")).collect()
    rows = sorted((tuple(row) for row in found), key=str)
    assert rows == [("x", 100), ("x", 50), ("xx", 150), ("y", 7), ("y", 7)]


def test_functions_of_data_frames_get_small_integers(session: Session) -> None:
    kinds = session.udf.register(
        lambda column: column.apply(lambda value: str(column.dtype)),
        return_type=PandasSeriesType(StringType()),
        input_types=[PandasSeriesType(IntegerType())],
    )
    for value, kind in ((100, "int8"), (4096, "int16"), (1048576, "int32"), (8589934592, "int64")):
        assert session.create_dataframe([value], schema=["A"]).select(kinds("A")).collect()[0][0] == kind


def test_one_value_is_that_of_each_row(session: Session, numbers: Any) -> None:
    one = session.udf.register(lambda _: pd.Series(["1"]), return_type=PandasSeriesType(StringType()),
                               input_types=[PandasSeriesType(IntegerType())])  # fmt: skip
    assert [row[0] for row in numbers.select(one("N")).collect()] == ["1", "1", "1"]


def test_a_strict_table_function_answers_null_with_a_row(session: Session) -> None:
    session.sql(
        "CREATE OR REPLACE FUNCTION ECHO(N INT) RETURNS TABLE (N INT, M INT) LANGUAGE PYTHON STRICT "
        "RUNTIME_VERSION = '3.11' HANDLER = 'Echo' AS $$\nclass Echo:\n    def process(self, n):\n"
        "        yield (n, n + 1)\n$$"
    ).collect()
    assert collected(session, "SELECT N, M FROM TABLE(ECHO(NULL::INT))") == [(None, None)]
    assert collected(session, "SELECT N, M FROM TABLE(ECHO(1))") == [(1, 2)]
