"""Datasets in SQL, and the addresses under which their files are read."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def ask(connection: SnowflakeConnection, sql: str) -> list[Any]:
    rows: list[Any] = connection.cursor().execute(sql).fetchall()  # type: ignore[union-attr]
    return rows


@pytest.fixture(scope="module")
def dataset(server: LocalServer) -> str:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        ask(connection, "CREATE DATASET PRICES")
        ask(
            connection,
            "ALTER DATASET PRICES ADD VERSION 'v1' FROM (SELECT SEQ4() AS ID, ID * 0.5 AS PRICE FROM"
            " TABLE(GENERATOR(ROWCOUNT => 10))) COMMENT = 'ten' METADATA = '{\"source\": \"nothing\"}'",
        )
    return "PRICES"


def test_a_version_keeps_the_rows_of_its_query(connection: SnowflakeConnection, dataset: str) -> None:
    (row,) = ask(connection, f"SHOW VERSIONS IN DATASET {dataset}")
    assert (row[1], row[4], row[5], row[6]) == ("v1", "PRICES", "ten", '{"source": "nothing"}')
    for url in ("'snow://dataset/PRICES/versions/v1/'", 'snow://dataset/"SFML"."PUBLIC".prices/versions/v1/'):
        assert [row[0] for row in ask(connection, f"LIST {url}")] == ["versions/v1/data_0_0_0.snappy.parquet"]
    assert ask(connection, "SELECT COUNT(*) FROM 'snow://dataset/PRICES/versions/v1/'") == [(10,)]
    column = "SELECT $1:\"ID\"::INT AS I FROM 'snow://dataset/prices/versions/v1/' ORDER BY I LIMIT 2"
    assert ask(connection, column) == [(0,), (1,)]


def test_addresses_within_texts_and_names_stay(connection: SnowflakeConnection) -> None:
    sql = "SELECT 'it''s snow://dataset/a', $$snow://b c$$, 1 AS \"snow://d\""
    assert ask(connection, sql) == [("it's snow://dataset/a", "snow://b c", 1)]


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("CREATE DATASET PRICES", 2002),
        ("ALTER DATASET NOTHING ADD VERSION 'v1' FROM (SELECT 1)", 399019),
        ("ALTER DATASET PRICES ADD VERSION 'v1' FROM (SELECT 1)", 399020),
        ("ALTER DATASET PRICES ADD VERSION 'v2' FROM (SELECT * FROM NOTHING)", 2003),
        ("ALTER DATASET PRICES ADD VERSION 'v2' FROM (SELECT 1) METADATA = 'x'", 1003),
        ("ALTER DATASET PRICES ADD VERSION 'v2' FROM (SELECT 1 A) PARTITION BY A", 2),
        ("ALTER DATASET PRICES DROP VERSION 'v2'", 399012),
        ("DROP DATASET NOTHING", 2003),
        ("LIST 'snow://dataset/PRICES/versions/v2/'", 2003),
        ("LIST 'snow://dataset/PRICES/versions/v1/../../x'", 1011),
        ("REMOVE 'snow://dataset/PRICES/versions/v1/'", 1011),
        ("SELECT GET_PRESIGNED_URL('snow://dataset/PRICES/versions/v1', '../x')", 1011),
        ("SELECT GET_PRESIGNED_URL('snow://dataset/PRICES/versions/v1', 'x')", 2003),
        ("SELECT GET_PRESIGNED_URL('snow://dataset/PRICES/versions/v1', 'x', 0)", 1008),
    ],
)
def test_refusals(connection: SnowflakeConnection, dataset: str, sql: str, errno: int) -> None:
    with pytest.raises(ProgrammingError) as refused:
        ask(connection, sql)
    assert refused.value.errno == errno
    assert [row[1] for row in ask(connection, f"SHOW VERSIONS IN DATASET {dataset}")] == ["v1"]


def test_an_address_reads_one_file_for_a_while(connection: SnowflakeConnection, dataset: str) -> None:
    call = "GET_PRESIGNED_URL('snow://dataset/PRICES/versions/v1', 'data_0_0_0.snappy.parquet'{})"
    ((url,),) = ask(connection, f"SELECT {call.format('')}")
    with urllib.request.urlopen(url) as answer:
        assert pq.read_table(io.BytesIO(answer.read())).num_rows == 10
    part = urllib.request.Request(url, headers={"Range": "bytes=0-3"})
    with urllib.request.urlopen(part) as answer:
        assert (answer.status, answer.read()) == (206, b"PAR1")
    token = url.split("/")[-2]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url.replace(token, "x" * len(token)))


def test_versions_go_with_their_dataset_and_it_with_its_schema(
    server: LocalServer, connection: SnowflakeConnection
) -> None:
    ask(connection, "CREATE SCHEMA GOING")
    ask(connection, "CREATE DATASET GOING.D")
    ask(connection, "ALTER DATASET GOING.D ADD VERSION 'v1' FROM (SELECT 1 AS A)")
    before = len(list((server.account.folder / "datasets").iterdir()))
    ask(connection, "DROP SCHEMA GOING")
    assert len(list((server.account.folder / "datasets").iterdir())) == before - 1
    assert "D" not in {row[1] for row in ask(connection, "SHOW DATASETS IN ACCOUNT")}


def test_datasets_survive_a_restart(folder: Path) -> None:
    with LocalServer(folder) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        ask(connection, "CREATE DATASET KEPT")
        ask(connection, "ALTER DATASET KEPT ADD VERSION 'v1' FROM (SELECT 7 AS A)")
    with LocalServer(folder) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        assert ask(connection, "SELECT $1:\"A\"::INT FROM 'snow://dataset/KEPT/versions/v1/'") == [(7,)]


def test_its_schema_is_inferred_from_as_many_files_as_are_asked_for(
    connection: SnowflakeConnection, dataset: str
) -> None:
    """As `Dataset.read.to_snowpark_dataframe` asks."""
    ask(connection, "CREATE OR REPLACE FILE FORMAT AS_PARQUET TYPE = PARQUET")
    place = "LOCATION => '@INFERRED/', FILE_FORMAT => 'AS_PARQUET'"
    ask(connection, "CREATE OR REPLACE STAGE INFERRED")
    for number, columns in enumerate(("1 AS A", "1 AS A, 2 AS B")):
        ask(
            connection,
            f"COPY INTO @INFERRED/{number}.parquet FROM (SELECT {columns}) FILE_FORMAT = AS_PARQUET"
            " HEADER = TRUE SINGLE = TRUE",
        )
    one = f"SELECT COLUMN_NAME FROM TABLE(INFER_SCHEMA({place}, MAX_FILE_COUNT => 1))"
    assert ask(connection, one) == [("A",)]
    assert ask(connection, one.replace("=> 1", "=> 2")) == [("A",), ("B",)]
