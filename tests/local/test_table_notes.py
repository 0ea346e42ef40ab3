"""Comments of tables and lengths of text columns: SHOW, DESCRIBE and INSERT read them from memory, INFORMATION_SCHEMA
from the files, and both tell the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from sfml_local.core.noted_tables import NotedTables
from sfml_local.http.app import LocalServer

TABLE = "CREATE TABLE notes (a VARCHAR(3), b VARCHAR(5), c INT) COMMENT = 'first'"
CHANGES = {
    "created": ((), "NOTES", "first", {"A": 3, "B": 5}),
    "made longer": (
        ("ALTER TABLE notes ALTER COLUMN a TYPE VARCHAR(9)",),
        "NOTES",
        "first",
        {"A": 9, "B": 5},
    ),
    "column added": (
        ("ALTER TABLE notes ADD COLUMN d VARCHAR(2)",),
        "NOTES",
        "first",
        {"A": 3, "B": 5, "D": 2},
    ),
    "column dropped": (("ALTER TABLE notes DROP COLUMN a",), "NOTES", "first", {"B": 5}),
    "column renamed": (("ALTER TABLE notes RENAME COLUMN a TO z",), "NOTES", "first", {"Z": 3, "B": 5}),
    "commented": (("COMMENT ON TABLE notes IS 'second'",), "NOTES", "second", {"A": 3, "B": 5}),
    "comment removed": (("ALTER TABLE notes SET COMMENT = ''",), "NOTES", "", {"A": 3, "B": 5}),
    "renamed": (("ALTER TABLE notes RENAME TO moved",), "MOVED", "first", {"A": 3, "B": 5}),
    "replaced": (("CREATE OR REPLACE TABLE notes (b VARCHAR(4), a INT)",), "NOTES", "", {"B": 4}),
    "dropped and created": (("DROP TABLE notes", "CREATE TABLE notes (b TEXT)"), "NOTES", "", {}),
    "in a new schema": (
        ("DROP SCHEMA noted", "CREATE SCHEMA noted", "CREATE TABLE notes (a TEXT, b TEXT)"),
        "NOTES",
        "",
        {},
    ),
}


@pytest.fixture
def connection(server: LocalServer) -> Iterator[SnowflakeConnection]:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        connection.cursor().execute("CREATE OR REPLACE SCHEMA noted").execute(TABLE)
        yield connection


def in_memory(connection: SnowflakeConnection, table: str) -> tuple[str, dict[str, int]]:
    comment = connection.cursor().execute(f"SHOW TABLES LIKE '{table}' IN SCHEMA noted").fetchall()[0][5]
    types = {row[0]: row[1] for row in connection.cursor().execute(f"DESCRIBE TABLE {table}").fetchall()}
    lengths = {name: int(kind[8:-1]) for name, kind in types.items() if kind.startswith("VARCHAR")}
    return comment, {name: length for name, length in lengths.items() if length < 16777216}


def in_files(connection: SnowflakeConnection, table: str) -> tuple[str, dict[str, int]]:
    place = f"WHERE table_schema = 'NOTED' AND table_name = '{table}'"
    query = f"SELECT comment FROM information_schema.tables {place}"
    comment = connection.cursor().execute(query).fetchall()[0][0] or ""
    query = f"SELECT column_name, character_maximum_length FROM information_schema.columns {place}"
    lengths = dict(connection.cursor().execute(query).fetchall())
    return comment, {name: length for name, length in lengths.items() if length and length < 16777216}


@pytest.mark.parametrize("change", CHANGES)
def test_memory_and_files_tell_the_same(
    server: LocalServer, connection: SnowflakeConnection, change: str
) -> None:
    statements, table, comment, lengths = CHANGES[change]
    for statement in statements:
        connection.cursor().execute(statement)
    assert in_memory(connection, table) == (comment, lengths)
    assert in_files(connection, table) == (comment, lengths)
    with server.account.engine.connection() as duck:
        assert vars(NotedTables(duck)) == vars(server.account.engine.noted)


def test_a_later_server_knows_them(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        connection.cursor().execute("CREATE SCHEMA noted").execute(TABLE)
    with LocalServer(tmp_path) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        connection.cursor().execute("USE SCHEMA noted")
        assert in_memory(connection, "NOTES") == in_files(connection, "NOTES") == ("first", {"A": 3, "B": 5})
        with pytest.raises(ProgrammingError, match="too long"):
            connection.cursor().execute("INSERT INTO notes VALUES ('long', 'b', 1)")
