"""What goes into a model and comes out of it: every type of a signature, NULLs, and more rows than fit one call."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_models import Echo
from snowflake.ml.model import ModelVersion, model_signature
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

VALUES = pd.DataFrame(
    {
        "I": [1, 2**53 + 1, -3],
        "D": [1.5, float("inf"), -2.0],
        "B": [True, False, True],
        "S": ["x", "ü'\"\n\\", ""],
        "T": pd.to_datetime(["2024-01-02 03:04:05.123456", "1999-12-31", "2030-01-01"], format="ISO8601"),
        "BIN": [b"\x00\xff", b"a", b""],
        "A": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        "SMALL": pd.Series([0, 200, 255], dtype="uint8"),
    }
)
ARGUMENTS = "I, D, B, S, T, BIN, A, SMALL"


@pytest.fixture(scope="module")
def echo(log: Any) -> ModelVersion:
    signature = model_signature.infer_signature(VALUES, Echo().predict(VALUES))
    version: ModelVersion = log(Echo(), "ECHO", "V1", signatures={"predict": signature})
    return version


@pytest.fixture(scope="module")
def mixed(asking: Session) -> None:
    asking.sql(
        "CREATE TABLE MIXED (N INT, I NUMBER(38, 0), D NUMBER(10, 2), B BOOLEAN, S VARCHAR, T TIMESTAMP_NTZ,"
        " BIN BINARY, A ARRAY, SMALL INT, DAY DATE)"
    ).collect()
    asking.sql(
        "INSERT INTO MIXED SELECT 1, 5, 1.25, TRUE, 'a', '2024-05-06 07:08:09'::TIMESTAMP, TO_BINARY('00FF', 'HEX'),"
        " ARRAY_CONSTRUCT(1.5, 2.5), 200, '2024-05-06'::DATE"
    ).collect()
    asking.sql("INSERT INTO MIXED (N) VALUES (2)").collect()


def test_a_frame_comes_back_as_it_went(echo: ModelVersion) -> None:
    answered = echo.run(VALUES, function_name="predict")
    for name in ("I", "D", "B", "S", "T", "BIN", "SMALL"):
        assert answered[f"O_{name}"].tolist() == VALUES[name].tolist(), name
    assert [json.loads(text) if isinstance(text, str) else list(text) for text in answered["O_A"]] == [
        [1.0, 2.0], [3.0, 4.0], [5.0, 6.0],
    ]  # fmt: skip


def test_columns_of_a_table_arrive_in_the_signatures_types(
    asking: Session, echo: ModelVersion, mixed: None
) -> None:
    (row,) = asking.sql(f"SELECT ECHO!PREDICT({ARGUMENTS}) FROM MIXED WHERE N = 1").collect()
    answered = json.loads(row[0])
    assert answered.pop("KINDS").startswith("Int64,Float64,boolean,string,datetime64[ns]")
    assert answered == {
        "O_I": 5,
        "O_D": 1.25,
        "O_B": True,
        "O_S": "a",
        "O_T": "2024-05-06 07:08:09",
        "O_BIN": "00FF",
        "O_A": [1.5, 2.5],
        "O_SMALL": 200,
        "ROWS": 1,
    }


def test_missing_values_stay_missing(asking: Session, echo: ModelVersion, mixed: None) -> None:
    (row,) = asking.sql(f"SELECT ECHO!PREDICT({ARGUMENTS}) FROM MIXED WHERE N = 2").collect()
    answered = json.loads(row[0])
    assert [answered[f"O_{name}"] for name in ("I", "D", "B", "S", "T", "A")] == [None] * 6


def test_a_date_serves_as_a_timestamp_and_a_field_casts(
    asking: Session, echo: ModelVersion, mixed: None
) -> None:
    sql = (
        "SELECT ECHO!PREDICT(I, D, B, S, DAY, BIN, A, SMALL) AS P, P:O_T::TIMESTAMP_NTZ, P:O_I::NUMBER(38, 0),"
        " P:O_BIN::BINARY, P:O_B::BOOLEAN FROM MIXED WHERE N = 1"
    )
    (row,) = asking.sql(sql.replace("P:", "ECHO!PREDICT(I, D, B, S, DAY, BIN, A, SMALL):")).collect()
    assert tuple(row)[1:] == (datetime(2024, 5, 6), 5, b"\x00\xff", True)


def test_many_rows_come_in_chunks(asking: Session, echo: ModelVersion) -> None:
    values = "5, 1.5, TRUE, 'a', '2024-05-06'::TIMESTAMP, TO_BINARY('00', 'HEX'), ARRAY_CONSTRUCT(1.0), 7"
    (row,) = asking.sql(
        f"SELECT COUNT(*), COUNT(DISTINCT P:O_I::INT), MAX(P:ROWS::INT) FROM"
        f" (SELECT ECHO!PREDICT(N, {values.removeprefix('5, ')}) AS P FROM"
        " (SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => 20000))))"
    ).collect()
    assert tuple(row)[:2] == (20000, 20000)
    assert row[2] < 20000


def test_more_than_500_features_come_in_one_object(asking: Session, log: Any) -> None:
    from sklearn.linear_model import LinearRegression

    names = [f"F{number}" for number in range(501)]
    frame = pd.DataFrame([[float(number)] * 501 for number in range(3)], columns=names)
    model = LinearRegression().fit(frame, frame["F7"])
    model.coef_, model.intercept_ = np.where(np.array(names) == "F7", 1.0, 0.0), 0.0
    log(model, "WIDE", "V1", sample_input_data=frame)
    pairs = ", ".join(f"'{name}', {name[1:]}" for name in reversed(names))
    sql = f"SELECT WIDE!PREDICT(OBJECT_CONSTRUCT_KEEP_NULL({pairs})):output_feature_0::FLOAT"
    assert [tuple(row) for row in asking.sql(sql).collect()] == [(7.0,)]


def test_wrong_arguments_are_told(asking: Session, echo: ModelVersion) -> None:
    with pytest.raises(SnowparkSQLException, match=r"it takes \(BIGINT, DOUBLE, BOOLEAN.*got 1 arguments"):
        asking.sql("SELECT ECHO!PREDICT(1)").collect()
    with pytest.raises(SnowparkSQLException, match="name the columns: I, D, B"):
        asking.sql("SELECT ECHO!PREDICT(*) FROM (SELECT 1 AS I)").collect()
    with pytest.raises(SnowparkSQLException, match="Unknown function NOTHING"):
        asking.sql("SELECT ECHO!NOTHING(1)").collect()
