"""What clients are told of columns beside their types: lengths, and whether they can be NULL; how both are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stream_account import StreamSql, started
from test_account_facts import described

from sfml_local.core.errors import SqlError

TABLE = """CREATE OR REPLACE TABLE t (id INT NOT NULL, s VARCHAR(20) NOT NULL, u VARCHAR(5), b BINARY(4),
 z TIMESTAMP_LTZ, a ARRAY, o OBJECT, f BOOLEAN NOT NULL)"""
COLUMNS = ["S VARCHAR(20)", "U VARCHAR(5)", "B BINARY(4)", "Z TIMESTAMP_LTZ(9)", "A ARRAY", "O OBJECT"]


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StreamSql]:
    with started(tmp_path_factory.mktemp("column_facts") / "account") as account:
        sql = StreamSql(account)
        sql(TABLE)
        sql("CREATE OR REPLACE TABLE k (id INT NOT NULL, s VARCHAR(3) NOT NULL)")
        yield sql


def answer(sql: StreamSql, query: str) -> list[str]:
    """The columns of a query's answer, and of its description, which is the same."""
    result = sql.account.execute(sql.session, query)
    shown = sql.account.execute(sql.session, query, describe_only=True)
    assert described(shown) == described(result)
    return described(result)


def columns_of(sql: StreamSql, name: str, kind: str = "TABLE") -> list[str]:
    """`A VARCHAR(3) Y` for each column of a table or view."""
    result = sql.account.execute(sql.session, f"DESCRIBE {kind} {name}")
    return [f"{row['name']} {row['type']} {row['null?']}" for row in result.dicts()]


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT s FROM t UNION ALL SELECT u FROM t", ["S VARCHAR(20)"]),
        ("SELECT * FROM k UNION ALL SELECT * FROM k", ["ID NUMBER(38,0) NOT NULL", "S VARCHAR(3) NOT NULL"]),
        ("SELECT s FROM t UNION SELECT u || 'x' FROM t", ["S VARCHAR(16777216)"]),
        ("SELECT 'abc' AS a UNION SELECT NULL", ["A VARCHAR(3)"]),
        ("SELECT s, u FROM t UNION SELECT u, s FROM t", ["S VARCHAR(20)", "U VARCHAR(20)"]),
        ("WITH w (p, q) AS (SELECT id, u FROM t) SELECT * FROM w", ["P NUMBER(38,0) NOT NULL", "Q VARCHAR(5)"]),
        ("SELECT * FROM (SELECT id, s FROM t) q (x, y)", ["X NUMBER(38,0) NOT NULL", "Y VARCHAR(20) NOT NULL"]),
        ("SELECT * EXCLUDE (a, o, z, f, b) REPLACE (u || 'x' AS u) RENAME (s AS r) FROM t",
         ["ID NUMBER(38,0) NOT NULL", "R VARCHAR(20) NOT NULL", "U VARCHAR(16777216)"]),
        ("SELECT t.id a, k.s b FROM t LEFT JOIN k ON t.id = k.id", ["A NUMBER(38,0) NOT NULL", "B VARCHAR(3)"]),
        ("SELECT t.id a, k.s b FROM t RIGHT JOIN k ON t.id = k.id", ["A NUMBER(38,0)", "B VARCHAR(3) NOT NULL"]),
        ("SELECT id, t.s a, k.s b FROM t FULL JOIN k USING (id)",
         ["ID NUMBER(38,0)", "A VARCHAR(20)", "B VARCHAR(3)"]),
        ("SELECT s FROM k RIGHT JOIN t USING (s)", ["S VARCHAR(16777216)"]),
        ("SELECT t.s, k.s FROM t JOIN k ON TRUE", ["S VARCHAR(16777216)", "S VARCHAR(16777216)"]),
        ("SELECT id, s FROM t GROUP BY ROLLUP (id, s)", ["ID NUMBER(38,0)", "S VARCHAR(20)"]),
        ("SELECT MAX(s) OVER () a, LAG(u) OVER (ORDER BY id) b, LAG(u, 1, 'default') OVER (ORDER BY id) c FROM t",
         ["A VARCHAR(20)", "B VARCHAR(5)", "C VARCHAR(7)"]),
        ("SELECT CASE WHEN id > 1 THEN 'abc' ELSE 'de' END a, IFF(id > 1, s, u) b, COALESCE(u, 'zz') c FROM t",
         ["A VARCHAR(3)", "B VARCHAR(20)", "C VARCHAR(5)"]),
        ("SELECT (SELECT MAX(s) FROM k) a, UPPER(s) b, id::VARCHAR(9) c, TRY_CAST(s AS INT) d FROM t",
         ["A VARCHAR(3)", "B VARCHAR(16777216)", "C VARCHAR(9) NOT NULL", "D NUMBER(38,0)"]),
        ("SELECT -7 AS a, 1 + 1 AS b", ["A NUMBER(1,0) NOT NULL", "B NUMBER(38,0) NOT NULL"]),
    ],
)  # fmt: skip
def test_what_follows_from_columns(sql: StreamSql, query: str, columns: list[str]) -> None:
    assert answer(sql, query) == columns


def test_a_chained_result_is_described_as_it_was(sql: StreamSql) -> None:
    first = sql.account.execute(sql.session, "SELECT 1, s, u, z FROM t")
    again = sql.account.execute(sql.session, "SELECT 1, s, u, z FROM t ->> SELECT * FROM $1")
    assert described(again) == described(first)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        ("CREATE OR REPLACE TABLE made AS SELECT * FROM t", "TABLE"),
        ("CREATE OR REPLACE TABLE made AS SELECT * FROM changes", "TABLE"),
        ("CREATE OR REPLACE TEMPORARY TABLE shadow AS SELECT * FROM t", "TABLE"),
        ("CREATE OR REPLACE VIEW seen AS SELECT * FROM t", "VIEW"),
        (
            "CREATE OR REPLACE DYNAMIC TABLE dyn TARGET_LAG = '1 day' WAREHOUSE = w AS SELECT * FROM t",
            "TABLE",
        ),
    ],
)
def test_columns_that_pass_unchanged_keep_lengths_and_kinds(sql: StreamSql, make: str, kind: str) -> None:
    sql("CREATE OR REPLACE STREAM changes ON TABLE t")
    sql(make)
    name = next(word for word in make.split() if word in ("made", "shadow", "seen", "dyn"))
    # That the columns may have NULLs is the safe reading: no answer of an account is recorded.
    assert columns_of(sql, name, kind)[1:7] == [f"{column} Y" for column in COLUMNS]
    shown = [column.replace("(9)", "") for column in COLUMNS]
    assert answer(sql, f"SELECT * FROM {name}")[1:7] == shown


def test_a_stream_has_the_columns_of_its_table(sql: StreamSql) -> None:
    sql("CREATE OR REPLACE STREAM changes ON TABLE t")
    sql("CREATE OR REPLACE VIEW below AS SELECT s, z, a FROM t")
    sql("CREATE OR REPLACE STREAM of_view ON VIEW below")
    shown = [column.replace("(9)", "") for column in COLUMNS]
    assert answer(sql, "SELECT * FROM changes")[1:7] == shown
    assert answer(sql, "SELECT s, z, a FROM of_view") == [shown[0], shown[3], shown[4]]


@pytest.mark.parametrize("create", ["CLONE t", "LIKE t"])
def test_copies_are_described_as_their_table(sql: StreamSql, create: str) -> None:
    sql(f"CREATE OR REPLACE TABLE copied {create}")
    assert columns_of(sql, "copied") == columns_of(sql, "t")
    assert answer(sql, "SELECT * FROM copied") == answer(sql, "SELECT * FROM t")


def test_created_columns_have_the_lengths_that_are_written(sql: StreamSql) -> None:
    sql("CREATE OR REPLACE VIEW v (p, q) AS SELECT u, CASE WHEN id > 1 THEN 'abc' ELSE 'de' END FROM t")
    assert columns_of(sql, "v", "VIEW") == ["P VARCHAR(5) Y", "Q VARCHAR(3) Y"]
    sql(
        "CREATE OR REPLACE TABLE c AS SELECT 'x'::VARCHAR(30) AS a, 'abc' AS b, 'x' || id::VARCHAR(2) AS c FROM t"
    )
    assert columns_of(sql, "c") == ["A VARCHAR(30) Y", "B VARCHAR(3) Y", "C VARCHAR(16777216) Y"]


@pytest.mark.parametrize("kind", ["TABLE", "TEMPORARY TABLE"])
def test_created_rows_are_held_to_declared_columns(sql: StreamSql, kind: str) -> None:
    sql("CREATE OR REPLACE TABLE source AS SELECT 'abcdef' AS a")
    for declared, query, code in (
        ("x VARCHAR(2)", "SELECT a FROM source", 100078),
        ("x VARCHAR(2)", "SELECT * FROM (SELECT a FROM source)", 100078),
        ("x CHAR", "SELECT 'ab'", 100078),
        ("x VARCHAR(9) NOT NULL", "SELECT NULL", 100072),
        ("x INT NOT NULL, y VARCHAR(3)", "SELECT 1, a FROM source", 100078),
    ):
        with pytest.raises(SqlError) as refused:
            sql(f"CREATE {kind} held ({declared}) AS {query}")
        assert refused.value.code == str(code)
    sql(f"CREATE {kind} held (x VARCHAR(6) NOT NULL, y INT) AS SELECT a, 1 FROM source")
    assert columns_of(sql, "held") == ["X VARCHAR(6) N", "Y NUMBER(38,0) Y"]
    with pytest.raises(SqlError, match="String 'abcdefg' is too long and would be truncated"):
        sql("INSERT INTO held VALUES ('abcdefg', 1)")
    with pytest.raises(SqlError, match="NULL result in a non-nullable column"):
        sql("INSERT INTO held VALUES (NULL, 1)")
    sql("DROP TABLE held")


def test_changes_of_columns_are_followed(sql: StreamSql) -> None:
    sql("CREATE OR REPLACE TABLE changing (a VARCHAR(3) NOT NULL, b INT)")
    for change, columns in {
        "ALTER COLUMN a DROP NOT NULL": ["A VARCHAR(3)", "B NUMBER(38,0)"],
        "ALTER COLUMN b SET NOT NULL": ["A VARCHAR(3)", "B NUMBER(38,0) NOT NULL"],
        "ALTER COLUMN a SET DATA TYPE VARCHAR(30)": ["A VARCHAR(30)", "B NUMBER(38,0) NOT NULL"],
        "ADD COLUMN c BINARY(7)": ["A VARCHAR(30)", "B NUMBER(38,0) NOT NULL", "C BINARY(7)"],
        "RENAME COLUMN a TO d": ["D VARCHAR(30)", "B NUMBER(38,0) NOT NULL", "C BINARY(7)"],
        "DROP COLUMN b": ["D VARCHAR(30)", "C BINARY(7)"],
    }.items():
        sql(f"ALTER TABLE changing {change}")
        assert answer(sql, "SELECT * FROM changing") == columns, change
    sql("DROP TABLE changing")
    sql("CREATE TABLE changing (d VARCHAR, c BINARY)")
    assert answer(sql, "SELECT * FROM changing") == ["D VARCHAR(16777216)", "C BINARY(8388608)"]


def test_a_later_server_knows_them(tmp_path: Path) -> None:
    told: list[Any] = []
    for _ in range(2):
        with started(tmp_path / "account") as account:
            sql = StreamSql(account)
            if not told:
                sql(TABLE)
                sql("CREATE VIEW v AS SELECT s, u FROM t")
            told.append([answer(sql, "SELECT * FROM t"), answer(sql, "SELECT * FROM v")])
    assert told[0] == told[1]
    assert told[0][0][1] == "S VARCHAR(20) NOT NULL"


HELD = """CREATE OR REPLACE TABLE wide (s VARCHAR(20), u VARCHAR(5));
INSERT INTO wide VALUES ('abcdefghij', 'abcde');
CREATE OR REPLACE TABLE grown (s VARCHAR(5));
CREATE OR REPLACE VIEW outgrown AS SELECT s FROM grown;
CREATE OR REPLACE TEMPORARY VIEW outgrown_too AS SELECT s FROM grown;
CREATE OR REPLACE TABLE grown (s VARCHAR(20));
INSERT INTO grown VALUES ('abcdefghij');
CREATE OR REPLACE TABLE r (a VARCHAR(5), b VARCHAR(5), n INT);
CREATE OR REPLACE TABLE short (s VARCHAR(5))"""


@pytest.mark.parametrize(
    "query",
    [
        "SELECT s FROM wide",
        "SELECT u || u FROM wide",
        "SELECT u FROM wide UNION ALL SELECT s FROM wide",
        "SELECT CASE WHEN u = 'x' THEN u ELSE s END FROM wide",
        "SELECT s FROM outgrown",
        "SELECT s FROM outgrown_too",
        "SELECT s FROM TABLE(RESULT_SCAN('outgrown'))",
        "SELECT * FROM VALUES ('a'), ('abcdefghij')",
        "WITH RECURSIVE r AS (SELECT u AS a, s AS b, 1 AS n FROM wide UNION ALL SELECT b, a, n + 1 FROM R "
        "WHERE n < 2) SELECT a FROM r",
        "SELECT s AS u FROM (SELECT u AS s, s AS u FROM wide) q (u, s)",
    ],
)
def test_what_is_known_of_a_query_lets_no_longer_text_pass(sql: StreamSql, query: str) -> None:
    for statement in HELD.split(";\n"):
        sql(statement)
    sql.account.execute(sql.session, "SELECT s FROM outgrown", query_id="outgrown")
    with pytest.raises(SqlError, match="is too long and would be truncated"):
        sql(f"INSERT INTO short {query}")
    sql("INSERT INTO short SELECT u FROM wide")
    assert sql("SELECT MAX(LENGTH(s)), COUNT(*) FROM short") == [(5, 1)]


@pytest.mark.parametrize("number", ["n * 10", "n / 3 * 100", "-n - 1", "n::FLOAT * 10"])
def test_what_is_known_of_a_query_lets_no_longer_number_pass(sql: StreamSql, number: str) -> None:
    sql("CREATE OR REPLACE TABLE numbers (n NUMBER(4, 2))")
    sql("INSERT INTO numbers VALUES (99.99)")
    with pytest.raises(SqlError, match=r"^Numeric value .* is out of range"):
        sql(f"INSERT INTO numbers SELECT {number} FROM numbers")
    sql("INSERT INTO numbers SELECT n FROM numbers")
    assert sql("SELECT COUNT(*) FROM numbers") == [(2,)]
