"""Staged files as rows: queried, read by Snowpark, loaded past bad rows, and unloaded."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import IntegerType, StringType, StructField, StructType

GOOD = b'id,name,v\n1,"x, y",1.5\n2,,2.5\n'
BAD = b"id,name,v\n3,z,bad\n4,w,4.5\n"
DOCUMENTS = b'{"id": 1, "n": {"k": "v"}, "l": [1, 2]}\n{"id": 2, "n": null}\n'


@pytest.fixture
def stage(session: Session, tmp_path: Path) -> str:
    session.sql("CREATE OR REPLACE STAGE FILES").collect()
    for name, content in {
        "csv/a.csv": GOOD,
        "csv/b.csv": BAD,
        "json/a.json": DOCUMENTS,
        "array.json": b'[{"id": 1}, {"id": 2}]',
        "ragged/r.csv": b"1,a\n2\n3,c,extra\n",
    }.items():
        session.file.put_stream(io.BytesIO(content), f"@FILES/{name}", auto_compress=False)
    pd.DataFrame({"A": [1, 2], "b": ["x", None]}).to_parquet(tmp_path / "p.parquet")
    session.file.put(str(tmp_path / "p.parquet"), "@FILES/pq", auto_compress=False)
    session.sql(
        "CREATE OR REPLACE FILE FORMAT ROWS_OF TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '\"'"
    ).collect()
    session.sql("CREATE OR REPLACE FILE FORMAT DOCS TYPE = JSON STRIP_OUTER_ARRAY = TRUE").collect()
    session.sql("CREATE OR REPLACE FILE FORMAT PARQUETS TYPE = PARQUET").collect()
    return "@FILES"


@pytest.fixture
def rows(session: Session, stage: str) -> Callable[[str], list[Any]]:
    return lambda sql: [tuple(row) for row in session.sql(sql).collect()]


def test_csv_files_are_queried_by_position(rows: Callable[[str], list[Any]]) -> None:
    query = "SELECT $1, t.$2, t.$3::FLOAT FROM @FILES/csv/a.csv (FILE_FORMAT => 'ROWS_OF') t"
    assert rows(query) == [("1", "x, y", 1.5), ("2", None, 2.5)]
    assert rows("SELECT COUNT(*) FROM @FILES/csv (FILE_FORMAT => ROWS_OF, PATTERN => '.*b[.]csv')") == [(2,)]
    metadata = "METADATA$FILENAME, METADATA$FILE_ROW_NUMBER"
    found = rows(f"SELECT {metadata} FROM @FILES/csv (FILE_FORMAT => ROWS_OF) WHERE $1 = '4'")
    assert found == [("csv/b.csv", 2)]
    assert rows("SELECT $1, $2, $3 FROM @FILES/ragged") == [
        ("1", "a", None),
        ("2", None, None),
        ("3", "c", "extra"),
    ]


def test_json_and_parquet_files_are_queried_by_path(rows: Callable[[str], list[Any]]) -> None:
    found = rows("SELECT $1:id::INT, $1:n.k::STRING FROM @FILES/json (FILE_FORMAT => DOCS)")
    assert found == [(1, "v"), (2, None)]
    assert rows("SELECT COUNT(*) FROM @FILES/array.json (FILE_FORMAT => DOCS)") == [(2,)]
    assert rows('SELECT $1:A::INT, $1:"b"::STRING FROM @FILES/pq (FILE_FORMAT => PARQUETS)') == [
        (1, "x"),
        (2, None),
    ]
    ((first,), _) = rows("SELECT $1 FROM @FILES/pq (FILE_FORMAT => PARQUETS)")
    assert json.loads(first) == {"A": 1, "b": "x"}


def test_a_query_of_nothing_or_of_no_stage_is_refused(session: Session, stage: str) -> None:
    for sql, word in (
        ("SELECT $1 FROM @FILES/none", "was not found"),
        ("SELECT $1 FROM @NO_STAGE", "does not exist"),
        ("SELECT $1 FROM @FILES/../x", "leaves the stage"),
        ("SELECT $1 FROM @FILES/csv (FILE_FORMAT => 'NO_FORMAT')", "does not exist"),
        ("COPY INTO @FILES/../x FROM (SELECT 1)", "leaves the stage"),
    ):
        with pytest.raises(SnowparkSQLException, match=word):
            session.sql(sql).collect()


def test_snowpark_reads_files(session: Session, stage: str) -> None:
    schema = StructType([StructField(name, StringType()) for name in ("A", "B", "C")])
    options = {"SKIP_HEADER": 1, "FIELD_OPTIONALLY_ENCLOSED_BY": '"'}
    frame = session.read.schema(schema).options(options).csv("@FILES/csv/a.csv")
    assert frame.filter(F.col("A") == "1").collect()[0].B == "x, y"
    inferred = session.read.options({**options, "SKIP_HEADER": 0, "PARSE_HEADER": True, "INFER_SCHEMA": True})
    assert [row.as_dict() for row in inferred.csv("@FILES/csv/a.csv").collect()][1] == {
        "id": 2,
        "name": None,
        "v": 2.5,
    }
    documents = session.read.json("@FILES/json/a.json").select(F.col("$1")["id"].cast("int").alias("ID"))
    assert sorted(row.ID for row in documents.collect()) == [1, 2]
    parquet = session.read.parquet("@FILES/pq/p.parquet")
    assert (parquet.columns, parquet.filter(F.col("A") > 1).count()) == (["A", '"b"'], 1)


@pytest.mark.parametrize(
    ("on_error", "loaded"),
    [("SKIP_FILE_1", 2), ("SKIP_FILE_2", 3), ("'SKIP_FILE_50%'", 2), ("'SKIP_FILE_100%'", 3)],
)
def test_files_with_enough_bad_rows_are_skipped(
    session: Session, stage: str, on_error: str, loaded: int
) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR, V FLOAT)").collect()
    session.sql(f"COPY INTO LOADED FROM @FILES/csv FILE_FORMAT = ROWS_OF ON_ERROR = {on_error}").collect()
    assert session.table("LOADED").count() == loaded


def test_a_copy_ends_after_its_size_limit(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR, V VARCHAR)").collect()
    copy = "COPY INTO LOADED FROM @FILES/csv FILE_FORMAT = ROWS_OF SIZE_LIMIT = "
    assert [row.file for row in session.sql(f"{copy}1").collect()] == ["files/csv/a.csv"]
    assert [row.file for row in session.sql(f"{copy}1").collect()] == ["files/csv/b.csv"]
    session.sql("TRUNCATE TABLE LOADED").collect()
    assert len(session.sql(f"{copy}0").collect()) == 2


def test_long_texts_are_cut_off_if_told(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR(2), V VARCHAR)").collect()
    copy = "COPY INTO LOADED FROM @FILES/csv FILE_FORMAT = ROWS_OF"
    with pytest.raises(SnowparkSQLException, match="User character length limit"):
        session.sql(copy).collect()
    session.sql(f"{copy} TRUNCATECOLUMNS = TRUE").collect()
    assert [row.NAME for row in session.table("LOADED").sort("ID").collect()] == ["x,", None, "z", "w"]
    session.sql("TRUNCATE TABLE LOADED").collect()
    session.sql(f"{copy} ENFORCE_LENGTH = FALSE").collect()
    assert session.table("LOADED").count() == 4


def test_files_that_failed_are_told_alone_if_wanted(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR, V FLOAT)").collect()
    copy = (
        "COPY INTO LOADED FROM @FILES/csv FILE_FORMAT = ROWS_OF ON_ERROR = CONTINUE RETURN_FAILED_ONLY = TRUE"
    )
    assert [row.file for row in session.sql(copy).collect()] == ["files/csv/b.csv"]


def test_files_that_are_no_text_or_no_json_are_refused(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (V VARIANT)").collect()
    session.file.put_stream(io.BytesIO(b"\xff\xfe\x00,\n"), "@%LOADED/b.csv", auto_compress=False)
    session.file.put_stream(io.BytesIO(b'{"a": 1}{"a":'), "@%LOADED/b.json", auto_compress=False)
    copy = "COPY INTO LOADED FILES = ('{}') FILE_FORMAT = (TYPE = {})"
    with pytest.raises(SnowparkSQLException, match="Invalid UTF8 detected"):
        session.sql(copy.format("b.csv", "CSV")).collect()
    with pytest.raises(SnowparkSQLException, match="Error parsing JSON: b"):
        session.sql(copy.format("b.json", "JSON")).collect()


@pytest.mark.parametrize("files", ["*", "*.csv", "p?.csv"])
def test_put_takes_unquoted_patterns_of_files(session: Session, tmp_path: Path, files: str) -> None:
    for number in range(3):
        (tmp_path / f"p{number}.csv").write_text("1\n")
    session.sql("CREATE OR REPLACE STAGE PUTS").collect()
    session.connection.cursor().execute(f"PUT file://{tmp_path}/{files} @PUTS AUTO_COMPRESS = FALSE")
    assert len(session.sql("LIST @PUTS").collect()) == 3


def test_get_takes_the_beginning_of_a_path(session: Session, stage: str, tmp_path: Path) -> None:
    for path in ("csv/a", "json/a.json", "arr"):
        session.file.get(f"@FILES/{path}", str(tmp_path / "got"))
    assert sorted(one.name for one in (tmp_path / "got").iterdir()) == ["a.csv", "a.json", "array.json"]


def test_a_table_is_loaded_from_its_own_stage(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR, V FLOAT)").collect()
    session.file.put_stream(io.BytesIO(GOOD), "@%LOADED/g.csv", auto_compress=False)
    copy = "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '\"')"
    session.sql(f"COPY INTO LOADED {copy}").collect()
    assert session.table("LOADED").count() == 2


def test_bad_rows_are_passed_over_or_abort(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR, V FLOAT)").collect()
    copy = "COPY INTO LOADED FROM @FILES/csv FILE_FORMAT = ROWS_OF ON_ERROR = "
    told = {}
    for on_error in ("CONTINUE", "SKIP_FILE"):
        session.sql("TRUNCATE TABLE LOADED").collect()
        (_, bad) = session.sql(copy + on_error).collect()
        told[on_error] = (bad.status, bad.errors_seen, bad.first_error_line, session.table("LOADED").count())
    assert told == {"CONTINUE": ("PARTIALLY_LOADED", 1, 2, 3), "SKIP_FILE": ("LOAD_FAILED", 1, 2, 2)}
    session.sql("TRUNCATE TABLE LOADED").collect()
    with pytest.raises(
        SnowparkSQLException,
        match=r"(?s)value 'bad' is not recognized.*b.csv', line 2, character 5\n  Row 1, column",
    ):
        session.sql(copy + "ABORT_STATEMENT").collect()
    assert session.table("LOADED").count() == 0


def test_the_stage_of_a_table_goes_with_it(session: Session) -> None:
    def listed() -> int:
        return len(session.sql("LIST @%OWN").collect())

    def put() -> None:
        session.file.put_stream(io.BytesIO(b"1\n"), "@%OWN/a.csv", auto_compress=False)

    session.sql("CREATE OR REPLACE TABLE OWN (A INT)").collect()
    put()
    for kept in ("TRUNCATE TABLE OWN", "ALTER TABLE OWN RENAME TO OWN2", "ALTER TABLE OWN2 RENAME TO OWN"):
        session.sql(kept).collect()
    assert listed() == 1
    session.sql("CREATE OR REPLACE TABLE OWN (A INT)").collect()
    assert listed() == 0
    put()
    session.sql("DROP TABLE OWN").collect()
    session.sql("CREATE TABLE OWN (A INT)").collect()
    assert listed() == 0
    for statement in ("CREATE OR REPLACE SCHEMA OF_OWN", "CREATE TABLE OWN (A INT)"):
        session.sql(statement).collect()
    put()
    for statement in ("CREATE OR REPLACE SCHEMA OF_OWN", "CREATE TABLE OWN (A INT)"):
        session.sql(statement).collect()
    assert listed() == 0
    session.sql("DROP SCHEMA OF_OWN").collect()
    session.sql("USE SCHEMA PUBLIC").collect()


def test_json_is_loaded_by_names_and_whole(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE BY_NAME (ID INT, N VARIANT)").collect()
    session.sql(
        "COPY INTO BY_NAME FROM @FILES/json FILE_FORMAT = (TYPE = JSON) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
    ).collect()
    assert [row.ID for row in session.table("BY_NAME").sort("ID").collect()] == [1, 2]
    assert session.sql("SELECT N:k::STRING FROM BY_NAME WHERE ID = 1").collect()[0][0] == "v"
    session.sql("CREATE OR REPLACE TABLE WHOLE (V VARIANT)").collect()
    session.sql("COPY INTO WHOLE FROM @FILES/array.json FILE_FORMAT = (FORMAT_NAME = 'DOCS')").collect()
    assert session.sql("SELECT SUM(V:id::INT) FROM WHOLE").collect()[0][0] == 3


def test_parquet_is_loaded_whole(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE WHOLE (V VARIANT)").collect()
    session.sql("COPY INTO WHOLE FROM @FILES/pq FILE_FORMAT = (TYPE = PARQUET)").collect()
    assert [json.loads(row.V) for row in session.table("WHOLE").collect()] == [
        {"A": 1, "b": "x"},
        {"A": 2, "b": None},
    ]
    session.sql("CREATE OR REPLACE TABLE WHOLE (V INT)").collect()
    with pytest.raises(
        SnowparkSQLException, match="one and only one column of type variant, object, or array"
    ):
        session.sql("COPY INTO WHOLE FROM @FILES/pq FILE_FORMAT = (TYPE = PARQUET)").collect()


@pytest.mark.parametrize(
    ("how", "found"), [("CASE_SENSITIVE", [None, None]), ("CASE_INSENSITIVE", ["x", None])]
)
def test_columns_are_matched_with_and_without_case(
    session: Session, stage: str, how: str, found: list[str | None]
) -> None:
    session.sql("CREATE OR REPLACE TABLE BY_NAME (A INT, B VARCHAR)").collect()
    session.sql(
        f"COPY INTO BY_NAME FROM @FILES/pq FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = {how}"
    ).collect()
    assert [row.B for row in session.table("BY_NAME").sort("A").collect()] == found


def test_metadata_is_queried_and_loaded(session: Session, stage: str) -> None:
    query = (
        "SELECT METADATA$FILE_CONTENT_KEY K, METADATA$FILE_LAST_MODIFIED M, METADATA$START_SCAN_TIME S FROM"
    )
    (row, _) = session.sql(f"{query} @FILES/pq (FILE_FORMAT => PARQUETS)").collect()
    (listed,) = session.sql("LIST @FILES/pq").collect()
    assert (row.K, row.M.strftime("%a, %d %b %Y %H:%M:%S GMT")) == (listed["md5"], listed["last_modified"])
    assert row.S.tzinfo is not None
    session.sql(
        "CREATE OR REPLACE TABLE LOADED (A INT, F VARCHAR, N INT, K VARCHAR, M TIMESTAMP_NTZ)"
    ).collect()
    session.sql(
        "COPY INTO LOADED FROM @FILES/pq FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE "
        "INCLUDE_METADATA = (F = METADATA$FILENAME, N = METADATA$FILE_ROW_NUMBER, K = METADATA$FILE_CONTENT_KEY, "
        "M = METADATA$FILE_LAST_MODIFIED)"
    ).collect()
    loaded = session.table("LOADED").sort("A").collect()
    assert [tuple(one) for one in loaded] == [(n, "pq/p.parquet", n, row.K, row.M) for n in (1, 2)]
    for wrong, word in (
        ("INCLUDE_METADATA = (NONE = METADATA$FILENAME)", "invalid identifier 'NONE'"),
        ("INCLUDE_METADATA = (F = METADATA$NAME)", r"invalid value \[METADATA\$NAME\]"),
    ):
        with pytest.raises(SnowparkSQLException, match=word):
            session.sql(
                f"COPY INTO LOADED FROM @FILES/pq MATCH_BY_COLUMN_NAME = CASE_SENSITIVE {wrong} "
                "FILE_FORMAT = (TYPE = PARQUET)"
            ).collect()


def test_rows_are_unloaded_and_read_again(session: Session, stage: str) -> None:
    session.sql("CREATE OR REPLACE TABLE OUT AS SELECT 1 A, 'x,y' B UNION ALL SELECT 2, NULL").collect()
    plain = "FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE FIELD_OPTIONALLY_ENCLOSED_BY = '\"')"
    (done,) = session.sql(
        f"COPY INTO @FILES/out/one.csv FROM (SELECT * FROM OUT ORDER BY A) {plain} SINGLE = TRUE HEADER = TRUE"
    ).collect()
    assert done.rows_unloaded == 2
    text = session.file.get_stream("@FILES/out/one.csv").read().decode()
    assert text.splitlines()[1] == '"1","x,y"'
    with pytest.raises(SnowparkSQLException, match="already existing"):
        session.sql(f"COPY INTO @FILES/out/one.csv FROM OUT {plain} SINGLE = TRUE").collect()
    session.sql("COPY INTO @FILES/out/pq/ FROM OUT FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE").collect()
    assert sorted(map(tuple, session.read.parquet("@FILES/out/pq/").collect())) == [(1, "x,y"), (2, None)]
    session.sql(
        "COPY INTO @FILES/out/js/ FROM (SELECT OBJECT_CONSTRUCT('a', A) FROM OUT) FILE_FORMAT = (TYPE = JSON)"
    ).collect()
    assert session.sql("SELECT SUM($1:a::INT) FROM @FILES/out/js (FILE_FORMAT => DOCS)").collect()[0][0] == 3
    session.table("OUT").write.csv("@FILES/out/frame.csv", single=True, overwrite=True)
    assert "files/out/frame.csv" in [row["name"] for row in session.sql("LIST @FILES/out").collect()]


def test_whole_numbers_are_unloaded_as_such(session: Session, stage: str) -> None:
    most = 10**38 - 1
    session.sql(f"CREATE OR REPLACE TABLE OUT AS SELECT 1::INT A, 2::NUMBER B, {most} C, 1.5 D").collect()
    session.sql(
        "COPY INTO @FILES/w.parquet FROM OUT FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE SINGLE = TRUE"
    ).collect()
    found = pd.read_parquet(session.file.get_stream("@FILES/w.parquet"))
    assert [str(type) for type in found.dtypes] == ["int64", "int64", "object", "object"]
    assert found.to_numpy().tolist() == [[1, 2, Decimal(most), Decimal("1.5")]]


def test_file_formats_are_shown_described_and_dropped(session: Session, stage: str) -> None:
    (row,) = session.sql("SHOW FILE FORMATS LIKE 'ROWS%'").collect()
    assert (row["name"], row["type"], json.loads(row["format_options"])["SKIP_HEADER"]) == (
        "ROWS_OF",
        "CSV",
        1,
    )
    described = {row["property"]: row for row in session.sql("DESCRIBE FILE FORMAT DOCS").collect()}
    assert tuple(described["STRIP_OUTER_ARRAY"])[1:3] == ("Boolean", "true")
    session.sql("DROP FILE FORMAT DOCS").collect()
    assert session.sql("SHOW FILE FORMATS LIKE 'DOCS'").collect() == []


def test_quoted_paths_with_blanks_are_queried(session: Session, stage: str) -> None:
    session.sql('CREATE OR REPLACE STAGE "my stage"').collect()
    session.file.put_stream(io.BytesIO(b"1,2\n"), '@"my stage"/a dir/x.csv', auto_compress=False)
    assert session.sql("""SELECT $2 FROM '@"my stage"/a dir/x.csv'""").collect()[0][0] == "2"


def test_a_frame_is_copied_into_a_table(session: Session, stage: str) -> None:
    session.sql("DROP TABLE IF EXISTS COPIED").collect()
    schema = StructType(
        [StructField("A", IntegerType()), StructField("B", StringType()), StructField("C", StringType())]
    )
    frame = (
        session.read.schema(schema)
        .options({"SKIP_HEADER": 1, "FIELD_OPTIONALLY_ENCLOSED_BY": '"'})
        .csv("@FILES/csv/a.csv")
    )
    frame.copy_into_table("COPIED", force=True)
    frame.copy_into_table("COPIED", transformations=[F.col("$1"), F.col("$2"), F.col("$3")], force=True)
    assert session.table("COPIED").count() == 4
