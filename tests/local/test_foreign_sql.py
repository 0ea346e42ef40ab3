"""What DuckDB would carry out and an account refuses: functions, types, relations and statements of other databases."""

from __future__ import annotations

from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError


def ask(connection: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall()  # type: ignore[return-value]


FUNCTIONS = (
    *("STRPOS('a', 'b')", "IF(TRUE, 1, 2)", "NOW()", "TODAY()", "STRING_AGG('a', ',')", "GROUP_CONCAT('a')"),
    *("PRINTF('%d', 1)", "REGEXP_MATCHES('a', 'a')", "LIST_VALUE(1)", "STRUCT_PACK(a := 1)", "ROW(1, 2)"),
    *("JSON_EXTRACT('{}', '$')", "MAKE_DATE(2020, 1, 1)", "DATE_DIFF('day', CURRENT_DATE, CURRENT_DATE)"),
    *("DATE_ADD(CURRENT_DATE, INTERVAL '1 day')", "VERSION()", "GENERATE_SERIES(1, 2)", "ARG_MAX(1, 2)"),
    *("FIRST(1)", "BOOL_AND(TRUE)", "SHA256('a')", "LOG10(100)", "STARTS_WITH('a', 'a')", "EPOCH_MS(1)"),
    *(
        "CURRENT_SETTING('threads')",
        "STRFTIME(CURRENT_DATE, '%Y')",
        "GEN_RANDOM_UUID()",
        "LEVENSHTEIN('a', 'b')",
    ),
)


@pytest.mark.parametrize("call", FUNCTIONS)
def test_functions_of_others_are_unknown(connection: SnowflakeConnection, call: str) -> None:
    name = call.partition("(")[0]
    for sql in (
        f"SELECT {call}",
        f"SELECT 1 AS a WHERE {call} IS NULL",
        f"CREATE TABLE made AS SELECT {call} AS a",
    ):
        with pytest.raises(ProgrammingError, match=f"Unknown function {name}$") as refused:
            ask(connection, sql)
        assert refused.value.errno == 2140


@pytest.mark.parametrize(
    "relation",
    ["READ_TEXT('/etc/hostname')", "READ_CSV('/etc/passwd')", "RANGE(3)", "DUCKDB_TABLES()", "GLOB('/*')"],
)
def test_table_functions_of_others_are_unknown(connection: SnowflakeConnection, relation: str) -> None:
    name = relation.partition("(")[0]
    for sql in (f"SELECT * FROM {relation}", f"SELECT * FROM TABLE({relation})"):
        with pytest.raises(ProgrammingError, match=rf"Unknown (table )?function {name}"):
            ask(connection, sql)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM '/etc/passwd'", "unexpected ''/etc/passwd''"),
        ("SELECT * FROM sqlite_master", "Object 'SQLITE_MASTER' does not exist"),
        ("SELECT * FROM duckdb_settings", "Object 'DUCKDB_SETTINGS' does not exist"),
        ("SELECT * FROM PG_CATALOG.PG_TABLES", "Schema 'SFML.PG_CATALOG' does not exist"),
        ("PRAGMA database_list", "position 0 unexpected 'PRAGMA'"),
        ("CHECKPOINT", "syntax error line 1 at position 0 unexpected 'CHECKPOINT'"),
        ("VACUUM", "position 0 unexpected 'VACUUM'"),
        ("LOAD httpfs", "position 0 unexpected 'LOAD'"),
        ("PREPARE q AS SELECT 1", "position 0 unexpected 'PREPARE'"),
        ("EXPLAIN SELECT 1", "not emulated"),
        ("COPY t TO '/tmp/copied.csv'", "not emulated"),
        ("SELECT DISTINCT ON (a) a FROM t", "unexpected 'ON'"),
        ("SELECT 'a' SIMILAR TO 'a'", "unexpected 'SIMILAR'"),
        ("SELECT 'a' GLOB 'a'", "unexpected 'GLOB'"),
        ("SELECT PUBLIC.TODAY()", "Unknown user-defined function PUBLIC.TODAY"),
    ],
)
def test_statements_and_relations_of_others_are_refused(
    connection: SnowflakeConnection, sql: str, words: str
) -> None:
    ask(connection, "CREATE OR REPLACE TABLE t (a INT)")
    with pytest.raises(ProgrammingError, match=words):
        ask(connection, sql)


@pytest.mark.parametrize(
    "kind",
    [
        "HUGEINT",
        "JSON",
        "BLOB",
        "BIT",
        "INT8",
        "INT64",
        "CLOB",
        "LONGTEXT",
        "STRUCT(x INT)",
        "INT[]",
        "TIMETZ",
    ],
)
def test_types_of_others_are_unsupported(connection: SnowflakeConnection, kind: str) -> None:
    words = f"Unsupported data type '{kind.partition('(')[0]}'.".replace("[", r"\[")
    with pytest.raises(ProgrammingError, match=words):
        ask(connection, f"CREATE OR REPLACE TABLE t (a {kind})")
    with pytest.raises(ProgrammingError, match=words):
        ask(connection, f"SELECT CAST(NULL AS {kind})")


def test_a_users_own_come_first(connection: SnowflakeConnection) -> None:
    ask(
        connection,
        "CREATE OR REPLACE FUNCTION STRPOS(a VARCHAR, b VARCHAR) RETURNS INT AS '7'",
        "CREATE OR REPLACE TABLE duckdb_tables AS SELECT 5 AS a",
    )
    assert ask(connection, "SELECT STRPOS('a', 'b'), PUBLIC.STRPOS('a', 'b'), a FROM duckdb_tables") == [
        (7, 7, 5)
    ]
    assert ask(connection, "WITH pg_class AS (SELECT 3 AS a) SELECT a FROM pg_class") == [(3,)]
    assert ask(connection, "SELECT json, bit FROM (SELECT 1 AS json, 2 AS bit)") == [(1, 2)]
