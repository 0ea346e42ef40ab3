"""What is refused of dynamic tables, and that it changes nothing."""

from __future__ import annotations

import pytest
from dynamic_sql import COUNTED, MINUTE, Sql, create

from sfml_local.core.errors import SqlError


@pytest.mark.parametrize(
    ("statement", "code", "words"),
    [
        ("INSERT INTO d VALUES (1, 2)", 2719, "INSERT is not supported on dynamic table"),
        ("UPDATE d SET n = 1", 2719, "UPDATE is not supported"),
        ("DELETE FROM d", 2719, "DELETE is not supported"),
        ("TRUNCATE TABLE d", 2719, "TRUNCATE is not supported"),
        ("DROP TABLE d", 2203, "of type 'DYNAMIC_TABLE', not specified type 'TABLE'"),
        ("DROP VIEW d", 2203, "of type 'DYNAMIC_TABLE', not specified type 'VIEW'"),
        ("CREATE OR REPLACE TABLE d (a INT)", 1998, "already exists as DYNAMIC_TABLE"),
        ("CREATE OR REPLACE VIEW d AS SELECT 1 AS a", 1998, "already exists as DYNAMIC_TABLE"),
        (
            create("t", "SELECT a FROM d").replace("CREATE", "CREATE OR REPLACE"),
            1998,
            "already exists as TABLE",
        ),
        (COUNTED, 2002, "already exists"),
        (create("g", "SELECT 1 AS one"), 2728, "at least one base table"),
        (create("g", "SELECT * FROM nope"), 2003, "'NOPE' does not exist"),
        (create("g", "SELECT a FROM t", lag="'1 second'"), 1008, "below the minimum"),
        (create("g", "SELECT a FROM t", lag="'soon'"), 1008, r"invalid value \[soon\]"),
        (create("g", "SELECT a FROM t", more="REFRESH_MODE = SOMETIMES"), 1008, "REFRESH_MODE"),
        (create("g", "SELECT a FROM t", more="NONSENSE = 1"), 1420, "invalid property 'NONSENSE'"),
        ("CREATE DYNAMIC TABLE g TARGET_LAG = '1 day' AS SELECT a FROM t", 2029, r"\[WAREHOUSE\]"),
        ("CREATE DYNAMIC TABLE g WAREHOUSE = w AS SELECT a FROM t", 2029, r"\[TARGET_LAG\]"),
        ("ALTER DYNAMIC TABLE t REFRESH", 2203, "of type 'TABLE', not specified type 'DYNAMIC_TABLE'"),
        ("ALTER DYNAMIC TABLE nope REFRESH", 2003, "does not exist"),
        (
            create("d", "SELECT * FROM d").replace("CREATE", "CREATE OR REPLACE"),
            2728,
            "reads the table itself",
        ),
        (create("g", "SELECT a FROM t", more="IMMUTABLE WHERE (a < 1)"), 2, "IMMUTABLE of a dynamic table"),
        (create("g", "SELECT a FROM t", more="FROZEN WHERE (a < 1)"), 2, "IMMUTABLE of a dynamic table"),
        (create("g", "SELECT a FROM t", more="BACKFILL FROM t"), 2, "BACKFILL of a dynamic table"),
        (create("g", "SELECT a FROM t", more="EXECUTE AS USER u"), 2, "EXECUTE of a dynamic table"),
        ("CREATE DYNAMIC TABLE g CLONE d", 2, "CLONE"),
        ("UNDROP DYNAMIC TABLE g", 2, "UNDROP DYNAMIC TABLE"),
        ("ALTER DYNAMIC TABLE d SWAP WITH t", 2, "SWAP"),
        ("ALTER DYNAMIC TABLE d SET IMMUTABLE WHERE (a < 1)", 2, "IMMUTABLE of a dynamic table"),
        ("ALTER DYNAMIC TABLE d ADD SEARCH OPTIMIZATION ON EQUALITY(a)", 2, "ADD SEARCH OPTIMIZATION"),
        ("ALTER DYNAMIC TABLE d ADD ROW ACCESS POLICY p ON (a)", 2, "ADD ROW ACCESS POLICY"),
        ("ALTER DYNAMIC TABLE d MODIFY COLUMN a SET MASKING POLICY p", 2, "MODIFY COLUMN"),
        ("ALTER DYNAMIC TABLE d SET TARGET_LAG = '59 seconds'", 1008, "below the minimum"),
        ("ALTER DYNAMIC TABLE d SET REFRESH_MODE = FULL", 1420, "invalid property 'REFRESH_MODE'"),
        ("ALTER DYNAMIC TABLE d UNSET TARGET_LAG", 1420, "invalid property 'TARGET_LAG'"),
        ("ALTER DYNAMIC TABLE d MODIFY COLUMN nope COMMENT 'x'", 904, "NOPE"),
        ("DESC DYNAMIC TABLE t", 2203, "not specified type 'DYNAMIC_TABLE'"),
    ],
)
def test_what_an_account_refuses(sql: Sql, statement: str, code: int, words: str) -> None:
    sql(COUNTED)
    with pytest.raises(SqlError, match=words) as refusal:
        sql(statement)
    assert refusal.value.errno == code
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]


@pytest.mark.parametrize("through", ["", "CREATE VIEW v AS SELECT * FROM d"])
def test_a_circle_is_refused_and_changes_nothing(sql: Sql, through: str) -> None:
    sql(create("up", "SELECT a FROM t", lag="DOWNSTREAM"))
    sql(create("d", "SELECT a FROM up"))
    if through:
        sql(through)
    circle = create("up", f"SELECT a FROM {'v' if through else 'd'}", lag="DOWNSTREAM")
    with pytest.raises(SqlError, match="reads the table itself"):
        sql(circle.replace("CREATE", "CREATE OR REPLACE"))
    sql("INSERT INTO t VALUES (3, 'z')")
    sql.clock.advance(MINUTE)
    assert sql("SELECT COUNT(*) FROM d") == [(3,)]


def test_a_lag_shorter_than_that_of_what_it_reads_is_refused(sql: Sql) -> None:
    sql(create("d", "SELECT a FROM t", lag="'1 hour'"))
    with pytest.raises(SqlError, match="shorter than that"):
        sql(create("e", "SELECT a FROM d", lag="'5 minutes'"))


def test_drop_table_if_exists_leaves_it(sql: Sql) -> None:
    sql(COUNTED)
    sql("DROP TABLE IF EXISTS d")
    assert sql("SELECT COUNT(*) FROM d") == [(2,)]
