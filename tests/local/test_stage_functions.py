"""Functions of stages: directories, addresses of files, inferred schemas and tables that are made from them."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def rows(session: Session) -> Rows:
    """Carries a statement out, on a stage D with a directory that has two files."""
    session.sql("CREATE OR REPLACE STAGE d DIRECTORY = (ENABLE = TRUE)").collect()
    session.sql("CREATE OR REPLACE FILE FORMAT named TYPE = CSV PARSE_HEADER = TRUE").collect()
    for name, content in (("x/a.csv", b"id,Name\n1,a\nb,c\n"), ("b.csv", b"id,Name\n2.5,a\n")):
        session.file.put_stream(io.BytesIO(content), f"@d/{name}", auto_compress=False)
    return lambda sql: [tuple(row) for row in session.sql(sql).collect()]


def test_a_directory_has_a_row_for_each_file(rows: Rows) -> None:
    listed = {row[0].removeprefix("d/"): row for row in rows("LIST @d")}
    found = rows("SELECT * FROM DIRECTORY(@d) t ORDER BY t.size")
    assert [(path, size, digest) for path, size, _, digest, _, _ in found] == [
        (path, listed[path][1], listed[path][2]) for path in ("b.csv", "x/a.csv")
    ]
    assert found[0][2].tzinfo is not None
    assert found[1][5].endswith("/api/files/SFML/PUBLIC/D/x/a.csv")
    assert rows("SELECT relative_path FROM DIRECTORY('@sfml.public.d') WHERE size > 15") == [("x/a.csv",)]
    rows("REMOVE @d/x")
    assert rows("SELECT COUNT(*) FROM DIRECTORY(@d)") == [(1,)]


def test_a_stage_without_a_directory_is_refused(rows: Rows) -> None:
    rows("CREATE OR REPLACE STAGE without")
    with pytest.raises(SnowparkSQLException, match="no directory table enabled"):
        rows("SELECT * FROM DIRECTORY(@without)")


def test_addresses_of_files(rows: Rows) -> None:
    for function in ("GET_PRESIGNED_URL", "BUILD_SCOPED_FILE_URL"):
        for stage in ("@d", "'@d'", "@sfml.public.d"):
            ((url,),) = rows(f"SELECT {function}({stage}, 'b.csv')")
            with urllib.request.urlopen(url) as answer:
                assert answer.read() == b"id,Name\n2.5,a\n"
        found = dict(rows(f"SELECT relative_path, {function}(@d, relative_path) FROM DIRECTORY(@d)"))
        with urllib.request.urlopen(found["x/a.csv"]) as answer:
            assert answer.read() == b"id,Name\n1,a\nb,c\n"
    ((url,),) = rows("SELECT BUILD_STAGE_FILE_URL(@d, 'x/a.csv')")
    assert url.endswith("/api/files/SFML/PUBLIC/D/x/a.csv")
    with pytest.raises(SnowparkSQLException, match="does not exist"):
        rows("SELECT BUILD_SCOPED_FILE_URL(@d, 'gone.csv')")
    with pytest.raises(SnowparkSQLException, match="not enough arguments"):
        rows("SELECT BUILD_SCOPED_FILE_URL(@d)")


def test_schemas_of_chosen_files_and_records(rows: Rows) -> None:
    infer = (
        "SELECT type FROM TABLE(INFER_SCHEMA(LOCATION => '@d', FILE_FORMAT => 'named', {})) ORDER BY order_id"
    )
    assert rows(infer.format("FILES => ('b.csv')")) == [("REAL",), ("TEXT",)]
    assert rows(infer.format("FILES => ('b.csv', 'x/a.csv')")) == [("TEXT",), ("TEXT",)]
    assert rows(infer.format("FILES => 'x/a.csv', MAX_RECORDS_PER_FILE => 1")) == [
        ("NUMBER(38, 0)",),
        ("TEXT",),
    ]
    with pytest.raises(SnowparkSQLException, match=r"gone\.csv' was not found"):
        rows(infer.format("FILES => ('gone.csv')"))


@pytest.mark.parametrize(("ignored", "names"), [("FALSE", ["id", "Name"]), ("TRUE", ["ID", "NAME"])])
def test_a_table_is_made_from_inferred_columns(
    session: Session, rows: Rows, ignored: str, names: list[str]
) -> None:
    rows(
        "CREATE OR REPLACE TRANSIENT TABLE made USING TEMPLATE (SELECT ARRAY_AGG(OBJECT_CONSTRUCT(*)) WITHIN GROUP "
        "(ORDER BY order_id) FROM TABLE(INFER_SCHEMA(LOCATION => '@d/b.csv', FILE_FORMAT => 'named', "
        f"IGNORE_CASE => {ignored}))) COMMENT = 'c'"
    )
    described = rows("DESCRIBE TABLE made")
    assert [(row[0], row[1]) for row in described] == [
        (names[0], "FLOAT"),
        (names[1], "VARCHAR(16777216)"),
    ]
    (shown,) = session.sql("SHOW TABLES LIKE 'MADE'").collect()
    assert (shown["kind"], shown["comment"]) == ("TRANSIENT", "c")
    rows("COPY INTO made FROM @d/b.csv FILE_FORMAT = named MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
    assert rows("SELECT * FROM made") == [(2.5, "a")]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT 1", "needs an array of columns"),
        ("SELECT ARRAY_CONSTRUCT()", "needs an array of columns"),
        ("SELECT ARRAY_CONSTRUCT(OBJECT_CONSTRUCT('COLUMN_NAME', 'a'))", "a column has no TYPE"),
        (
            "SELECT ARRAY_CONSTRUCT(OBJECT_CONSTRUCT('COLUMN_NAME', 'a', 'TYPE', 'INT); DROP STAGE d'))",
            "Unsupported data type",
        ),
    ],
)
def test_other_templates_are_refused(rows: Rows, query: str, error: str) -> None:
    with pytest.raises(SnowparkSQLException, match=error):
        rows(f"CREATE OR REPLACE TABLE made USING TEMPLATE ({query})")


def test_a_procedure_opens_staged_files(rows: Rows) -> None:
    rows(
        "CREATE OR REPLACE PROCEDURE opened(path VARCHAR) RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
        "PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS "
        "'from snowflake.snowpark.files import SnowflakeFile\n\ndef main(session, path):\n"
        "    with SnowflakeFile.open(path, require_scoped_url=False) as file:\n        return file.read()'"
    )
    assert rows("CALL opened('@d/b.csv')") == [("id,Name\n2.5,a\n",)]


READING = """
from snowflake.snowpark.files import SnowflakeFile
def read({arguments}, mode):
    with SnowflakeFile.open(address, mode) as file:
        found = file.read()
    return found if mode == "r" else found.decode()
"""


def reading(kind: str, arguments: str) -> str:
    """CREATE FUNCTION or PROCEDURE that reads the file at an address."""
    return (
        f"CREATE OR REPLACE {kind} read(address VARCHAR, mode VARCHAR) RETURNS VARCHAR LANGUAGE PYTHON"
        " RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'read'"
        f" AS $${READING.format(arguments=arguments)}$$"
    )


@pytest.mark.parametrize("mode", ["r", "rb"])
def test_a_function_reads_files_at_scoped_addresses(rows: Rows, mode: str) -> None:
    rows(reading("FUNCTION", "address"))
    addresses = "SELECT relative_path, BUILD_SCOPED_FILE_URL(@d, relative_path) AS url FROM DIRECTORY(@d)"
    found = rows(f"SELECT relative_path, read(url, '{mode}') FROM ({addresses}) ORDER BY 1")
    assert found == [("b.csv", "id,Name\n2.5,a\n"), ("x/a.csv", "id,Name\n1,a\nb,c\n")]


def test_a_procedure_reads_files_at_scoped_addresses_and_in_stages(rows: Rows) -> None:
    rows(reading("PROCEDURE", "session, address"))
    ((url,),) = rows("SELECT BUILD_SCOPED_FILE_URL(@d, 'b.csv')")
    for address in (url, "@d/b.csv"):
        assert rows(f"CALL read('{address}', 'r')") == [("id,Name\n2.5,a\n",)]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("'@d/b.csv'", r"pass BUILD_SCOPED_FILE_URL\(@stage, path\)"),
        (
            "REGEXP_REPLACE(BUILD_SCOPED_FILE_URL(@d, 'b.csv'), 'files/[^/]+', 'files/none')",
            "The scoped address is not valid, or not any more",
        ),
    ],
)
def test_what_a_function_cannot_read(rows: Rows, address: str, told: str) -> None:
    rows(reading("FUNCTION", "address"))
    with pytest.raises(SnowparkSQLException, match=told) as refused:
        rows(f"SELECT read({address}, 'r')")
    assert "urllib" not in str(refused.value) and "scoped_files" not in str(refused.value)
