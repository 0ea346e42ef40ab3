"""Streams on views: the view's rows at the offset against its rows now, over every kind of view that has streams."""

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
        """The rows without their ids, in order."""
        return sorted(self(f"SELECT * EXCLUDE METADATA$ROW_ID FROM {stream}"), key=repr)

    def described(self, stream: str = "s") -> dict[str, Any]:
        [row] = self.account.execute(self.session, f"DESCRIBE STREAM {stream}").dicts()
        return dict(row)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with started(tmp_path_factory.mktemp("view_streams")) as account:
        yield account


@pytest.fixture
def sql(account: Account) -> Iterator[Sql]:
    sql = Sql(account)
    sql("CREATE OR REPLACE TABLE t (a INT, b VARCHAR(10))")
    sql("CREATE OR REPLACE TABLE u (a INT, c VARCHAR(10))")
    sql("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y')")
    sql("INSERT INTO u VALUES (1, 'p'), (2, 'q')")
    sql("CREATE OR REPLACE TABLE seen (a INT, b VARCHAR, action VARCHAR)")
    sql("CREATE OR REPLACE VIEW v AS SELECT a, UPPER(b) AS b FROM t WHERE a > 1")
    sql("CREATE OR REPLACE STREAM s ON VIEW v")
    yield sql
    account.sessions.close(sql.session)


@pytest.fixture
def _joined(sql: Sql) -> None:
    """A stream on a view of two tables, which takes as long as all the others."""
    sql("CREATE OR REPLACE VIEW j AS SELECT t.a, t.b, u.c FROM t JOIN u ON t.a = u.a")
    sql("CREATE OR REPLACE STREAM js ON VIEW j")


CONSUME = "INSERT INTO seen SELECT a, b, METADATA$ACTION FROM s"
INSERT, DELETE = "INSERT", "DELETE"


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("INSERT INTO t VALUES (3, 'n'), (0, 'm')", [(3, "N", INSERT, False)]),
        ("DELETE FROM t WHERE a = 1", []),
        ("DELETE FROM t WHERE a = 2", [(2, "Y", DELETE, False)] * 2),
        ("UPDATE t SET a = 3, b = 'z' WHERE a = 1", [(3, "Z", INSERT, False)]),
        ("UPDATE t SET a = 0 WHERE a = 2", [(2, "Y", DELETE, False)] * 2),
        ("UPDATE t SET b = 'z' WHERE a = 2", [(2, "Y", DELETE, True)] * 2 + [(2, "Z", INSERT, True)] * 2),
        # What the view does not show of a row does not change it.
        ("UPDATE t SET b = 'Y' WHERE a = 2", []),
    ],
)
def test_a_view_of_one_table(sql: Sql, statement: str, changes: list[tuple[Any, ...]]) -> None:
    sql(statement)
    assert sql.changes() == changes
    assert sql.has_data() is bool(changes)


def test_a_natural_join_as_documented(sql: Sql) -> None:
    """https://docs.snowflake.com/en/user-guide/streams-examples"""
    sql("CREATE OR REPLACE TABLE orders (id INT, order_name VARCHAR)")
    sql("CREATE OR REPLACE TABLE customers (id INT, customer_name VARCHAR)")
    sql("CREATE OR REPLACE VIEW by_customer AS SELECT * FROM orders NATURAL JOIN customers")
    sql("INSERT INTO orders VALUES (1, 'order1')")
    sql("INSERT INTO customers VALUES (1, 'customer1')")
    sql("CREATE OR REPLACE STREAM os ON VIEW by_customer")
    assert sql.changes("os") == []
    sql("INSERT INTO orders VALUES (1, 'order2')")
    second = (1, "order2", "customer1", INSERT, False)
    assert sql.changes("os") == [second]
    sql("INSERT INTO customers VALUES (1, 'customer2')")
    others = [(1, order, "customer2", INSERT, False) for order in ("order1", "order2")]
    assert sql.changes("os") == [others[0], second, others[1]]


@pytest.mark.usefixtures("_joined")
def test_a_joined_row_changes_with_any_of_its_parts(sql: Sql) -> None:
    sql("UPDATE u SET c = 'r' WHERE a = 1")
    sql("DELETE FROM t WHERE a = 2")
    assert sql.changes("js") == [
        *[(1, "x", "p", DELETE, True), (1, "x", "r", INSERT, True)],
        *[(2, "y", "q", DELETE, False)] * 2,
    ]
    ids = sql("SELECT COUNT(DISTINCT METADATA$ROW_ID) FROM js WHERE METADATA$ISUPDATE")
    assert ids == [(1,)]


@pytest.mark.usefixtures("_joined")
def test_rows_that_equal_one_that_came_stay(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (2, 'y')")
    sql("UPDATE u SET c = 'r' WHERE a = 2")
    assert sql.changes("js") == [
        *[(2, "y", "q", DELETE, True)] * 2,
        (2, "y", "r", INSERT, False),
        *[(2, "y", "r", INSERT, True)] * 2,
    ]


@pytest.mark.usefixtures("_joined")
def test_an_append_only_stream_shows_what_came(sql: Sql) -> None:
    sql("CREATE OR REPLACE STREAM ap ON VIEW v APPEND_ONLY = TRUE")
    sql("CREATE OR REPLACE STREAM jap ON VIEW j APPEND_ONLY = TRUE")
    sql("INSERT INTO t VALUES (2, 'n')")
    sql("UPDATE t SET b = 'z'")
    sql("UPDATE u SET c = 'z'")
    sql("DELETE FROM t")
    assert sql.changes("ap") == [(2, "N", INSERT, False)]
    assert sql.changes("jap") == [(2, "n", "q", INSERT, False)], "joined with the rows at the offset"
    assert sql.described("ap")["mode"] == "APPEND_ONLY"


@pytest.mark.parametrize("mode", ["", "APPEND_ONLY = TRUE"])
@pytest.mark.usefixtures("_joined")
def test_rows_at_the_beginning_on_request(sql: Sql, mode: str) -> None:
    sql(f"CREATE OR REPLACE STREAM first ON VIEW j {mode} SHOW_INITIAL_ROWS = TRUE")
    rows = [(1, "x", "p", INSERT, False), *[(2, "y", "q", INSERT, False)] * 2]
    assert sql.changes("first") == rows
    sql("CREATE OR REPLACE TABLE copied AS SELECT * FROM first")
    assert not sql.has_data("first")


# -- consuming


@pytest.mark.parametrize(
    "consumer",
    [
        CONSUME,
        "INSERT INTO seen SELECT a, b, 'x' FROM s WHERE 1 = 0",
        "CREATE OR REPLACE TABLE copied AS SELECT * FROM s",
        "MERGE INTO seen USING s ON seen.a = s.a WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
    ],
)
def test_what_consumes_a_stream(sql: Sql, consumer: str) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql(consumer)
    assert not sql.has_data()
    assert sql.changes() == []
    sql("INSERT INTO t VALUES (4, 'o')")
    assert sql.changes() == [(4, "O", INSERT, False)]


def test_a_rollback_takes_consumption_back(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("BEGIN")
    sql(CONSUME)
    sql("ROLLBACK")
    assert sql.changes() == [(3, "N", INSERT, False)]


def test_within_a_transaction_a_stream_stands_still(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("BEGIN")
    sql("INSERT INTO t VALUES (4, 'o')")
    sql("UPDATE t SET b = 'w' WHERE a = 3")
    sql("DELETE FROM t WHERE a = 2")
    assert sql.changes() == [(3, "N", INSERT, False)]
    sql(CONSUME)
    sql("COMMIT")
    assert sql.changes() == [
        *[(2, "Y", DELETE, False)] * 2,
        *[(3, "N", DELETE, True), (3, "W", INSERT, True), (4, "O", INSERT, False)],
    ]


# -- every kind of view

VIEWS = (
    "SELECT a, b FROM t WHERE a > 1",
    "SELECT * FROM t",
    "SELECT t.a, c AS b FROM t JOIN u ON t.a = u.a WHERE c <> '1'",
    "SELECT l.a, r.b FROM t l, t r WHERE l.a <= r.a AND l.b IS NOT NULL",
    "SELECT a, b FROM t UNION ALL SELECT a, c FROM u UNION ALL SELECT 1, 'constant'",
    "SELECT a, b FROM t UNION ALL SELECT b.a + 1, b FROM t AS b WHERE a > 1",
    "WITH w AS (SELECT * FROM t WHERE a < 4) SELECT w.*  FROM w CROSS JOIN (SELECT c FROM u WHERE a = 1) AS q",
    "WITH w (x, y) AS (SELECT a, b FROM t) SELECT x AS a, y AS b FROM w WHERE y IS NULL OR y LIKE ANY ('x', '1')",
    "SELECT * FROM (SELECT a % 2 AS a, b FROM t) NATURAL JOIN (SELECT a FROM u)",
    "SELECT n.a, n.b FROM nested AS n JOIN v ON n.a = v.a",
)


@pytest.mark.parametrize("query", VIEWS)
def test_applying_a_stream_reproduces_the_view(sql: Sql, query: str) -> None:
    """Whatever is done to its tables: the view's rows at the offset and the changes give its rows now."""
    chance = random.Random(query)
    sql("CREATE OR REPLACE VIEW nested (a, b) AS SELECT a + 1, b FROM t UNION ALL SELECT a, c FROM u")
    sql(f"CREATE OR REPLACE VIEW w AS {query}")
    sql("CREATE OR REPLACE STREAM s ON VIEW w")
    copy = Counter(sql("SELECT a, b FROM w"))
    for _ in range(6):
        for _ in range(chance.randrange(5)):
            _change(sql, chance)
        rows = sql("SELECT a, b, METADATA$ACTION, METADATA$ISUPDATE, METADATA$ROW_ID FROM s")
        gone = Counter(row[:2] for row in rows if row[2] == DELETE)
        assert not gone - copy, "a row goes that was not there"
        copy = copy - gone + Counter(row[:2] for row in rows if row[2] == INSERT)
        assert copy == Counter(sql("SELECT a, b FROM w"))
        _check_ids(rows)
        assert sql.has_data() is bool(rows)
        sql("CREATE OR REPLACE TABLE copied AS SELECT * FROM s" if chance.random() < 0.5 else CONSUME)
        assert not sql.has_data()


def _change(sql: Sql, chance: random.Random) -> None:
    n, m = chance.randrange(5), chance.randrange(5)
    table, column = chance.choice([("t", "b"), ("u", "c")])
    statement = chance.choice(
        [
            f"INSERT INTO {table} VALUES ({n}, '{m}'), ({n}, '{m}'), ({m}, NULL)",
            f"UPDATE {table} SET {column} = '{m}' WHERE a = {n}",
            f"UPDATE {table} SET a = {m}, {column} = NULL WHERE a = {n}",
            f"DELETE FROM {table} WHERE a = {n}",
        ]
    )
    end = chance.choice(["", "", "ROLLBACK", "COMMIT"])
    for one in ("BEGIN", statement, f"INSERT INTO u VALUES ({m}, 'tx')", end) if end else (statement,):
        sql(one)


def _check_ids(rows: list[tuple[Any, ...]]) -> None:
    """Two rows have one id if, and only if, they are the halves of an update, which are not equal."""
    updates = Counter(row[4] for row in rows if row[3])
    assert set(updates.values()) <= {2}
    assert len({row[4] for row in rows}) == len(rows) - len(updates)
    for key in updates:
        before, after = (row for row in rows if row[4] == key)
        assert {before[2], after[2]} == {INSERT, DELETE}
        assert before[:2] != after[:2]


EXPRESSIONS = (
    *(
        "v:x[2].y::VARCHAR",
        'v:"k.l"',
        "a[1]",
        "o:p",
        "ARRAY_SIZE(a)",
        "OBJECT_INSERT(o, 'z', i)",
        "PARSE_JSON('[1]')",
    ),
    *(
        "i / 3",
        "n / 7",
        "f / 0.3",
        "MOD(i, 2)",
        "n * n",
        "ROUND(n, 1)",
        "i::NUMBER(10, 3)",
        "DIV0(i, 0)",
        "-i",
    ),
    *(
        "b || 'it''s'",
        "UPPER(b) LIKE ANY ('A%', 'B%')",
        "SPLIT_PART(b, ',', 2)",
        "REGEXP_REPLACE(b, '[a-c]', '_')",
    ),
    *("b ILIKE 'ab%'", "b RLIKE '.*c'", "MD5(b)", "HASH(i, b)", "POSITION('b' IN b)", "NVL2(b, 1, 2)"),
    *(
        "DATEADD(MONTH, 1, d)",
        "DATEDIFF(DAY, d, ts)",
        "DATE_TRUNC('WEEK', ts)",
        "TO_CHAR(ts, 'YYYY-MM')",
        "ts::DATE",
    ),
    *(
        "DECODE(i, 1, 'one', 'other')",
        "CASE i WHEN 1 THEN 'a' ELSE 'b' END",
        "i BETWEEN 0 AND 2",
        "EQUAL_NULL(i, 1)",
    ),
)


def test_expressions_of_a_view_mean_the_same_in_its_stream(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE d (i INT, f FLOAT, n NUMBER(10, 2), b VARCHAR, ts TIMESTAMP_NTZ, d DATE)")
    sql("ALTER TABLE d ADD COLUMN v VARIANT, a ARRAY, o OBJECT")
    semi_structured = 'PARSE_JSON(\'{"x": [1, 2, {"y": "z"}], "k.l": 3}\'), [1, 2], {\'p\': 1}'
    sql(f"INSERT INTO d SELECT 1, 1.5, 2.25, 'Ab,c', '2024-02-29 10:11:12', '2024-01-31', {semi_structured}")
    sql("INSERT INTO d (i, b) VALUES (-3, NULL), (NULL, '')")
    shown = ", ".join(f"{expression} AS c{n}" for n, expression in enumerate(EXPRESSIONS))
    sql(f"CREATE OR REPLACE VIEW w AS SELECT {shown} FROM d")
    sql("CREATE OR REPLACE STREAM s ON VIEW w SHOW_INITIAL_ROWS = TRUE")
    rows = sorted(map(repr, sql("SELECT * FROM w")))
    assert len(rows) == 3
    assert sorted(repr(row[:-3]) for row in sql("SELECT * FROM s")) == rows


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT DISTINCT a FROM t", "DISTINCT"),
        ("SELECT a FROM t LIMIT 3", "LIMIT"),
        ("SELECT a, COUNT(*) AS n FROM t GROUP BY a", "GROUP BY"),
        ("SELECT COUNT(*) AS n FROM t", "aggregate functions"),
        ("SELECT MAX(a) AS n FROM t", "aggregate functions"),
        ("SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1", "QUALIFY"),
        ("SELECT a, SUM(a) OVER () AS n FROM t", "window functions"),
        ("SELECT t.a FROM t LEFT JOIN u ON t.a = u.a", "joins of type '[LEFT_OUTER_JOIN]'"),
        ("SELECT t.a FROM t FULL JOIN u ON t.a = u.a", "joins of type '[FULL_OUTER_JOIN]'"),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)", "correlated subquery expressions"),
        ("SELECT a FROM t WHERE a IN (SELECT a FROM u)", "subqueries outside of FROM"),
        ("SELECT a FROM t UNION SELECT a FROM u", "the 'UNION' set operator"),
        ("SELECT a FROM t MINUS SELECT a FROM u", "the 'EXCEPT' set operator"),
        ("SELECT a, CURRENT_TIMESTAMP() AS n FROM t", "non-deterministic functions"),
        ("SELECT a, RANDOM() AS n FROM t", "non-deterministic functions"),
        ("SELECT t.a FROM t, LATERAL FLATTEN(SPLIT(b, ',')) f", "'Table Function'"),
        ("SELECT a FROM (SELECT a FROM t LIMIT 1)", "LIMIT"),
        ("SELECT a FROM counted", "GROUP BY"),
    ],
)
def test_what_has_no_streams(sql: Sql, query: str, reason: str) -> None:
    sql("CREATE OR REPLACE VIEW counted AS SELECT a, COUNT(*) AS n FROM t GROUP BY a")
    sql(f"CREATE OR REPLACE VIEW w AS {query}")
    with pytest.raises(SqlError) as refused:
        sql("CREATE OR REPLACE STREAM x ON VIEW w")
    assert refused.value.message.endswith(f"\nChange tracking is not supported on queries with {reason}.")
    assert sql("SHOW STREAMS LIKE 'X'") == []


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("CREATE STREAM x ON VIEW t", "Object found is of type 'TABLE'"),
        ("CREATE STREAM x ON TABLE v", "Object found is of type 'VIEW'"),
        ("CREATE STREAM x ON VIEW nothing", "View 'SFML.PUBLIC.NOTHING' does not exist"),
        ("CREATE STREAM x ON VIEW w", "not emulated by the local server"),
        ("CREATE STREAM x ON VIEW elsewhere.public.v", "not emulated by the local server"),
    ],
)
def test_what_is_refused(sql: Sql, statement: str, error: str) -> None:
    sql("CREATE OR REPLACE VIEW w AS SELECT 1 AS a")
    sql("CREATE OR REPLACE DATABASE elsewhere")
    sql("CREATE VIEW elsewhere.public.v AS SELECT * FROM sfml.public.t")
    sql("USE SCHEMA sfml.public")
    with pytest.raises(SqlError, match=error):
        sql(statement)


# -- the objects


@pytest.mark.usefixtures("_joined")
def test_show_and_describe(sql: Sql) -> None:
    row = sql.described("js")
    assert (row["source_type"], row["mode"], row["stale"]) == ("View", "DEFAULT", "false")
    assert row["table_name"] == "SFML.PUBLIC.J"
    assert row["base_tables"] == "SFML.PUBLIC.T,SFML.PUBLIC.U"
    tracked = {
        row["name"]: row["change_tracking"]
        for kind in ("TABLES", "VIEWS")
        for row in sql.account.execute(sql.session, f"SHOW {kind} IN SCHEMA").dicts()
    }
    assert {name: tracked[name] for name in ("T", "U", "V", "J", "SEEN")} == {
        **dict.fromkeys(("T", "U", "V", "J"), "ON"),
        "SEEN": "OFF",
    }


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE t",
        "CREATE OR REPLACE TABLE t (a INT, b VARCHAR)",
        "DROP VIEW v",
        "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t",
        "DROP VIEW w",
    ],
)
def test_a_stream_is_stale_without_what_it_follows(sql: Sql, change: str) -> None:
    sql("CREATE OR REPLACE VIEW w AS SELECT * FROM v")
    sql("CREATE OR REPLACE STREAM s ON VIEW w")
    sql(change)
    for statement in ("SELECT * FROM s", CONSUME, "SELECT SYSTEM$STREAM_HAS_DATA('s')"):
        with pytest.raises(SqlError, match=r"dropped, cannot read from stream 'S'"):
            sql(statement)
    assert sql.described()["stale"] == "true"


def test_a_stream_waits_for_a_table_that_is_renamed(sql: Sql) -> None:
    sql("ALTER TABLE t RENAME TO moved")
    sql("INSERT INTO moved VALUES (3, 'n')")
    with pytest.raises(SqlError, match="Failure during expansion of view 'V'"):
        sql("SELECT * FROM s")
    sql("ALTER TABLE moved RENAME TO t")
    assert sql.changes() == [(3, "N", INSERT, False)]


@pytest.mark.parametrize("changed", ["s", "js"])
@pytest.mark.usefixtures("_joined")
def test_a_stream_is_stale_when_another_table_gets_the_name(sql: Sql, changed: str) -> None:
    sql("CREATE OR REPLACE STREAM s ON VIEW v SHOW_INITIAL_ROWS = TRUE")
    sql("INSERT INTO t VALUES (1, 'n')")
    sql("ALTER TABLE t SWAP WITH u")
    with pytest.raises(SqlError, match="cannot read from stream"):
        sql(f"SELECT * FROM {changed}")
    sql("ALTER TABLE t SWAP WITH u")
    assert sql.changes("js") == [(1, "n", "p", INSERT, False)]


def test_a_clone_begins_at_the_offset_of_its_source(sql: Sql) -> None:
    sql("INSERT INTO t VALUES (3, 'n')")
    sql("CREATE OR REPLACE STREAM c CLONE s")
    sql(CONSUME)
    sql("INSERT INTO t VALUES (4, 'o')")
    assert sql.changes("c") == [(3, "N", INSERT, False), (4, "O", INSERT, False)]
    assert sql.changes("s") == [(4, "O", INSERT, False)]
    assert sql.described("c")["source_type"] == "View"


def test_streams_go_with_their_schema(sql: Sql) -> None:
    sql("CREATE OR REPLACE SCHEMA gone")
    sql("CREATE TABLE gone.g (a INT)")
    sql("CREATE OR REPLACE VIEW public.on_gone AS SELECT a FROM gone.g")
    sql("CREATE OR REPLACE STREAM public.on_gone_stream ON VIEW public.on_gone")
    sql("CREATE STREAM gone.s ON VIEW public.v")
    sql("DROP SCHEMA gone")
    with pytest.raises(SqlError, match="cannot read from stream"):
        sql("SELECT * FROM public.on_gone_stream")
    sql("INSERT INTO public.t VALUES (3, 'n')")
    sql("DROP STREAM public.on_gone_stream")


def test_streams_and_what_they_hold_survive_a_restart(tmp_path: Path) -> None:
    for sent in range(2):
        account = open_account(tmp_path / "local")
        sql = Sql(account)
        if sent == 0:
            sql('CREATE TABLE "it\'s {t}" ("a {b}" INT)')
            sql('CREATE VIEW "v w" AS SELECT "a {b}" AS a FROM "it\'s {t}"')
            sql('CREATE STREAM s ON VIEW "v w"')
        sql(f'INSERT INTO "it\'s {{t}}" VALUES ({sent})')
        assert [row[0] for row in sql.changes()] == list(range(sent + 1))
        account.close()
