"""GET_DDL tells statements that make the same objects again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sfml_local.core.errors import SqlError
from sfml_local.http.app import LocalServer


@pytest.fixture
def sql(server: LocalServer) -> Callable[[str], str]:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    server.account.execute(session, "CREATE OR REPLACE SCHEMA SFML.TOLD")
    return lambda text: server.account.execute(session, text).scalar


@pytest.mark.parametrize(
    ("kind", "name", "statement"),
    [
        (
            "PROCEDURE",
            "p(NUMBER, VARCHAR)",
            "CREATE PROCEDURE p(x INT, y VARCHAR DEFAULT 'q''s') RETURNS VARCHAR LANGUAGE PYTHON "
            "RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' "
            "COMMENT = 'c' EXECUTE AS CALLER AS 'def main(s, x, y):\n    return \"\\\\n\" + y'",
        ),
        (
            "FUNCTION",
            "f(NUMBER)",
            "CREATE SECURE FUNCTION f(x NUMBER(10, 2)) RETURNS FLOAT LANGUAGE PYTHON STRICT IMMUTABLE "
            "RUNTIME_VERSION = '3.11' HANDLER = 'main' AS 'def main(x):\n    return x'",
        ),
        (
            "FUNCTION",
            "t()",
            "CREATE FUNCTION t() RETURNS TABLE (a INT, \"b c\" VARCHAR) AS 'SELECT 1, ''x'''",
        ),
        ("SEQUENCE", "q", "CREATE SEQUENCE q START 3 INCREMENT 2"),
        (
            "FILE_FORMAT",
            "ff",
            "CREATE FILE FORMAT ff TYPE = CSV FIELD_DELIMITER = '\\t' NULL_IF = ('a''b', '')",
        ),
        ("TAG", "g", "CREATE TAG g ALLOWED_VALUES 'a', 'b''c' COMMENT = 'x\ny'"),
    ],
)
def test_what_is_told_makes_the_same_object(
    sql: Callable[[str], str], kind: str, name: str, statement: str
) -> None:
    sql(statement)
    told = sql(f"SELECT GET_DDL('{kind}', '{name}', TRUE)")
    assert told.lower().startswith("create or replace ")
    sql(told)
    assert sql(f"SELECT GET_DDL('{kind}', '{name}', TRUE)") == told


def test_a_python_procedure_is_told_with_its_clauses(sql: Callable[[str], str]) -> None:
    sql(
        "CREATE PROCEDURE p(x INT DEFAULT 1) RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11' "
        "PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS 'def main(s, x):\n    return x'"
    )
    assert sql("SELECT GET_DDL('PROCEDURE', 'p(NUMBER)')") == (
        'CREATE OR REPLACE PROCEDURE "P"("X" NUMBER(38,0) DEFAULT 1)\nRETURNS VARCHAR\nLANGUAGE PYTHON\n'
        "RUNTIME_VERSION = '3.11'\nPACKAGES = ('snowflake-snowpark-python')\nHANDLER = 'main'\nEXECUTE AS OWNER\n"
        "AS 'def main(s, x):\n    return x';"
    )


def test_routines_of_a_schema_are_told_by_signature(sql: Callable[[str], str]) -> None:
    for one in ("f(x DATE)", "f()", "f(x BOOLEAN)", '"F!"()'):
        sql(f"CREATE FUNCTION {one} RETURNS NUMBER AS '1'")
    sql("CREATE PROCEDURE f(a VARCHAR) RETURNS NUMBER LANGUAGE SQL AS 'BEGIN RETURN 6; END'")
    told = sql("SELECT GET_DDL('SCHEMA', 'TOLD')")
    assert [line for line in told.splitlines() if line.startswith("CREATE")] == [
        'CREATE OR REPLACE FUNCTION "F!"()',
        'CREATE OR REPLACE FUNCTION "F"()',
        'CREATE OR REPLACE PROCEDURE "F"("A" VARCHAR)',
        'CREATE OR REPLACE FUNCTION "F"("X" BOOLEAN)',
        'CREATE OR REPLACE FUNCTION "F"("X" DATE)',
    ]


@pytest.mark.parametrize("kind", ["Pipe", "warehouse", "EVENT TABLE"])
def test_kinds_that_are_not_described_are_refused_by_name(sql: Callable[[str], str], kind: str) -> None:
    with pytest.raises(SqlError, match="not emulated by the local server: GET_DDL of a"):
        sql(f"SELECT GET_DDL('{kind}', 'x')")


def test_an_unknown_routine_is_refused(sql: Callable[[str], str]) -> None:
    with pytest.raises(SqlError, match=r"Function 'SFML.TOLD.F\(INT\)' does not exist"):
        sql("SELECT GET_DDL('FUNCTION', 'f(INT)')")
    with pytest.raises(SqlError, match="syntax error"):
        sql("SELECT GET_DDL('FUNCTION', 'f')")
