"""Models in SQL: aliases of versions, methods of any name, table functions, views, what is shown, what is refused."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_models import ByRow, Shifted, Tenfold, Totals
from snowflake.ml.model import ModelVersion
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.http.app import LocalServer

SALES = pd.DataFrame({"STORE": ["b", "a", "b", None], "WEEK": [1, 2, 3, 4], "SOLD": [10.0, 20.0, 30.0, None]})


@pytest.fixture(scope="module")
def shifted(asking: Session, log: Any) -> ModelVersion:
    sample = pd.DataFrame({"X": [1.0]})
    log(Shifted(), "SHIFTED", "V1", sample_input_data=sample)
    version: ModelVersion = log(Tenfold(), "SHIFTED", "V2", sample_input_data=sample)
    return version


@pytest.fixture(scope="module")
def tables(asking: Session, log: Any) -> None:
    options = {"function_type": "TABLE_FUNCTION"}
    log(Totals(), "TOTALS", "V1", sample_input_data=SALES[["WEEK", "SOLD"]].head(2), options=options)
    log(ByRow(), "BY_ROW", "V1", sample_input_data=SALES[["WEEK"]], options=options)
    asking.sql("CREATE TABLE SALES (STORE STRING, WEEK INT, SOLD FLOAT)").collect()
    asking.sql("INSERT INTO SALES VALUES ('b', 1, 10), ('a', 2, 20), ('b', 3, 30), (NULL, 4, NULL)").collect()


def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.sql(sql).collect()]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT SHIFTED!PREDICT(3):Y::INT", 4),
        ("SELECT MODEL(SHIFTED)!predict(3):Y::INT", 4),
        ("SELECT MODEL(SFML.PUBLIC.SHIFTED, v2)!PREDICT(3):Y::INT", 30),
        ("SELECT MODEL(SHIFTED, LAST)!PREDICT(3):Y::INT", 30),
        ("WITH mv AS MODEL SHIFTED VERSION V2 SELECT mv!PREDICT(3):Y::INT", 30),
        ("WITH a AS MODEL SHIFTED VERSION FIRST, b AS MODEL SHIFTED VERSION V2"
         " SELECT a!PREDICT(3):Y::INT + b!PREDICT(3):Y::INT", 34),
        ("WITH x AS (SELECT 3 AS X), mv AS MODEL SHIFTED SELECT mv!PREDICT(X)['Y']::INT FROM x", 4),
        ("SELECT SHIFTED!TRANSFORM(3):Z::INT", 6),
        ("SELECT SHIFTED!PREDICT(SHIFTED!TRANSFORM(3):Z::INT):Y::INT", 7),
    ],
)  # fmt: skip
def test_calls(asking: Session, shifted: ModelVersion, sql: str, answer: int) -> None:
    assert rows(asking, sql) == [(answer,)]


def test_describing_a_call_does_not_run_it(asking: Session, shifted: ModelVersion) -> None:
    schema = asking.sql("SELECT SHIFTED!PREDICT(1):Y::FLOAT AS Y, SHIFTED!PREDICT(1) AS P").schema
    assert [field.name for field in schema] == ["Y", "P"]


def test_partitions_are_answered_one_by_one(asking: Session, tables: None) -> None:
    sql = (
        "SELECT S.STORE, S.WEEK, T.N, T.TOTAL, T.WEEKS FROM SALES AS S,"
        " TABLE(TOTALS!TOTAL(S.WEEK, S.SOLD) OVER (PARTITION BY S.STORE ORDER BY S.WEEK DESC)) AS T"
        " ORDER BY S.STORE"
    )
    answered = rows(asking, sql)
    # A partition's row is of no row of the table: WEEK is NULL.
    assert [row[:4] for row in answered] == [("a", None, 1, 20.0), ("b", None, 2, 40.0), (None, None, 1, 0.0)]
    assert [json.loads(row[4]) for row in answered] == [[2], [3, 1], [4]]


def test_without_partitions_everything_is_one(asking: Session, tables: None) -> None:
    sql = "SELECT N, TOTAL FROM SALES, TABLE(MODEL(TOTALS, V1)!TOTAL(WEEK, SOLD))"
    assert rows(asking, sql) == [(4, 60.0)]
    assert rows(asking, f"WITH T AS ({sql}) SELECT N * 2 FROM T") == [(8,)]
    assert rows(asking, sql.replace("FROM SALES", "FROM (SELECT * FROM SALES WHERE WEEK > 9)")) == []


def test_a_method_that_works_by_row_keeps_its_row(asking: Session, tables: None) -> None:
    sql = "SELECT STORE, WEEK, TWICE FROM SALES, TABLE(BY_ROW!DOUBLE(WEEK)) WHERE WEEK < 3 ORDER BY WEEK"
    assert rows(asking, sql) == [("b", 1, 2), ("a", 2, 4)]


def test_what_a_table_function_raises_is_told(asking: Session, tables: None) -> None:
    with pytest.raises(SnowparkSQLException, match="ValueError: sold less than nothing") as failed:
        rows(asking, "SELECT * FROM (SELECT 1 W, -1.0 S), TABLE(TOTALS!TOTAL(W, S))")
    assert failed.value.sql_error_code == 100357


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM SALES, TABLE(SHIFTED!PREDICT(WEEK))", "is no table function"),
        ("SELECT TOTALS!TOTAL(WEEK, SOLD) FROM SALES", "call it in FROM, as TABLE"),
        ("SELECT * FROM SALES A, SALES B, TABLE(TOTALS!TOTAL(A.WEEK, A.SOLD))", "beside several tables"),
        ("SELECT * FROM TABLE(TOTALS!TOTAL(1, 2.0))", "without a table before it"),
        (
            "CREATE MODEL MONITOR M WITH MODEL = SHIFTED",
            "not emulated by the local server: CREATE MODEL MONITOR",
        ),
        ("CALL SYSTEM$DEPLOY_MODEL('x')", "the local server has no model services"),
        (
            "CREATE DYNAMIC ICEBERG TABLE T AS SELECT 1",
            "not emulated by the local server: CREATE DYNAMIC ICEBERG TABLE",
        ),
    ],
)
def test_refusals(asking: Session, shifted: ModelVersion, tables: None, sql: str, message: str) -> None:
    with pytest.raises(SnowparkSQLException, match=message):
        rows(asking, sql)


def test_what_is_shown(asking: Session, shifted: ModelVersion, tables: None) -> None:
    def names(sql: str) -> list[str]:
        return [row["name"] for row in asking.sql(sql).collect()]

    assert names("SHOW MODELS LIKE 's%' IN SCHEMA SFML.PUBLIC") == ["SHIFTED"]
    assert names("SHOW MODELS IN ACCOUNT STARTS WITH 'B'") == ["BY_ROW"]
    assert names("SHOW MODELS IN DATABASE SFML LIMIT 1 FROM 'BY'") == ["SHIFTED"]
    assert names("SHOW VERSIONS LIKE '%2' IN MODEL SHIFTED") == ["V2"]
    assert names("SHOW FUNCTIONS IN MODEL SHIFTED VERSION V1") == ["PREDICT", "TRANSFORM"]
    (shown,) = asking.sql("SHOW FUNCTIONS IN MODEL TOTALS").collect()
    assert shown["return_type"].startswith("TABLE (N BIGINT, TOTAL")
    sql = (
        "SELECT MODEL_VERSION_NAME, VERSION_ALIASES[0]::STRING FROM SFML.INFORMATION_SCHEMA.MODEL_VERSIONS"
        " WHERE MODEL_NAME = 'SHIFTED' ORDER BY 1"
    )
    assert rows(asking, sql) == [("V1", "DEFAULT"), ("V2", "LAST")]


def test_a_version_has_this_python_and_no_dependencies(asking: Session, shifted: ModelVersion) -> None:
    sql = (
        "SELECT DISTINCT PYTHON_VERSION, DEPENDENCIES FROM SFML.INFORMATION_SCHEMA.MODEL_VERSIONS"
        " WHERE MODEL_NAME = 'SHIFTED'"
    )
    own = ".".join(platform.python_version_tuple()[:2])
    assert rows(asking, sql) == [(own, "[]")]


def test_tags_allow_what_they_were_created_for(asking: Session, shifted: ModelVersion) -> None:
    rows(asking, "CREATE TAG STAGE ALLOWED_VALUES 'test', 'live' COMMENT = 'where it runs'")
    rows(asking, "ALTER MODEL SHIFTED SET TAG STAGE = 'live'")
    with pytest.raises(SnowparkSQLException, match="'dead' is not an allowed value"):
        rows(asking, "ALTER MODEL SHIFTED SET TAG STAGE = 'dead'")
    assert [row["allowed_values"] for row in asking.sql("SHOW TAGS LIKE 'stage'").collect()] == [
        '["test","live"]'
    ]
    rows(asking, "DROP TAG STAGE")
    assert asking.sql("SHOW TAGS").collect() == []


def test_a_view_asks_for_the_default_of_its_time_also_after_a_restart(folder: Path, log: Any) -> None:
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        from snowflake.ml.registry import Registry

        registry = Registry(session, options={"enable_monitoring": False})
        for version, model in (("V1", Shifted()), ("V2", Tenfold())):
            registry.log_model(
                model, model_name="VIEWED", version_name=version, sample_input_data=pd.DataFrame({"X": [1.0]})
            )
        rows(session, "CREATE VIEW SCORES AS SELECT VIEWED!PREDICT(3):Y::INT AS Y")
        assert rows(session, "SELECT * FROM SCORES") == [(4,)]
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        assert rows(session, "SELECT * FROM SCORES") == [(4,)]
        rows(session, "ALTER MODEL VIEWED SET DEFAULT_VERSION = V2")
        assert rows(session, "SELECT * FROM SCORES") == [(30,)]
