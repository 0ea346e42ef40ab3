"""Streams on tables: what they show, who consumes them, and what a rollback takes back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stream_account import StreamSql, started

from sfml_local.core.account import Account
from sfml_local.core.errors import SqlError
from sfml_local.registry import open_account


class Sql(StreamSql):
    def changes(self, stream: str = "s") -> list[tuple[Any, ...]]:
        """(A, B, action, is it an update) of each row, in order."""
        return self(
            f"SELECT a, b, METADATA$ACTION, METADATA$ISUPDATE FROM {stream} ORDER BY a, METADATA$ACTION, b"
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with started(tmp_path_factory.mktemp("streams")) as account:
        yield account


@pytest.fixture
def sql(account: Account) -> Iterator[Sql]:
    sql = Sql(account)
    sql("CREATE OR REPLACE TABLE t (a INT, b VARCHAR(10))")
    sql("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y')")
    sql("CREATE OR REPLACE STREAM s ON TABLE t")
    sql("CREATE OR REPLACE STREAM ap ON TABLE t APPEND_ONLY = TRUE")
    sql("CREATE OR REPLACE TABLE seen (a INT, b VARCHAR, action VARCHAR)")
    yield sql
    account.sessions.close(sql.session)


CONSUME = "INSERT INTO seen SELECT a, b, METADATA$ACTION FROM s"
INSERT, DELETE = "INSERT", "DELETE"


@pytest.mark.parametrize(
    ("statements", "standard", "appended"),
    [
        ((), [], []),
        (("INSERT INTO t VALUES (3, 'n')",), [(3, "n", INSERT, False)], [3]),
        (
            ("UPDATE t SET b = 'z' WHERE a = 1",),
            [(1, "x", DELETE, True), (1, "z", INSERT, True)],
            [],
        ),
        (("DELETE FROM t WHERE a = 1",), [(1, "x", DELETE, False)], []),
        # The net of several statements: what the table was at the offset against what it is.
        (
            ("INSERT INTO t VALUES (3, 'n')", "UPDATE t SET b = 'm' WHERE a = 3"),
            [(3, "m", INSERT, False)],
            [3],
        ),
        (("INSERT INTO t VALUES (3, 'n')", "DELETE FROM t WHERE a = 3"), [], [3]),
        (
            ("UPDATE t SET b = 'z' WHERE a = 1", "UPDATE t SET b = 'w' WHERE a = 1"),
            [(1, "x", DELETE, True), (1, "w", INSERT, True)],
            [],
        ),
        (("UPDATE t SET b = 'z' WHERE a = 1", "DELETE FROM t WHERE a = 1"), [(1, "x", DELETE, False)], []),
        (("DELETE FROM t WHERE a = 2",), [(2, "y", DELETE, False)] * 2, []),
        (
            ("TRUNCATE TABLE t",),
            [(1, "x", DELETE, False), (2, "y", DELETE, False), (2, "y", DELETE, False)],
            [],
        ),
        (("UPDATE t SET b = 'nobody' WHERE a = 77", "DELETE FROM t WHERE a = 77"), [], []),
        (
            (
                "MERGE INTO t USING (SELECT 1 AS a, 'm' AS b UNION ALL SELECT 5, 'new') AS n ON t.a = n.a"
                " WHEN MATCHED THEN UPDATE SET b = n.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (n.a, n.b)",
            ),
            [(1, "x", DELETE, True), (1, "m", INSERT, True), (5, "new", INSERT, False)],
            [5],
        ),
    ],
)
def test_what_a_stream_shows(
    sql: Sql, statements: tuple[str, ...], standard: list[Any], appended: list[int]
) -> None:
    for statement in statements:
        sql(statement)
    assert sorted(sql.changes()) == sorted(standard)
    assert [row[0] for row in sql.changes("ap")] == appended
    assert (sql.has_data(), sql.has_data("ap")) == (bool(standard), bool(appended))


def test_a_row_keeps_its_id_until_it_is_consumed(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    [(first,)] = sql("SELECT METADATA$ROW_ID FROM s")
    sql("UPDATE t SET b = 'm' WHERE a = 3")
    assert sql("SELECT METADATA$ROW_ID FROM s") == [(first,)]
    sql("UPDATE t SET b = 'z' WHERE a = 1")
    assert len(set(sql("SELECT METADATA$ROW_ID FROM s WHERE a = 1"))) == 1


def test_columns_stand_in_the_order_of_the_table(sql: Sql) -> None:
    result = sql.account.execute(sql.session, "SELECT * FROM s")
    assert result.names() == ("A", "B", "METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID")


def test_an_updated_list_is_an_update(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE lists (a INT, b ARRAY)")
    sql("INSERT INTO lists SELECT 1, ARRAY_CONSTRUCT(1) UNION ALL SELECT 2, ARRAY_CONSTRUCT(2)")
    sql("CREATE OR REPLACE STREAM ls ON TABLE lists")
    sql("UPDATE lists SET b = ARRAY_CONSTRUCT(9) WHERE a = 2")
    assert sql("SELECT a, METADATA$ACTION, METADATA$ISUPDATE FROM ls ORDER BY 2") == [
        (2, DELETE, True),
        (2, INSERT, True),
    ]


def test_rows_at_the_beginning_on_request(sql: Sql) -> None:
    sql("CREATE OR REPLACE STREAM initial ON TABLE t SHOW_INITIAL_ROWS = TRUE")
    assert [row[:3] for row in sql.changes("initial")] == [
        (1, "x", INSERT),
        (2, "y", INSERT),
        (2, "y", INSERT),
    ]


def test_a_table_that_grows_a_column(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("ALTER TABLE t ADD COLUMN c INT")
    sql("INSERT INTO t VALUES (4, 'o', 7)")
    assert sql("SELECT a, c FROM s ORDER BY a") == [(3, None), (4, 7)]


# -- consuming


@pytest.mark.parametrize(
    "consumer",
    [
        CONSUME,
        "INSERT INTO seen SELECT a, b, 'x' FROM s WHERE 1 = 0",
        "INSERT INTO seen WITH w AS (SELECT * FROM s) SELECT a, b, 'x' FROM w",
        "CREATE OR REPLACE TABLE copied AS SELECT * FROM s",
        "MERGE INTO seen USING s ON seen.a = s.a WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
        "UPDATE seen SET b = s.b FROM s WHERE seen.a = s.a",
        "DELETE FROM seen USING s WHERE seen.a = s.a",
    ],
)
def test_what_consumes_a_stream(sql: Sql, consumer: str) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql(consumer)
    assert not sql.has_data()
    assert sql.has_data("ap"), "another stream on the table has an offset of its own"
    sql("INSERT INTO t VALUES (4, 'o')")
    assert sql.changes() == [(4, "o", INSERT, False)]


@pytest.mark.parametrize(
    "reader", ["SELECT * FROM s", "SELECT COUNT(*) FROM s AS x JOIN t ON x.a = t.a", "DESCRIBE STREAM s"]
)
def test_what_does_not(sql: Sql, reader: str) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    assert sql(reader)
    assert sql.has_data()


def test_a_failed_statement_consumes_nothing(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    for statement in (
        "INSERT INTO seen SELECT a, b, 1 / (a - 3) || CAST('x' AS INT) FROM s",
        "CREATE OR REPLACE TABLE copied AS SELECT CAST(b AS INT) AS n FROM s",
    ):
        with pytest.raises(SqlError):
            sql(statement)
    assert sql.changes() == [(3, "n", INSERT, False)]
    assert sql("SELECT * FROM seen") == []


def test_a_rollback_takes_consumption_back(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("BEGIN")
    sql(CONSUME)
    sql("ROLLBACK")
    assert sql.has_data()
    assert sql("SELECT * FROM seen") == []
    sql("BEGIN")
    sql(CONSUME)
    sql("COMMIT")
    assert not sql.has_data()


def test_a_rollback_takes_changes_back(sql: Sql) -> None:
    sql("BEGIN")
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("UPDATE t SET b = 'z' WHERE a = 1")
    sql("ROLLBACK")
    assert sql.changes() == sql.changes("ap") == []


def test_within_a_transaction_a_stream_stands_still(sql: Sql, account: Account) -> None:
    """Every statement of a transaction reads the same, and what comes meanwhile is for the next one."""
    other = Sql(account)
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("BEGIN")
    sql(CONSUME)
    sql("INSERT INTO t VALUES (4, 'own')")
    other("INSERT INTO t VALUES (5, 'other')")
    sql(CONSUME)
    assert sql.changes() == [(3, "n", INSERT, False)]
    sql("COMMIT")
    assert sql("SELECT a FROM seen") == [(3,), (3,)]
    assert sql.changes() == [(4, "own", INSERT, False), (5, "other", INSERT, False)]


def test_ddl_commits_what_the_transaction_consumed(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("BEGIN")
    sql(CONSUME)
    sql("CREATE OR REPLACE TABLE other (n INT)")
    sql("ROLLBACK")
    assert not sql.has_data()
    assert sql("SELECT a FROM seen") == [(3,)]


def test_a_stream_moves_with_its_table_into_another(sql: Sql) -> None:
    """A consumer may itself be followed: changes go on down the line."""
    sql("CREATE OR REPLACE STREAM further ON TABLE seen")
    sql("INSERT INTO t VALUES (3, 'n')")
    sql(CONSUME)
    assert sql("SELECT a, METADATA$ACTION FROM further") == [(3, INSERT)]


@pytest.mark.parametrize("seed", range(5))
def test_applying_a_stream_reproduces_the_table(sql: Sql, seed: int) -> None:
    """Whatever is done to a table: its rows at the offset, less the deletes, plus the inserts, are its rows now."""
    chance = random.Random(seed)
    copy = Counter(sql("SELECT a, b FROM t"))
    for _ in range(6):
        for _ in range(chance.randrange(6)):
            n, m = chance.randrange(5), chance.randrange(5)
            statement = chance.choice(
                [
                    f"INSERT INTO t VALUES ({n}, '{m}'), ({n}, '{m}'), ({m}, NULL)",
                    f"UPDATE t SET b = '{m}' WHERE a = {n}",
                    f"UPDATE t SET a = {m}, b = NULL WHERE a = {n}",
                    f"DELETE FROM t WHERE a = {n}",
                ]
            )
            if chance.random() < 0.2:
                sql("BEGIN")
                sql(statement)
                sql("ROLLBACK")
            elif chance.random() < 0.3:
                sql("BEGIN")
                sql(statement)
                sql(f"INSERT INTO t VALUES ({m}, 'tx')")
                sql("COMMIT")
            else:
                sql(statement)
        rows = sql("SELECT a, b, METADATA$ACTION, METADATA$ISUPDATE, METADATA$ROW_ID FROM s")
        gone = Counter(row[:2] for row in rows if row[2] == DELETE)
        assert not gone - copy, "a row goes that was not there"
        copy = copy - gone + Counter(row[:2] for row in rows if row[2] == INSERT)
        assert copy == Counter(sql("SELECT a, b FROM t"))
        updates = Counter(row[4] for row in rows if row[3])
        assert set(updates.values()) <= {2}
        sql("CREATE OR REPLACE TABLE copied AS SELECT * FROM s" if chance.random() < 0.5 else CONSUME)
        assert not sql.has_data()


# -- the objects


def test_show_and_describe(sql: Sql) -> None:
    sql("CREATE OR REPLACE STREAM ap ON TABLE sfml.public.t APPEND_ONLY = TRUE COMMENT = 'it''s'")
    rows = sql.account.execute(sql.session, "SHOW STREAMS LIKE 'AP' IN SCHEMA sfml.public").dicts()
    [row] = rows
    assert row["name"] == "AP"
    assert (row["table_name"], row["mode"], row["type"]) == ("SFML.PUBLIC.T", "APPEND_ONLY", "DELTA")
    assert (row["source_type"], row["stale"], row["comment"]) == ("Table", "false", "it's")
    assert sql.account.execute(sql.session, "DESCRIBE STREAM ap").dicts() == rows
    assert len(sql("SHOW TERSE STREAMS IN ACCOUNT LIMIT 1")) == 1
    sql("ALTER STREAM ap UNSET COMMENT")
    assert sql.account.execute(sql.session, "DESC STREAM ap").dicts()[0]["comment"] == ""


def test_creating_again_and_dropping(sql: Sql) -> None:
    with pytest.raises(SqlError, match="already exists"):
        sql("CREATE STREAM s ON TABLE t")
    sql("INSERT INTO t VALUES (3, 'n')")
    assert "already exists" in sql("CREATE STREAM IF NOT EXISTS s ON TABLE t")[0][0]
    assert sql.has_data()
    sql("CREATE OR REPLACE STREAM s ON TABLE t")
    assert not sql.has_data()
    sql("DROP STREAM s")
    for statement in ("SELECT * FROM s", "DROP STREAM s", "SELECT SYSTEM$STREAM_HAS_DATA('s')"):
        with pytest.raises(SqlError, match="does not exist or not authorized"):
            sql(statement)
    assert "already dropped" in sql("DROP STREAM IF EXISTS s")[0][0]


@pytest.mark.parametrize("change", ["DROP TABLE t", "CREATE OR REPLACE TABLE t (a INT, b VARCHAR)"])
def test_a_stream_whose_table_is_gone_is_stale(sql: Sql, change: str) -> None:
    sql(change)
    for statement in ("SELECT * FROM s", CONSUME, "SELECT SYSTEM$STREAM_HAS_DATA('s')"):
        with pytest.raises(
            SqlError, match=r"Base table 'SFML\.PUBLIC\.T' dropped, cannot read from stream 'S'"
        ):
            sql(statement)
    assert sql.account.execute(sql.session, "DESCRIBE STREAM s").dicts()[0]["stale"] == "true"


def test_a_stream_follows_a_table_that_is_renamed(sql: Sql) -> None:
    sql("ALTER TABLE t RENAME TO renamed")
    sql("INSERT INTO renamed VALUES (3, 'n')")
    assert sql.changes() == [(3, "n", INSERT, False)]
    sql("DROP TABLE renamed")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE STREAM x ON EXTERNAL TABLE t",
        "CREATE STREAM x ON TABLE t AT (OFFSET => -60)",
        "CREATE STREAM x ON TABLE tmp",
        "CREATE VIEW w AS SELECT * FROM s",
    ],
)
def test_what_is_not_emulated_says_so(sql: Sql, statement: str) -> None:
    sql("CREATE OR REPLACE TEMPORARY TABLE tmp (a INT)")
    with pytest.raises(SqlError, match="not emulated by the local server"):
        sql(statement)


def test_a_clone_begins_at_the_offset_of_its_source(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("CREATE OR REPLACE STREAM c CLONE s")
    assert sql("SELECT * FROM c") == sql("SELECT * FROM s")
    sql(CONSUME)
    sql("INSERT INTO t VALUES (4, 'o')")
    assert sql.changes("c") == [(3, "n", INSERT, False), (4, "o", INSERT, False)]
    assert sql.changes("s") == [(4, "o", INSERT, False)]


def test_a_stream_begins_at_the_offset_of_another(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("CREATE OR REPLACE STREAM c ON TABLE t AT (STREAM => 's') COMMENT = 'x'")
    assert sql("SELECT * FROM c") == sql("SELECT * FROM s")
    sql(CONSUME)
    assert (sql.changes("c"), sql.changes("s")) == ([(3, "n", INSERT, False)], [])
    sql("CREATE OR REPLACE TABLE other (a INT)")
    for wrong in ("ON TABLE t AT (STREAM => 's') APPEND_ONLY = TRUE", "ON TABLE other AT (STREAM => 's')"):
        with pytest.raises(SqlError, match="only with the table or view and the APPEND_ONLY of that stream"):
            sql(f"CREATE STREAM d {wrong}")
    with pytest.raises(SqlError, match=r"Stream 'SFML\.PUBLIC\.NONE' does not exist"):
        sql("CREATE STREAM d ON TABLE t AT (STREAM => 'none')")


def test_a_clone_is_as_its_source(sql: Sql) -> None:
    sql("CREATE OR REPLACE STREAM ap ON TABLE t APPEND_ONLY = TRUE COMMENT = 'c'")
    sql("CREATE OR REPLACE STREAM c CLONE ap")
    [row] = sql.account.execute(sql.session, "DESCRIBE STREAM c").dicts()
    assert (row["name"], row["table_name"], row["mode"]) == ("C", "SFML.PUBLIC.T", "APPEND_ONLY")
    assert row["comment"] == "c"
    with pytest.raises(SqlError, match="already exists"):
        sql("CREATE STREAM c CLONE s")
    assert "already exists" in sql("CREATE STREAM IF NOT EXISTS c CLONE s")[0][0]
    with pytest.raises(SqlError, match=r"'SFML\.PUBLIC\.NONE' does not exist"):
        sql("CREATE STREAM d CLONE none")
    with pytest.raises(SqlError, match="already exists"):
        sql("CREATE STREAM t CLONE s")


def test_a_stream_goes_with_its_schema(sql: Sql) -> None:
    sql("CREATE SCHEMA gone")
    sql("CREATE TABLE gone.t (a INT)")
    sql("CREATE STREAM gone.s ON TABLE gone.t")
    sql("CREATE STREAM public.on_gone ON TABLE gone.t")
    sql("DROP SCHEMA gone")
    names = [row[1] for row in sql("SHOW STREAMS IN DATABASE sfml")]
    assert "ON_GONE" in names
    assert "GONE" not in {row[3] for row in sql("SHOW STREAMS IN ACCOUNT")}
    with pytest.raises(SqlError, match="cannot read from stream"):
        sql("SELECT * FROM public.on_gone")


def test_streams_and_what_they_hold_survive_a_restart(tmp_path: Path) -> None:
    for sent in range(2):
        account = open_account(tmp_path / "local")
        sql = Sql(account)
        if sent == 0:
            sql("CREATE TABLE t (a INT, b VARCHAR)")
            sql("CREATE STREAM s ON TABLE t")
        sql(f"INSERT INTO t VALUES ({sent}, 'n')")
        assert [row[0] for row in sql.changes()] == list(range(sent + 1))
        account.close()


def test_a_refusal_shows_the_statement_as_it_was_written(sql: Sql) -> None:
    statement = "SELECT * FROM s MATCH_RECOGNIZE (ORDER BY a MEASURES 1 AS x PATTERN (p) DEFINE p AS a > 1)"
    with pytest.raises(SqlError) as refused:
        sql(statement)
    assert statement in refused.value.message


def test_its_tables_time_is_not_told(sql: Sql) -> None:
    with pytest.raises(SqlError, match=r"not emulated .*STREAM_GET_TABLE_TIMESTAMP"):
        sql("SELECT SYSTEM$STREAM_GET_TABLE_TIMESTAMP('s')")
