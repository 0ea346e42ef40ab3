"""Streams on stages: what a refresh of the directory registers is what they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stream_account import StreamSql, started

from sfml_local.core.account import Account
from sfml_local.core.errors import SqlError

INSERT, DELETE = "INSERT", "DELETE"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with started(tmp_path_factory.mktemp("stage_streams")) as account:
        yield account


class Sql(StreamSql):
    def put(self, path: str, text: str, stage: str = "D") -> None:
        """Write a file as a client does."""
        row = self.account.store.row("SELECT folder FROM stages WHERE name = ?", (stage,))
        assert row is not None
        file = self.account.stages_folder / row["folder"] / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def refreshed(self, subpath: str = "") -> list[tuple[str, str]]:
        """What a refresh tells: file and status."""
        words = f" SUBPATH = '{subpath}'" if subpath else ""
        return [(row[0], row[1]) for row in self(f"ALTER STAGE d REFRESH{words}")]

    def changes(self, stream: str = "s") -> list[tuple[Any, ...]]:
        return self(f"SELECT relative_path, METADATA$ACTION, METADATA$ISUPDATE FROM {stream} ORDER BY 1, 2")


@pytest.fixture
def sql(account: Account) -> Iterator[Sql]:
    sql = Sql(account)
    sql("CREATE OR REPLACE STAGE d DIRECTORY = (ENABLE = TRUE)")
    sql.put("before.csv", "1")
    sql.refreshed()
    sql("CREATE OR REPLACE STREAM s ON STAGE d")
    sql("CREATE OR REPLACE TABLE seen (path VARCHAR, size INT)")
    yield sql
    account.sessions.close(sql.session)


CONSUME = "INSERT INTO seen SELECT relative_path, size FROM s"


def test_a_refresh_decides_what_a_stream_shows(sql: Sql) -> None:
    sql.put("x/a.csv", "12")
    assert (sql.changes(), sql.has_data()) == ([], False)
    assert sql.refreshed() == [("x/a.csv", "REGISTERED_NEW")]
    assert (sql.changes(), sql.has_data()) == ([("x/a.csv", INSERT, False)], True)
    assert sql.refreshed() == []
    sql("REMOVE @d/before.csv")
    assert sql.refreshed() == [("before.csv", "UNREGISTERED")]
    assert sql.changes() == [("before.csv", DELETE, False), ("x/a.csv", INSERT, False)]
    sql(CONSUME)
    assert (sql.changes(), sql.has_data()) == ([], False)
    assert sql("SELECT * FROM seen ORDER BY 1") == [("before.csv", 1), ("x/a.csv", 2)]


def test_a_file_that_is_put_again_is_an_update(sql: Sql) -> None:
    sql.put("before.csv", "2")
    assert sql.refreshed() == [("before.csv", "REGISTERED_UPDATE")]
    assert sql.changes() == [("before.csv", DELETE, True), ("before.csv", INSERT, True)]
    digests = sql("SELECT md5 FROM s ORDER BY METADATA$ACTION")
    listed = {row[0]: row[2] for row in sql("LIST @d")}
    assert digests[1] == (listed["d/before.csv"],) != digests[0]


def test_the_columns_are_those_of_a_directory(sql: Sql) -> None:
    sql.put("a.csv", "1")
    sql.refreshed()
    shown = sql.account.execute(sql.session, "SELECT * FROM s")
    directory = sql.account.execute(sql.session, "SELECT * FROM DIRECTORY(@d) WHERE relative_path = 'a.csv'")
    width = len(directory.columns)
    assert shown.names() == (*directory.names(), "METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID")
    assert [column.type for column in shown.columns][:width] == [column.type for column in directory.columns]
    assert shown.rows[0][:width] == directory.rows[0]


def test_a_part_of_a_stage_is_refreshed(sql: Sql) -> None:
    for path in ("x/a.csv", "y/b.csv"):
        sql.put(path, "1")
    sql("REMOVE @d/before.csv")
    assert sql.refreshed("x") == [("x/a.csv", "REGISTERED_NEW")]
    assert sql.changes() == [("x/a.csv", INSERT, False)]
    assert sql.refreshed() == [("before.csv", "UNREGISTERED"), ("y/b.csv", "REGISTERED_NEW")]


def test_a_rollback_takes_consumption_of_files_back(sql: Sql) -> None:
    sql.put("a.csv", "1")
    sql.refreshed()
    sql("BEGIN")
    sql(CONSUME)
    sql("ROLLBACK")
    assert sql.changes() == [("a.csv", INSERT, False)]


def test_a_clone_begins_where_its_source_is(sql: Sql) -> None:
    sql.put("a.csv", "1")
    sql.refreshed()
    sql("CREATE OR REPLACE STREAM copied CLONE s")
    sql(CONSUME)
    assert sql.changes("copied") == [("a.csv", INSERT, False)]
    [row] = sql.account.execute(sql.session, "SHOW STREAMS LIKE 'copied'").dicts()
    assert (row["source_type"], row["table_name"]) == ("Stage", "SFML.PUBLIC.D")


@pytest.mark.parametrize("gone", ["DROP STAGE d", "CREATE OR REPLACE STAGE d DIRECTORY = (ENABLE = TRUE)"])
def test_a_stream_whose_stage_is_gone_is_stale(sql: Sql, gone: str) -> None:
    sql(gone)
    [row] = sql.account.execute(sql.session, "SHOW STREAMS LIKE 's'").dicts()
    assert row["stale"] == "true"
    with pytest.raises(SqlError, match=r"'SFML\.PUBLIC\.D' dropped"):
        sql.changes()


def test_a_stream_follows_a_stage_to_its_new_name(sql: Sql) -> None:
    sql("DROP STAGE IF EXISTS e")
    sql("ALTER STAGE d RENAME TO e")
    sql.put("a.csv", "1", "E")
    sql("ALTER STAGE e REFRESH")
    assert sql.changes() == [("a.csv", INSERT, False)]
    assert (
        sql.account.execute(sql.session, "SHOW STREAMS LIKE 's'").dicts()[0]["table_name"] == "SFML.PUBLIC.E"
    )
    sql("DROP STAGE e")


def test_a_stage_leaves_nothing_behind(sql: Sql) -> None:
    sql("CREATE SCHEMA SFML.GONE")
    sql("CREATE STAGE g DIRECTORY = (ENABLE = TRUE)")
    sql("CREATE STREAM gs ON STAGE g")
    tables = "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '_sfml_directory_%'"
    [(before,)] = sql.account.engine.rows(tables)
    sql("DROP SCHEMA SFML.GONE")
    sql("USE SCHEMA SFML.PUBLIC")
    assert sql.account.engine.rows(tables) == [(before - 1,)]
    assert sql.account.store.rows("SELECT * FROM stream_stages WHERE stage LIKE 'SFML.GONE.%'") == []


def test_a_second_server_goes_on_with_what_was_registered(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        sql = Sql(first)
        sql("CREATE STAGE d DIRECTORY = (ENABLE = TRUE)")
        sql("CREATE STREAM s ON STAGE d")
        sql.put("a.csv", "1")
        sql.refreshed()
    with started(tmp_path) as second:
        sql = Sql(second)
        sql.put("b.csv", "1")
        assert sql.refreshed() == [("b.csv", "REGISTERED_NEW")]
        assert sql.changes() == [("a.csv", INSERT, False), ("b.csv", INSERT, False)]


def test_many_files_are_registered_at_once(sql: Sql) -> None:
    names = sorted(f"part_{number:04d}.csv" for number in range(1_200))
    for name in names:
        sql.put(name, "1")
    assert [path for path, _ in sql.refreshed()] == names
    sql(CONSUME)
    assert len(sql("SELECT * FROM seen")) == len(names)
