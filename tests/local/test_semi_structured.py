"""Arrays and objects told apart from variants: what clients decide by the type that a column is described with."""

from __future__ import annotations

from pathlib import Path

import pytest
import snowflake.connector
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F

from sfml_local.http.app import LocalServer


@pytest.fixture(autouse=True)
def table(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE S (ID INT, A ARRAY, O OBJECT, V VARIANT)").collect()
    session.sql(
        "INSERT INTO S SELECT 1, ARRAY_CONSTRUCT(1, 2), OBJECT_CONSTRUCT('k', 1), PARSE_JSON('[3]')"
    ).collect()


def types(session: Session, query: str) -> str:
    """The first letter of each column's type: array, map, variant, or anything else."""
    return "".join(type(field.datatype).__name__[0] for field in session.sql(query).schema.fields)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT A, O, V FROM S", "AMV"),
        ("SELECT s.*, x.A AS B FROM S JOIN (SELECT ID, A FROM S) x ON S.ID = x.ID", "LAMVA"),
        ("WITH w (p, q) AS (SELECT A, V FROM S) SELECT q, p FROM w", "VA"),
        ("SELECT A FROM S UNION ALL SELECT A FROM S", "A"),
        ("SELECT ARRAY_AGG(ID) AS X, SPLIT('a,b', ',') AS Y, OBJECT_AGG('k', V) AS Z FROM S", "AAM"),
        ("SELECT A[0] AS X, V::ARRAY AS Y, COALESCE(A, NULL) AS Z, IFF(ID = 1, O, NULL) AS W FROM S", "VAAM"),
        ("SELECT MAX(V) AS V, ANY_VALUE(A) AS A FROM S GROUP BY ID", "VA"),
    ],
)
def test_queries_tell_arrays_and_objects(session: Session, query: str, expected: str) -> None:
    assert types(session, query) == expected


def test_types_follow_their_table(session: Session) -> None:
    for statement in (
        "CREATE OR REPLACE VIEW S_VIEW AS SELECT A AS B, O FROM S",
        "CREATE OR REPLACE TABLE S_COPY AS SELECT * FROM S",
        "CREATE OR REPLACE TABLE S_CLONE CLONE S",
        "CREATE OR REPLACE TEMPORARY TABLE S_OWN AS SELECT O, A FROM S",
        "ALTER TABLE S_COPY ADD COLUMN MORE ARRAY",
        "ALTER TABLE S_COPY RENAME COLUMN A TO A1",
        "ALTER TABLE S_COPY RENAME TO S_MOVED",
    ):
        session.sql(statement).collect()
    assert types(session, "SELECT * FROM S_VIEW") == "AM"
    assert types(session, "SELECT * FROM S_MOVED") == "LAMVA"
    assert types(session, "SELECT * FROM S_CLONE") == "LAMV"
    assert types(session, "SELECT * FROM S_OWN") == "MA"
    described = session.sql("DESCRIBE TABLE S_MOVED").collect()
    assert [row["type"] for row in described] == ["NUMBER(38,0)", "ARRAY", "OBJECT", "VARIANT", "ARRAY"]
    session.sql("CREATE OR REPLACE TABLE S_MOVED (A VARIANT)").collect()
    assert types(session, "SELECT * FROM S_MOVED") == "V"


def test_snowpark_explodes_them(session: Session) -> None:
    exploded = session.table("S").select("ID", F.explode("A")).collect()
    assert sorted(tuple(row) for row in exploded) == [(1, "1"), (1, "2")]
    frame = session.create_dataframe([[1, ["a"], {"k": 1}]], schema=["I", "L", "M"])
    frame.write.save_as_table("S_WRITTEN", mode="overwrite")
    read = session.table("S_WRITTEN").cache_result()
    assert [tuple(row) for row in read.select(F.explode("M")).collect()] == [("k", "1")]


def test_types_outlive_the_server(folder: Path) -> None:
    for statement in ("CREATE TABLE S AS SELECT ARRAY_CONSTRUCT(1) AS A", "DESCRIBE TABLE S"):
        with (
            LocalServer(folder) as server,
            snowflake.connector.connect(**server.connect_args()) as connection,
        ):
            rows = connection.cursor().execute(statement).fetchall()
    assert [row[1] for row in rows] == ["ARRAY"]


LAID_OUT = '{\n  "a": [\n    1,\n    {}\n  ],\n  "b, c": "[x]"\n}'


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ('PARSE_JSON(\'{"b, c": "[x]", "a": [1, {}]}\')', LAID_OUT),
        ("OBJECT_CONSTRUCT('a', [1, OBJECT_CONSTRUCT()], 'b, c', '[x]')", LAID_OUT),
        ("[]::ARRAY", "[]"),
        ("PARSE_JSON('\"[1]\"')", '"[1]"'),
        ('PARSE_JSON(\'"a\\\\"{b"\')', '"a\\"{b"'),
        ("TO_JSON(PARSE_JSON('[1, 2]'))", "[1,2]"),
        ("PARSE_JSON('[1, 2]')::VARCHAR", "[1,2]"),
    ],
)
def test_clients_get_values_indented(session: Session, value: str, sent: str) -> None:
    assert session.sql(f"SELECT {value}").collect()[0][0] == sent
    session.sql(f"CREATE OR REPLACE TABLE SENT AS SELECT {value} AS X").collect()
    assert session.table("SENT").to_pandas()["X"].tolist() == [sent]


def test_callers_get_values_indented(session: Session) -> None:
    session.sql(
        "CREATE OR REPLACE PROCEDURE FOUND() RETURNS VARIANT AS 'BEGIN RETURN PARSE_JSON(''[1]''); END'"
    ).collect()
    assert session.sql("CALL FOUND()").collect()[0][0] == "[\n  1\n]"


def test_indentation_is_a_parameter_of_the_session(session: Session) -> None:
    value = 'PARSE_JSON(\'[1, {"a": " b"}]\')'
    for spaces, sent in ((0, '[1,{"a":" b"}]'), (1, '[\n 1,\n {\n  "a": " b"\n }\n]')):
        session.sql(f"ALTER SESSION SET JSON_INDENT = {spaces}").collect()
        assert session.sql(f"SELECT {value}").collect()[0][0] == sent
