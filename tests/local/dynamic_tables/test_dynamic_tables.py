"""Dynamic tables: how they are made, refreshed, suspended and shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dynamic_sql import COUNTED, MINUTE, Sql, create, started

from sfml_local.core.errors import SqlError

# -- what it holds, and when


def test_it_holds_what_its_query_answered_when_it_was_refreshed(sql: Sql) -> None:
    sql(COUNTED)
    sql("INSERT INTO t VALUES (1, 'z')")
    assert sql("SELECT * FROM d ORDER BY a") == [(1, 1), (2, 1)]
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT * FROM d ORDER BY a") == [(1, 2), (2, 1)]


def test_it_is_refreshed_when_its_lag_has_passed(sql: Sql) -> None:
    sql(COUNTED)
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(MINUTE - timedelta(seconds=1))
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]
    sql.clock.advance(timedelta(seconds=1))
    assert sql("SELECT COUNT(*) FROM d") == [(3,)]
    assert sql.shown()["data_timestamp"] == sql.start + MINUTE


def test_one_that_waits_for_its_schedule_cannot_be_read_before(sql: Sql) -> None:
    sql(create("d", "SELECT * FROM t", more="INITIALIZE = ON_SCHEDULE"))
    for reading in (
        "SELECT * FROM d",
        "CREATE TABLE u AS SELECT * FROM d",
        "SELECT 1 FROM t JOIN d USING (a)",
    ):
        with pytest.raises(SqlError, match="not initialized"):
            sql(reading)
    assert sql.shown()["data_timestamp"] is None
    sql.clock.advance(MINUTE)
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]


def test_a_downstream_table_is_refreshed_with_what_reads_it(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql(create("d", "SELECT COUNT(*) AS n FROM up", lag="'5 minutes'"))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(4 * MINUTE)
    assert sql("SELECT COUNT(*) FROM up") == [(2,)]
    sql.clock.advance(MINUTE)
    assert (sql("SELECT COUNT(*) FROM up"), sql("SELECT n FROM d")) == ([(3,)], [(3,)])
    assert sql.history("target_lag_sec", name="up")[-1] == (300,)
    assert sql.shown("UP")["target_lag"] == "DOWNSTREAM"


def test_a_refresh_by_hand_refreshes_what_the_table_reads(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="'1 hour'"))
    sql(create("d", "SELECT COUNT(*) AS n FROM up", lag="'1 hour'"))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(MINUTE)
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT n FROM d") == [(3,)]
    moments = [sql.history("data_timestamp", name=name)[-1] for name in ("up", "d")]
    assert moments == [(sql.start + MINUTE,)] * 2


def test_several_are_refreshed_by_one_statement(sql: Sql) -> None:
    for name in "DE":
        sql(create(name, "SELECT a FROM t", lag="'1 hour'"))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql("ALTER DYNAMIC TABLE d, e REFRESH")
    assert (sql("SELECT COUNT(*) FROM d"), sql("SELECT COUNT(*) FROM e")) == ([(3,)], [(3,)])
    with pytest.raises(SqlError, match="does not exist"):
        sql("ALTER DYNAMIC TABLE d, nope REFRESH")
    sql("INSERT INTO t VALUES (4, 'z')")
    sql("ALTER DYNAMIC TABLE IF EXISTS nope, e REFRESH COPY SESSION")
    assert sql("SELECT COUNT(*) FROM e") == [(4,)]


def test_a_chain_of_downstream_tables_has_the_lag_of_what_reads_it(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql(create("middle", "SELECT a FROM up", lag="DOWNSTREAM"))
    for name, lag in (("d", "'5 minutes'"), ("e", "'2 minutes'")):
        sql(create(name, "SELECT COUNT(*) AS n FROM middle", lag=lag))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(2 * MINUTE)
    assert [sql(f"SELECT COUNT(*) FROM {name}") for name in ("up", "middle")] == [[(3,)], [(3,)]]
    assert (sql("SELECT n FROM e"), sql("SELECT n FROM d")) == ([(3,)], [(2,)])
    sql("ALTER DYNAMIC TABLE e SET TARGET_LAG = DOWNSTREAM")
    sql("INSERT INTO t VALUES (4, 'z')")
    sql.clock.advance(2 * MINUTE)
    assert sql("SELECT COUNT(*) FROM middle") == [(3,)]
    sql.clock.advance(MINUTE)
    assert (sql("SELECT n FROM d"), sql("SELECT n FROM e")) == ([(4,)], [(3,)])


def test_one_below_a_replaced_table_goes_on_with_its_rows(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql(create("d", "SELECT SUM(a) AS n FROM up"))
    sql(create("up", "SELECT a + 10 AS a FROM t", lag="DOWNSTREAM").replace("CREATE", "CREATE OR REPLACE"))
    assert sql("SELECT n FROM d") == [(3,)]
    sql.clock.advance(MINUTE)
    assert sql("SELECT n FROM d") == [(23,)]
    sql(create("up", "SELECT b FROM t", lag="DOWNSTREAM").replace("CREATE", "CREATE OR REPLACE"))
    sql.clock.advance(MINUTE)
    state, message = sql.history("state", "state_message")[-1]
    assert (state, message.endswith("\ninvalid identifier 'A'")) == ("FAILED", True)
    assert sql("SELECT n FROM d") == [(23,)]


def test_one_below_a_dropped_table_fails_until_it_is_back(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql(create("d", "SELECT COUNT(*) AS n FROM up"))
    sql("DROP DYNAMIC TABLE up")
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(MINUTE)
    state, said = sql.history("state", "state_message")[-1]
    assert (state, "'SFML.PUBLIC.UP' does not exist" in said) == ("FAILED", True)
    assert (sql("SELECT n FROM d"), sql.shown()["scheduling_state"]) == ([(2,)], "ACTIVE")
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql.clock.advance(MINUTE)
    assert sql("SELECT n FROM d") == [(3,)]


def test_a_downstream_table_that_nothing_reads_has_no_schedule(sql: Sql) -> None:
    sql(create("d", "SELECT a FROM t", lag="'DOWNSTREAM'"))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(timedelta(days=2))
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]


def test_changes_below_a_view_are_seen(sql: Sql) -> None:
    sql("CREATE VIEW v AS SELECT a FROM t WHERE a > 1")
    sql("CREATE VIEW w AS SELECT * FROM v")
    sql(create("d", "SELECT * FROM w"))
    sql("UPDATE t SET a = 5 WHERE a = 1")
    sql.clock.advance(MINUTE)
    assert sql("SELECT * FROM d ORDER BY a") == [(2,), (5,)]


def test_one_that_is_read_through_a_view_is_upstream(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql("CREATE VIEW v AS SELECT a FROM up")
    sql(create("d", "SELECT COUNT(*) AS n FROM v"))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(timedelta(seconds=1))
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT n FROM d") == [(3,)]
    sql("INSERT INTO t VALUES (4, 'z')")
    sql.clock.advance(MINUTE)
    assert sql("SELECT n FROM d") == [(4,)]
    sql("ALTER DYNAMIC TABLE up SUSPEND")
    assert sql.shown()["scheduling_state"] == "SUSPENDED"


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO t VALUES (3, 'z')",
        "UPDATE t SET b = 'q'",
        "DELETE FROM t",
        "MERGE INTO t USING (SELECT 9 AS k) s ON t.a = s.k WHEN NOT MATCHED THEN INSERT (a) VALUES (s.k)",
        "TRUNCATE TABLE t",
        "INSERT OVERWRITE INTO t SELECT 7, 'q'",
        "CREATE OR REPLACE TABLE t AS SELECT 8 AS a, 'r' AS b",
    ],
)
def test_whatever_changes_a_base_table_is_new_data(sql: Sql, change: str) -> None:
    sql(create("d", "SELECT * FROM t"))
    sql(change)
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT * FROM d ORDER BY 1") == sql("SELECT * FROM t ORDER BY 1")
    assert sql.history("refresh_action")[-1] == ("INCREMENTAL",)


def test_what_is_not_committed_is_no_new_data(sql: Sql) -> None:
    sql(create("d", "SELECT * FROM t"))
    other = sql.account.sessions.open(database="SFML", schema="PUBLIC")
    for statement in ("BEGIN", "INSERT INTO t VALUES (3, 'z')"):
        sql.account.execute(other, statement)
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql.history("refresh_action")[-1] == ("NO_DATA",)
    sql.account.execute(other, "ROLLBACK")
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql.history("refresh_action")[-1] == ("NO_DATA",)
    for statement in ("BEGIN", "INSERT INTO t VALUES (3, 'z')", "COMMIT"):
        sql.account.execute(other, statement)
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql.history("refresh_action")[-1] == ("INCREMENTAL",)
    assert sql("SELECT COUNT(*) FROM d") == [(3,)]


def test_a_stream_on_it_shows_what_a_refresh_changed(sql: Sql) -> None:
    sql(create("d", "SELECT a FROM t"))
    sql("CREATE STREAM s ON DYNAMIC TABLE d")
    sql("INSERT INTO t VALUES (3, 'z')")
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT a, METADATA$ACTION FROM s") == [(3, "INSERT")]


def test_it_outlives_the_server(tmp_path: Path) -> None:
    first = started(tmp_path / "account")
    first("CREATE TABLE t (a INT)")
    first(create("d", "SELECT a FROM t"))
    first("INSERT INTO t VALUES (1)")
    first.account.close()
    second = started(tmp_path / "account")
    second.clock.advance(MINUTE)
    assert second("SELECT a FROM d") == [(1,)]
    second.account.close()


# -- full and incremental


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("SELECT a, COUNT(*) AS n FROM t GROUP BY a", "INCREMENTAL"),
        ("SELECT t.a FROM t JOIN t u ON t.a = u.a", "INCREMENTAL"),
        ("SELECT a, AVG(a) OVER (PARTITION BY b) AS m FROM t", "INCREMENTAL"),
        ("WITH x AS (SELECT a FROM t) SELECT * FROM x UNION ALL SELECT a FROM t", "INCREMENTAL"),
        ("SELECT * FROM (SELECT a FROM t) x", "INCREMENTAL"),
        ("SELECT a FROM t WHERE a < DATE_PART(year, CURRENT_TIMESTAMP())", "INCREMENTAL"),
        ("SELECT a, CURRENT_TIMESTAMP() AS now FROM t", "FULL"),
        ("SELECT a, UUID_STRING() AS u FROM t", "FULL"),
        ("SELECT a FROM t EXCEPT SELECT 1", "FULL"),
        ("SELECT a FROM t ORDER BY a LIMIT 1", "FULL"),
        ("SELECT a FROM t WHERE a IN (SELECT a FROM t)", "FULL"),
        ("SELECT a, (SELECT MAX(a) FROM t) AS m FROM t", "FULL"),
        ("SELECT a FROM t SAMPLE (10)", "FULL"),
        ("SELECT a, PERCENT_RANK() OVER (ORDER BY a) AS r FROM t", "FULL"),
    ],
)
def test_the_mode_follows_the_query(sql: Sql, query: str, mode: str) -> None:
    sql(create("d", query))
    shown = sql.shown()
    assert shown["refresh_mode"] == mode
    assert (shown["refresh_mode_reason"] is None) == (mode == "INCREMENTAL")


def test_full_is_taken_as_asked_and_incremental_only_where_it_is_possible(sql: Sql) -> None:
    sql(create("d", "SELECT a FROM t", more="REFRESH_MODE = FULL"))
    assert (sql.shown()["refresh_mode"], sql.shown()["refresh_mode_reason"]) == ("FULL", None)
    with pytest.raises(SqlError, match=r"cannot be refreshed incrementally: .*non-deterministic"):
        sql(create("e", "SELECT RANDOM() AS r FROM t", more="REFRESH_MODE = INCREMENTAL"))


def test_the_history_tells_the_refreshes_apart(sql: Sql) -> None:
    sql(COUNTED)
    sql(create("f", "SELECT a FROM t", more="REFRESH_MODE = FULL"))
    sql.clock.advance(MINUTE)
    sql("INSERT INTO t VALUES (1, 'z')")
    sql.clock.advance(MINUTE)
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql.history("refresh_action", "refresh_trigger", "state") == [
        ("REINITIALIZE", "CREATION", "SUCCEEDED"),
        ("NO_DATA", "SCHEDULED", "SUCCEEDED"),
        ("INCREMENTAL", "SCHEDULED", "SUCCEEDED"),
        ("NO_DATA", "MANUAL", "SUCCEEDED"),
    ]
    assert sql.history("refresh_action", name="f") == [("FULL",), ("NO_DATA",), ("FULL",)]
    statistics = json.loads(sql.history("statistics")[2][0])
    assert (statistics["numInsertedRows"], statistics["numDeletedRows"]) == (1, 1)


# -- suspending


def test_suspending_takes_what_reads_it_along_and_resuming_brings_it_back(sql: Sql) -> None:
    sql(create("d", "SELECT a FROM t"))
    sql(create("e", "SELECT a FROM d", lag="'1 hour'"))
    sql("ALTER DYNAMIC TABLE d SUSPEND")
    states = "SELECT name, scheduling_state:state::VARCHAR, scheduling_state:reason_code::VARCHAR"
    graph = f"{states} FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLE_GRAPH_HISTORY()) ORDER BY name"
    assert sql(graph) == [
        ("D", "SUSPENDED", "USER_SUSPENDED"),
        ("E", "SUSPENDED", "UPSTREAM_SUSPENDED"),
    ]
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(timedelta(days=1))
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]
    with pytest.raises(SqlError, match="upstream dynamic table"):
        sql("ALTER DYNAMIC TABLE e RESUME")
    sql("ALTER DYNAMIC TABLE d RESUME")
    assert [row[1] for row in sql(graph)] == ["ACTIVE", "ACTIVE"]
    sql.clock.advance(timedelta(seconds=1))
    assert sql("SELECT COUNT(*) FROM d") == [(3,)]


def test_what_was_suspended_by_hand_stays_so(sql: Sql) -> None:
    sql(create("d", "SELECT a FROM t"))
    sql(create("e", "SELECT a FROM d", lag="'1 hour'"))
    for statement in ("e SUSPEND", "d SUSPEND", "d RESUME"):
        sql(f"ALTER DYNAMIC TABLE {statement}")
    assert [sql.shown(name)["scheduling_state"] for name in "DE"] == ["ACTIVE", "SUSPENDED"]


def test_a_suspended_table_can_be_refreshed_by_hand(sql: Sql) -> None:
    sql(COUNTED)
    sql("ALTER DYNAMIC TABLE d SUSPEND")
    sql("INSERT INTO t VALUES (3, 'z')")
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT COUNT(*) FROM d") == [(3,)]
    assert sql.shown()["last_suspended_on"] == sql.start


def test_five_failures_in_a_row_suspend_it(sql: Sql) -> None:
    sql(COUNTED)
    sql("DROP TABLE t")
    sql.clock.advance(4 * MINUTE)
    assert sql.shown()["scheduling_state"] == "ACTIVE"
    sql.clock.advance(10 * MINUTE)
    assert sql.shown()["scheduling_state"] == "SUSPENDED"
    failures = [row for row in sql.history("state", "state_code") if row[0] == "FAILED"]
    assert failures == [("FAILED", "002003")] * 5
    with pytest.raises(
        SqlError, match=r"Failed to refresh dynamic table (?s:.*)'SFML.PUBLIC.T' does not exist"
    ):
        sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]


def test_the_failure_of_what_it_reads_is_told_of_it(sql: Sql) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql(create("d", "SELECT a FROM up"))
    sql("DROP TABLE t")
    sql.clock.advance(MINUTE)
    assert sql.history("state")[-1] == ("UPSTREAM_FAILED",)
    assert "SFML.PUBLIC.UP" in sql.history("state_message")[-1][0]


# -- what is kept beside it


def test_comments_tags_and_keys_are_kept(sql: Sql) -> None:
    written = (
        "CREATE DYNAMIC TABLE d (k COMMENT 'the key', v) TARGET_LAG = '1440 minutes' COMMENT = 'it''s d'\n"
        "TAG (grade = 'A') WAREHOUSE = w CLUSTER BY (k) AS SELECT a, b FROM t"
    )
    sql(written)
    shown = sql.shown()
    told = ("comment", "target_lag", "cluster_by", "warehouse", "text", "rows")
    assert tuple(shown[key] for key in told) == ("it's d", "1 day", "LINEAR(k)", "W", written, 2)
    described = sql.dicts("DESC DYNAMIC TABLE d")
    assert [(row["name"], row["type"], row["comment"]) for row in described] == [
        ("K", "NUMBER(38,0)", "the key"),
        ("V", "VARCHAR(16777216)", None),
    ]
    assert sql("SELECT SYSTEM$GET_TAG('grade', 'd', 'TABLE')") == [("A",)]
    sql("INSERT INTO t VALUES (3, 'z')")
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert sql.dicts("DESC DYNAMIC TABLE d") == described
    sql("ALTER DYNAMIC TABLE d UNSET TAG grade")
    assert sql("SELECT SYSTEM$GET_TAG('grade', 'd', 'TABLE')") == [(None,)]
    assert sql("SELECT GET_DDL('DYNAMIC_TABLE', 'd')")[0][0].startswith(
        "create or replace dynamic table D (k"
    )


def test_columns_get_comments(sql: Sql) -> None:
    sql(COUNTED)
    comments: Callable[[], Any] = lambda: [  # noqa: E731
        row["comment"] for row in sql.dicts("DESC DYNAMIC TABLE d")
    ]
    sql("ALTER DYNAMIC TABLE d MODIFY COLUMN a COMMENT 'it''s a', n COMMENT 'how many'")
    assert comments() == ["it's a", "how many"]
    sql("INSERT INTO t VALUES (3, 'z')")
    sql("ALTER DYNAMIC TABLE d REFRESH")
    assert comments() == ["it's a", "how many"]
    sql("ALTER DYNAMIC TABLE d ALTER COLUMN n UNSET COMMENT")
    assert comments() == ["it's a", None]


def test_its_settings_can_be_changed(sql: Sql) -> None:
    sql(COUNTED)
    sql("ALTER DYNAMIC TABLE d SET TARGET_LAG = '2 hours' WAREHOUSE = other COMMENT = 'changed'")
    shown = sql.shown()
    assert (shown["target_lag"], shown["warehouse"], shown["comment"]) == ("2 hours", "OTHER", "changed")
    sql("ALTER DYNAMIC TABLE d UNSET COMMENT")
    assert sql.shown()["comment"] == ""
    triggers = "SELECT alter_trigger[0]::VARCHAR FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLE_GRAPH_HISTORY("
    assert sql(f"{triggers}HISTORY_START => '{sql.start.isoformat()}'::TIMESTAMP_LTZ))") == [
        ("CREATE_DYNAMIC_TABLE",),
        ("ALTER_TARGET_LAG",),
    ]


def test_it_is_shown_among_tables_as_dynamic(sql: Sql) -> None:
    sql(COUNTED)
    assert {row["name"]: row["is_dynamic"] for row in sql.dicts("SHOW TABLES")} == {"D": "Y", "T": "N"}
    kinds = "SELECT table_name, is_dynamic FROM INFORMATION_SCHEMA.TABLES ORDER BY table_name"
    assert sql(kinds) == [("D", "YES"), ("T", "NO")]
    assert sql.dicts("SHOW TERSE DYNAMIC TABLES") == sql.dicts("SHOW DYNAMIC TABLES")


def test_it_goes_by_its_own_word_and_with_its_schema(sql: Sql) -> None:
    sql("CREATE SCHEMA other")
    sql("USE SCHEMA public")
    sql(create("other.d", "SELECT a FROM sfml.public.t"))
    sql(COUNTED)
    assert sql("DROP DYNAMIC TABLE d")[0][0] == "D successfully dropped."
    sql("DROP DYNAMIC TABLE IF EXISTS d")
    sql("DROP SCHEMA other")
    assert sql("SHOW DYNAMIC TABLES IN ACCOUNT") == []
    sql.clock.advance(MINUTE)
    with pytest.raises(SqlError, match="does not exist"):
        sql("DROP DYNAMIC TABLE d")


def test_one_that_is_replaced_starts_anew(sql: Sql) -> None:
    sql(COUNTED)
    sql(create("d", "SELECT b FROM t").replace("CREATE", "CREATE OR REPLACE"))
    assert sql("SELECT * FROM d ORDER BY 1") == [("x",), ("y",)]
    with pytest.raises(SqlError, match="invalid identifier"):
        sql(create("d", "SELECT nothing FROM t").replace("CREATE", "CREATE OR REPLACE"))
    assert sql("SELECT * FROM d ORDER BY 1") == [("x",), ("y",)]
    with pytest.raises(SqlError, match="DYNAMIC_TABLE"):
        sql("DROP TABLE d")


@pytest.mark.parametrize("kind", ["DYNAMIC TABLE", "TABLE"])
def test_a_rename_takes_everything_along(sql: Sql, kind: str) -> None:
    sql(COUNTED)
    sql(f"ALTER {kind} d RENAME TO e")
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(MINUTE)
    assert sql("SELECT COUNT(*) FROM e") == [(3,)]
    assert sql.shown("E")["target_lag"] == "1 minute"


# -- LAST_ALTERED


@pytest.mark.parametrize("change", ["INSERT INTO t VALUES (3, 'z')", "DELETE FROM t", "UPDATE t SET a = 1"])
def test_last_altered_follows_what_changes_rows(sql: Sql, change: str) -> None:
    altered: Callable[[], Any] = lambda: sql(  # noqa: E731
        "SELECT last_altered, last_ddl FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'T'"
    )[0]
    sql.clock.advance(MINUTE)
    assert altered() == (sql.start, sql.start)
    sql(change)
    assert altered() == (sql.start + MINUTE, sql.start)
