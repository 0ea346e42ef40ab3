"""What `write_pandas` makes of columns, with and without Parquet's logical types, as the file format says."""

from __future__ import annotations

import datetime
import warnings
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.pandas_tools import write_pandas
from snowflake.snowpark import Session

warnings.filterwarnings("ignore", message="Dataframe contains a datetime with timezone")

TIMES = pd.date_range("2021-01-01", periods=2)
FRAME = pd.DataFrame(
    {
        "NAIVE": TIMES,
        "AWARE": TIMES.tz_localize("UTC"),
        "TIME": [datetime.time(1, 2), None],
        "DAY": [datetime.date(2021, 1, 1), None],
        "TOOK": [pd.Timedelta(1, "s"), pd.NaT],
        "COUNTED": pd.array([1, None], dtype="Int64"),
        "PRICE": [Decimal("1.50"), Decimal("2.25")],
        "OK": [True, None],
        "TEXT": ["a", None],
        "TAGS": [["a"], ["b", "c"]],
        "NOTHING": [None, None],
    }
)
ALIKE = {
    "DAY": "DATE",
    "TOOK": "NUMBER(38,0)",
    "COUNTED": "NUMBER(38,0)",
    "PRICE": "NUMBER(3,2)",
    "OK": "BOOLEAN",
    "TEXT": "VARCHAR(16777216)",
    "TAGS": "VARIANT",
    "NOTHING": "VARCHAR(16777216)",
}
NUMBERS = dict.fromkeys(("NAIVE", "AWARE", "TIME"), "NUMBER(38,0)")
TIMED = {"NAIVE": "TIMESTAMP_NTZ(9)", "AWARE": "TIMESTAMP_LTZ(9)", "TIME": "TIME(9)"}


def types_of(session: Session, table: str) -> dict[str, str]:
    rows = session.sql(f"DESCRIBE TABLE {table}").collect()
    return {row["name"]: row["type"] for row in rows}


@pytest.mark.parametrize(
    ("options", "times"),
    [({}, NUMBERS), ({"use_logical_type": False}, NUMBERS), ({"use_logical_type": True}, TIMED)],
)
def test_times_are_numbers_without_logical_types(
    session: Session, connection: SnowflakeConnection, options: dict[str, Any], times: dict[str, str]
) -> None:
    session.write_pandas(FRAME, "BY_SESSION", auto_create_table=True, overwrite=True, **options)
    assert types_of(session, "BY_SESSION") == {**times, **ALIKE}
    write_pandas(connection, FRAME, "BY_CONNECTOR", auto_create_table=True, overwrite=True, **options)
    assert types_of(session, "BY_CONNECTOR") == {**times, **ALIKE}


def test_the_numbers_are_those_of_the_file(session: Session) -> None:
    session.write_pandas(FRAME[["NAIVE", "TIME", "TOOK"]], "W", auto_create_table=True, overwrite=True)
    first, second = session.table("W").sort("NAIVE").collect()
    assert first.as_dict() == {"NAIVE": TIMES[0].value, "TIME": 3_720_000_000, "TOOK": 1_000_000_000}
    assert second["TIME"] is None


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_the_unit_of_naive_times_does_not_matter(session: Session, unit: str) -> None:
    frame = pd.DataFrame({"T": TIMES.astype(f"datetime64[{unit}]")})
    session.write_pandas(frame, "W", auto_create_table=True, overwrite=True)
    assert types_of(session, "W") == {"T": "NUMBER(38,0)"}
    session.write_pandas(frame, "W", auto_create_table=True, overwrite=True, use_logical_type=True)
    assert types_of(session, "W") == {"T": "TIMESTAMP_NTZ(9)"}
    assert session.table("W").to_pandas()["T"].tolist() == TIMES.tolist()


def test_numbers_are_no_times_of_a_table_that_is_there(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE THERE (NAIVE TIMESTAMP_NTZ)").collect()
    with pytest.raises(ProgrammingError):
        session.write_pandas(FRAME[["NAIVE"]], "THERE")
    session.write_pandas(FRAME[["NAIVE"]], "THERE", use_logical_type=True)
    assert session.table("THERE").count() == 2


def test_a_frame_of_snowpark_takes_logical_types(session: Session) -> None:
    made = session.create_dataframe(FRAME[["NAIVE", "DAY", "PRICE"]])
    assert [field.datatype.simple_string() for field in made.schema.fields][:2] == ["timestamp_ntz", "date"]
    assert made.to_pandas()["NAIVE"].tolist() == TIMES.tolist()
