"""Bodies in Snowflake Scripting: what is carried out, and what is refused before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from asking import Sql

from sfml.local.errors import SqlError


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ("BEGIN RETURN 1 + 1; END", 2),
        ("BEGIN NULL; END;", None),
        ("DECLARE x INT DEFAULT 3; y NUMBER(10, 2) := 4; BEGIN RETURN x * y; END", 12),
        ("BEGIN LET x STRING := 'it''s'; LET n := LENGTH(x); RETURN x || ' ' || n; END", "it's 4"),
        ("BEGIN LET x := 1; x := x + 1; RETURN :x; END", 2),
        ("BEGIN LET x := 5; IF (x > 3) THEN RETURN 'big'; ELSE RETURN 'small'; END IF; END", "big"),
        (
            "BEGIN LET x := 0; IF (x > 3) THEN NULL; ELSEIF (x = 0) THEN x := 7; ELSE x := 8; END IF; RETURN x; END",
            7,
        ),
        ("BEGIN LET x := 1; BEGIN LET y := 2; x := x + y; END; RETURN x; END", 3),
        (
            "BEGIN CREATE OR REPLACE TABLE s (n INT, t STRING); LET v := 2; INSERT INTO s VALUES (1, 'a'), (:v, 'b:v');"
            " LET n INT; LET t STRING; SELECT SUM(n), MAX(t) INTO :n, :t FROM s WHERE n <= :v; RETURN n || t; END",
            "3b:v",
        ),
        ("EXECUTE IMMEDIATE $$ BEGIN RETURN 'inner'; END $$", "inner"),
        ("EXECUTE IMMEDIATE 'SELECT 5 AS five'", 5),
    ],
)
def test_blocks(sql: Sql, block: str, value: Any) -> None:
    assert [str(v) for row in sql(block) for v in row.values()] == [str(value)]


@pytest.mark.parametrize(
    "block",
    [
        "BEGIN CREATE TABLE never (n INT); FOR i IN 1 TO 3 DO NULL; END FOR; END",
        "BEGIN CREATE TABLE never (n INT); WHILE (TRUE) DO NULL; END WHILE; END",
        "BEGIN CREATE TABLE never (n INT); EXCEPTION WHEN OTHER THEN RETURN 'x'; END",
        "DECLARE c CURSOR FOR SELECT 1; BEGIN CREATE TABLE never (n INT); END",
        "BEGIN CREATE TABLE never (n INT); IF (TRUE) THEN RAISE e; END IF; END",
        "BEGIN CREATE TABLE never (n INT); BEGIN LET r RESULTSET := (SELECT 1); END; END",
        "BEGIN CREATE TABLE never (n INT); RETURN TABLE(r); END",
        "EXECUTE IMMEDIATE $x",
    ],
)
def test_what_is_not_emulated_is_refused_at_once(sql: Sql, block: str) -> None:
    with pytest.raises(SqlError, match="not emulated by the local server"):
        sql(block)
    with pytest.raises(SqlError, match="NEVER"):
        sql("SELECT * FROM never")


def test_begin_still_opens_transactions(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE kept (n INT)")
    for begin in ("BEGIN", "BEGIN TRANSACTION"):
        sql(begin)
        sql("INSERT INTO kept VALUES (1)")
        sql("ROLLBACK")
    assert sql("SELECT COUNT(*) AS c FROM kept") == [{"c": 0}] or sql("SELECT COUNT(*) C FROM kept") == [
        {"C": 0}
    ]


def test_errors_name_what_is_wrong(sql: Sql) -> None:
    with pytest.raises(SqlError, match="invalid identifier 'X'"):
        sql("BEGIN x := 1; END")
    for block in ("BEGIN SELECT 1", "BEGIN SELECT 1; END extra", "BEGIN SELECT 1; SELECT 2 END"):
        with pytest.raises(SqlError, match="syntax error line 1 at position"):
            sql(block)
    with pytest.raises(SqlError, match="exactly 1 returned row"):
        sql("BEGIN LET x := 1; SELECT 1 INTO :x FROM (SELECT 1) WHERE 1 = 2; END")


def test_a_task_runs_a_block_and_fails_with_it(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE steps (n INT)")
    sql.graph(
        "r AS BEGIN INSERT INTO steps VALUES (1); INSERT INTO steps VALUES (2);"
        " CALL SYSTEM$SET_RETURN_VALUE('both'); END;",
        "a AFTER r AS BEGIN INSERT INTO steps VALUES (3); INSERT INTO nowhere VALUES (4); END",
    )
    assert sql.run("r") == {"R": "SUCCEEDED", "A": "FAILED"}
    assert [row["N"] for row in sql("SELECT n AS N FROM steps ORDER BY 1")] == [1, 2, 3]
    assert sql.history(NAME="R")[0]["RETURN_VALUE"] == "both"
    assert "NOWHERE" in sql.history(NAME="A")[0]["ERROR_MESSAGE"].upper()
