"""Bodies in Snowflake Scripting: what is carried out, and what is refused before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from asking import Sql

from sfml_local.core.errors import SqlError


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ("BEGIN RETURN 1 + 1; END", 2),
        ("BEGIN NULL; END;", None),
        ("DECLARE x INT DEFAULT 3; y NUMBER(10, 2) := 4; BEGIN RETURN x * y; END", "12.00"),
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
    ("block", "value"),
    [
        ("BEGIN LET s := 0; FOR i IN 1 TO 4 DO s := s + i; END FOR; RETURN s; END", 10),
        ("BEGIN LET s := ''; FOR i IN REVERSE 1 TO 3 LOOP s := s || i; END LOOP; RETURN s; END", "321"),
        ("BEGIN LET n := 0; WHILE (n < 5) DO n := n + 2; END WHILE; RETURN n; END", 6),
        ("BEGIN LET n := 9; REPEAT n := n - 4; UNTIL (n < 4) END REPEAT; RETURN n; END", 1),
        (
            "BEGIN LET n := 0; LOOP n := n + 1; IF (n < 3) THEN CONTINUE; END IF; BREAK; END LOOP; RETURN n; END",
            3,
        ),
        (
            "BEGIN LET n := 0; FOR i IN 1 TO 9 DO FOR j IN 1 TO 9 DO n := n + 1; IF (n = 12) THEN BREAK outer_loop;"
            " END IF; END FOR; END FOR outer_loop; RETURN n; END",
            12,
        ),
        ("BEGIN LET x := 2; CASE (x) WHEN 1 THEN RETURN 'a'; WHEN 2 THEN RETURN 'b'; END; END", "b"),
        ("BEGIN LET x := 2; CASE WHEN x > 5 THEN RETURN 'a'; ELSE RETURN 'c'; END CASE; END", "c"),
        (
            "DECLARE s INT DEFAULT 0; c CURSOR FOR SELECT column1 AS n, column2 AS m FROM VALUES (1, 10), (2, 20);"
            " BEGIN FOR r IN c DO s := s + r.n * r.m; END FOR; RETURN s; END",
            50,
        ),
        (
            "DECLARE c CURSOR FOR SELECT column1 FROM VALUES (1), (2) WHERE column1 > ?; BEGIN OPEN c USING (1);"
            " LET a INT; FETCH c INTO a; FETCH c INTO a; CLOSE c; RETURN a; END",
            2,
        ),
        (
            "BEGIN LET low := 1; LET r RESULTSET := (SELECT column1 AS n FROM VALUES (1), (2) WHERE column1 > :low);"
            " LET c CURSOR FOR r; FOR one IN c DO RETURN one.n; END FOR; END",
            2,
        ),
        ("BEGIN LET q := 'SELECT ? + 1 AS n'; LET v := 4; EXECUTE IMMEDIATE :q USING (v); RETURN 1; END", 1),
        (
            "BEGIN LET q := 'SELECT ? + 1 AS n'; LET v := 4; LET r RESULTSET := (EXECUTE IMMEDIATE :q USING (v));"
            " RETURN TABLE(r); END",
            5,
        ),
        (
            "DECLARE e EXCEPTION (-20002, 'mine'); BEGIN RAISE e; EXCEPTION WHEN e THEN RETURN SQLERRM; END",
            "mine",
        ),
        (
            "DECLARE e EXCEPTION (-20002, 'mine'); f EXCEPTION; BEGIN LET x := 1; BEGIN x := 2; RAISE e; EXCEPTION"
            " WHEN f THEN RETURN 'f'; END; EXCEPTION WHEN f OR e THEN RETURN SQLCODE || SQLSTATE; END",
            "-20002P0001",
        ),
        (
            "BEGIN SELECT * FROM nowhere; EXCEPTION WHEN EXPRESSION_ERROR THEN RETURN 'no';"
            " WHEN STATEMENT_ERROR THEN RETURN SQLCODE; END",
            2003,
        ),
        (
            "BEGIN LET x := 'a'::INT; EXCEPTION WHEN STATEMENT_ERROR THEN RETURN 1; WHEN OTHER THEN RETURN 2; END",
            2,
        ),
        (
            "BEGIN CREATE OR REPLACE TABLE s (n INT); INSERT INTO s VALUES (1), (2); LET n := SQLROWCOUNT;"
            " DELETE FROM s WHERE n > 5; RETURN n || ' ' || SQLROWCOUNT || SQLNOTFOUND; END",
            "2 0true",
        ),
        (
            "BEGIN CREATE OR REPLACE TABLE s (n INT); BEGIN TRANSACTION; INSERT INTO s VALUES (1);"
            " INSERT INTO nowhere VALUES (1); COMMIT; EXCEPTION WHEN STATEMENT_ERROR THEN ROLLBACK; LET c INT;"
            " SELECT COUNT(*) INTO :c FROM s; RETURN c; END",
            0,
        ),
    ],
)
def test_loops_cursors_and_handlers(sql: Sql, block: str, value: Any) -> None:
    assert [str(v) for row in sql(block) for v in row.values()] == [str(value)]


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (
            "DECLARE e EXCEPTION (-20002, 'mine');\nBEGIN RAISE e; END",
            "Uncaught exception of type 'E' on line 2 at position 6 : mine",
        ),
        ("BEGIN SELECT * FROM nowhere; EXCEPTION WHEN OTHER THEN RAISE; END", "NOWHERE"),
        ("BEGIN SELECT * FROM nowhere; EXCEPTION WHEN EXPRESSION_ERROR THEN RETURN 1; END", "NOWHERE"),
        (
            "BEGIN CREATE ALERT a IF (EXISTS (SELECT 1)) THEN SELECT 1; EXCEPTION WHEN OTHER THEN NULL; END",
            "not emul",
        ),
        ("BEGIN LET c CURSOR FOR SELECT 1; LET x INT; FETCH c INTO x; END", "not open"),
        ("BEGIN BREAK; END", "no loop"),
        ("BEGIN FOR r IN nothing DO NULL; END FOR; END", "invalid identifier 'NOTHING'"),
    ],
)
def test_what_goes_wrong_in_them(sql: Sql, block: str, sentence: str) -> None:
    with pytest.raises(SqlError, match=sentence):
        sql(block)


def test_an_endless_loop_ends_with_its_task(sql: Sql) -> None:
    endless = "WHILE (TRUE) DO NULL; END WHILE; EXCEPTION WHEN OTHER THEN NULL;"
    sql.graph(f"r USER_TASK_TIMEOUT_MS = 300 AS BEGIN {endless} END")
    assert sql.run("r") == {"R": "FAILED"}
    assert "timeout" in sql.history(NAME="R")[0]["ERROR_MESSAGE"]


@pytest.mark.parametrize(
    "block",
    [
        "BEGIN CREATE TABLE never (n INT); ASYNC (SELECT 1); END",
        "BEGIN CREATE TABLE never (n INT); FOR i IN 1 TO 2 DO AWAIT ALL; END FOR; END",
        "BEGIN CREATE TABLE never (n INT); BEGIN LET r RESULTSET := ASYNC (SELECT 1); END; END",
        "BEGIN CREATE TABLE never (n INT); EXCEPTION WHEN OTHER CONTINUE THEN NULL; END",
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
        sql("BEGIN LET x := 1; SELECT a INTO :x FROM (SELECT 1 AS a UNION ALL SELECT 2); END")


def test_selecting_no_row_into_a_variable_makes_it_null(sql: Sql) -> None:
    block = "BEGIN LET x INT := 1; SELECT 2 INTO :x FROM (SELECT 1) WHERE 1 = 2; RETURN x IS NULL; END"
    assert bool(sql(block)) is True


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


@pytest.mark.parametrize(
    "body", ["BEGIN BEGIN TRANSACTION; INSERT INTO left_open VALUES (1); END", "CALL leaves_open()"]
)
def test_a_task_that_leaves_a_transaction_open_fails(sql: Sql, body: str) -> None:
    sql("CREATE OR REPLACE TABLE left_open (n INT)")
    sql(
        "CREATE OR REPLACE PROCEDURE leaves_open() RETURNS INT LANGUAGE SQL AS"
        " $$ BEGIN BEGIN TRANSACTION; INSERT INTO left_open VALUES (1); RETURN 1; END $$"
    )
    sql.graph(f"r AS {body}")
    assert sql.run("r") == {"R": "FAILED"}
    (row,) = sql.history(NAME="R")
    assert int(row["ERROR_CODE"]) == 90232
    assert "is incomplete and it was rolled back" in row["ERROR_MESSAGE"]
    assert sql("SELECT COUNT(*) AS C FROM left_open") == [{"C": 0}]


def test_the_error_of_a_procedure_within_a_procedure_is_told(sql: Sql) -> None:
    for name, statement in (("inner_one", "SELECT * FROM nowhere"), ("outer_one", "CALL inner_one()")):
        sql(f"CREATE OR REPLACE PROCEDURE {name}() RETURNS INT LANGUAGE SQL AS $$ BEGIN {statement}; END $$")
    with pytest.raises(SqlError, match="NOWHERE") as refused:
        sql("CALL outer_one()")
    assert refused.value.__cause__ is not refused.value
