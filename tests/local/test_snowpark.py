"""What pipelines do with Snowpark: data frames written, read, grouped, joined and windowed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from snowflake.snowpark import Session, Window
from snowflake.snowpark import functions as F

FRAME = pd.DataFrame(
    {
        "A": [1, 2, 3],
        "B": ["x", None, "z"],
        "C": [1.5, 2.5, None],
        "T": pd.to_datetime(["2020-01-01 00:00:00", "2020-01-02 03:04:05", None]),
        "lower": [True, False, True],
    }
)


@pytest.fixture
def written(session: Session) -> str:
    session.write_pandas(FRAME, "WRITTEN", auto_create_table=True, overwrite=True, use_logical_type=True)
    return "WRITTEN"


def test_a_written_frame_reads_back_equal(session: Session, written: str) -> None:
    read = session.table(written).sort("A").to_pandas()
    pd.testing.assert_frame_equal(read, FRAME, check_dtype=False)
    assert [str(kind) for kind in read.dtypes] == ["int64", "object", "float64", "datetime64[ns]", "bool"]


def test_frames_are_appended_and_overwritten(session: Session, written: str) -> None:
    session.write_pandas(FRAME, written, use_logical_type=True)
    assert session.table(written).count() == 6
    session.write_pandas(FRAME, written, auto_create_table=True, overwrite=True, use_logical_type=True)
    assert session.table(written).count() == 3


@pytest.mark.parametrize("table_type", ["", "temp"])
def test_tables_are_saved(session: Session, written: str, table_type: str) -> None:
    name = f"SAVED_{table_type or 'PERMANENT'}"
    source = session.table(written).select("A", "B")
    source.write.mode("overwrite").save_as_table(f"SFML.PUBLIC.{name}", table_type=table_type)
    source.write.mode("append").save_as_table(name, table_type=table_type)
    assert session.table(name).count() == 6


def test_frames_are_made_from_lists(session: Session) -> None:
    rows = session.create_dataframe([[1, "a"], [2, None]], schema=["X", "Y"]).sort("X").collect()
    assert [tuple(row) for row in rows] == [(1, "a"), (2, None)]
    assert session.create_dataframe([], schema="x int, y string").collect() == []
    assert [row[0] for row in session.range(1, 10, 3).collect()] == [1, 4, 7]


def test_groups_windows_and_dates(session: Session, written: str) -> None:
    grouped = session.table(written).group_by("lower").agg(F.sum("A").alias("S"), F.count("*").alias("N"))
    assert sorted(map(tuple, grouped.collect())) == [(False, 2, 1), (True, 4, 2)]
    window = Window.order_by("A")
    days = F.datediff("day", F.lag("T").over(window), F.col("T"))
    frame = session.table(written).select(days.alias("DAYS"), F.row_number().over(window).alias("R"))
    assert [row.DAYS for row in frame.sort("R").collect()] == [None, 1, None]


def test_sets_samples_and_summaries(session: Session, written: str) -> None:
    table = session.table(written)
    assert table.union(table).count() == 3
    assert table.union_all(table).distinct().count() == 3
    assert sum(part.count() for part in table.random_split([0.5, 0.5], seed=1)) == 3
    assert table.cache_result().count() == 3
    summary = {row.SUMMARY: row.A for row in table.select("A").describe().collect()}
    assert (summary["count"], summary["mean"]) == (3, 2)


def test_rows_are_updated_and_deleted(session: Session, written: str) -> None:
    table = session.table(written)
    assert table.update({"B": "y"}, table["A"] == 1).rows_updated == 1
    assert table.delete(table["A"] == 2).rows_deleted == 1
    assert sorted(row.B for row in table.collect()) == ["y", "z"]


def test_a_table_created_as_select_keeps_types(session: Session, written: str) -> None:
    session.sql(
        "CREATE OR REPLACE TABLE MADE AS SELECT A, DATEDIFF('day', T, '2020-01-11'::DATE) AS DAYS FROM WRITTEN"
    ).collect()
    assert sorted(row.DAYS for row in session.table("MADE").collect() if row.DAYS is not None) == [9, 10]


def test_variants_are_read_by_path(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE NESTED (V VARIANT)").collect()
    session.sql('INSERT INTO NESTED SELECT PARSE_JSON(\'{"a": [1, 2], "k": "t"}\')').collect()
    assert session.sql("SELECT V:a[1]::INT AS N FROM NESTED WHERE V['k'] = 't'").collect()[0].N == 2


def test_csv_files_are_loaded(session: Session, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,name\n1,"a,b"\n2,\n')
    session.sql("CREATE OR REPLACE STAGE LOADED").collect()
    session.file.put(str(tmp_path / "x.csv"), "@LOADED")
    session.sql("CREATE OR REPLACE TABLE LOADED (ID INT, NAME VARCHAR)").collect()
    session.sql(
        "COPY INTO LOADED FROM @LOADED FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1"
        " FIELD_OPTIONALLY_ENCLOSED_BY = '\"')"
    ).collect()
    assert sorted(map(tuple, session.table("LOADED").collect())) == [(1, "a,b"), (2, None)]
