"""UPDATE … FROM where several source rows match one target row: it is updated once, and counted once.

https://docs.snowflake.com/en/sql-reference/sql/update
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session as Snowpark
from snowflake.snowpark import UpdateResult

from sfml_local.core.errors import SqlError
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer

NUMBERS = ("number of rows updated", "number of multi-joined rows updated")


@pytest.fixture(params=["TABLE", "TEMPORARY TABLE"])
def session(server: LocalServer, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A target of three rows, and a source with two rows for 1, one for 2 and none for 3."""
    session = server.account.sessions.open(database="SFML")
    for sql in (
        "CREATE OR REPLACE SCHEMA joined",
        f"CREATE {request.param} t (k INT, v INT)",
        "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)",
        f"CREATE {request.param} s (k INT, v INT)",
        "INSERT INTO s VALUES (1, 10), (1, 10), (2, 20), (4, 40)",
    ):
        server.account.execute(session, sql)
    yield session
    server.account.sessions.close(session)


def rows(server: LocalServer, session: Session) -> list[tuple[int, int]]:
    return sorted(server.account.execute(session, "SELECT k, v FROM t").rows)


@pytest.mark.parametrize(
    ("update", "numbers"),
    [
        ("UPDATE t SET v = s.v FROM s WHERE t.k = s.k", (2, 1)),
        ("UPDATE t x SET x.v = s.v FROM s WHERE x.k = s.k AND s.v < 20", (1, 1)),
        ("UPDATE t SET v = s.v FROM s WHERE t.k = s.k AND t.k = '2'", (1, 0)),
        ("UPDATE t SET v = s.v FROM s WHERE t.k = s.k AND s.k > 9", (0, 0)),
        ("UPDATE t SET v = q.v FROM (SELECT k, MAX(v) AS v FROM s GROUP BY k) q WHERE t.k = q.k", (2, 0)),
        ("UPDATE t SET v = s.v FROM t o LEFT JOIN s ON o.k = s.k WHERE t.k = o.k", (3, 1)),
        ("UPDATE t SET v = s.v FROM s, s AS other WHERE t.k = s.k AND other.k = s.k", (2, 1)),
        ("UPDATE t SET v = 9 FROM s", (3, 3)),
        (
            "UPDATE t SET v = f.value FROM s, LATERAL FLATTEN(ARRAY_CONSTRUCT(s.v, 7)) f WHERE t.k = 2 AND s.k = 2",
            (1, 1),
        ),
        ("UPDATE t SET v = 9", (3, 0)),
    ],
)
def test_target_rows_are_counted(
    server: LocalServer, session: Session, update: str, numbers: tuple[int, int]
) -> None:
    result = server.account.execute(session, update)
    assert (result.names(), tuple(result.rows[0])) == (NUMBERS, numbers)


def test_bound_values_are_counted_too(server: LocalServer, session: Session) -> None:
    sql = "UPDATE t SET v = ? FROM s WHERE t.k = s.k AND s.v < ?"
    assert tuple(server.account.execute(session, sql, [7, 15]).rows[0]) == (1, 1)
    assert rows(server, session) == [(1, 7), (2, 0), (3, 0)]


@pytest.mark.parametrize(
    "delete", ["DELETE FROM t USING s WHERE t.k = s.k", "DELETE FROM t x USING s WHERE x.k = s.k"]
)
def test_a_row_is_deleted_once(server: LocalServer, session: Session, delete: str) -> None:
    result = server.account.execute(session, delete)
    assert (result.names(), tuple(result.rows[0])) == (("number of rows deleted",), (2,))
    assert rows(server, session) == [(3, 0)]


def test_a_session_may_refuse_what_is_not_determined(server: LocalServer, session: Session) -> None:
    server.account.execute(session, "ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_UPDATE = TRUE")
    with pytest.raises(SqlError, match="Duplicate row detected during DML action") as refused:
        server.account.execute(session, "UPDATE t SET v = s.v FROM s WHERE t.k = s.k")
    assert (refused.value.errno, refused.value.sqlstate) == (100090, "42P18")
    assert rows(server, session) == [(1, 0), (2, 0), (3, 0)]
    for update, count in (
        ("UPDATE t SET v = s.v FROM s WHERE t.k = s.k AND t.k = 2", 1),
        ("UPDATE t SET v = 3", 3),
    ):
        result = server.account.execute(session, update)
        assert (result.names(), tuple(result.rows[0])) == (NUMBERS[:1], (count,))


def test_a_refused_update_leaves_the_transaction_open(server: LocalServer, session: Session) -> None:
    server.account.execute(session, "ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_UPDATE = TRUE")
    server.account.execute(session, "BEGIN")
    server.account.execute(session, "INSERT INTO t VALUES (9, 9)")
    with pytest.raises(SqlError, match="Duplicate row"):
        server.account.execute(session, "UPDATE t SET v = s.v FROM s WHERE t.k = s.k")
    server.account.execute(session, "COMMIT")
    assert rows(server, session) == [(1, 0), (2, 0), (3, 0), (9, 9)]


def test_an_update_without_autocommit_can_be_rolled_back(server: LocalServer, session: Session) -> None:
    server.account.execute(session, "ALTER SESSION SET AUTOCOMMIT = FALSE")
    server.account.execute(session, "UPDATE t SET v = s.v FROM s WHERE t.k = s.k")
    server.account.execute(session, "ROLLBACK")
    assert rows(server, session) == [(1, 0), (2, 0), (3, 0)]


@pytest.fixture
def snowpark(server: LocalServer) -> Iterator[Snowpark]:
    with Snowpark.builder.configs(server.connect_args()).create() as snowpark:
        yield snowpark


def test_snowpark_is_told_the_same_numbers(snowpark: Snowpark) -> None:
    """As in Snowpark's own test of a join, which runs on accounts."""
    pairs = snowpark.create_dataframe([(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)], schema=["a", "b"])
    pairs.write.save_as_table("pairs", mode="overwrite", table_type="temporary")
    letters = snowpark.create_dataframe([(n, chr(64 + n)) for n in range(1, 7)], schema=["n", "l"])
    letters.write.save_as_table("letters", mode="overwrite", table_type="temporary")
    source, target = snowpark.table("pairs"), snowpark.table("letters")
    assert target.update({"n": 0}, source.a == target.n, source) == UpdateResult(3, 3)
    snowpark.sql("ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_UPDATE = TRUE").collect()
    assert target.update({"n": 1}) == UpdateResult(6, None)
