"""MERGE where several source rows meet one target row: decided before anything is changed, and by our own look.

https://docs.snowflake.com/en/sql-reference/sql/merge#label-merge-duplicate-join-behavior
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sfml_local.core.errors import SqlError
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer

UPDATE, DELETE = "UPDATE SET v = s.v", "DELETE"
BEFORE = [(1, 0), (2, 0), (3, 0)]


@pytest.fixture(params=["TABLE", "TEMPORARY TABLE"])
def session(server: LocalServer, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A target of three rows, and a source with two rows for 1 and for 4, one for 2."""
    session = server.account.sessions.open(database="SFML")
    for sql in (
        "CREATE OR REPLACE SCHEMA merging",
        f"CREATE {request.param} t (k INT, v INT)",
        "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)",
        f"CREATE {request.param} s (k INT, v INT)",
        "INSERT INTO s VALUES (1, 10), (1, 11), (2, 20), (4, 40), (4, 41)",
    ):
        server.account.execute(session, sql)
    yield session
    server.account.sessions.close(session)


def rows(server: LocalServer, session: Session) -> list[tuple[int, int]]:
    return sorted(server.account.execute(session, "SELECT k, v FROM t").rows)


def merge(server: LocalServer, session: Session, clauses: str, source: str = "s") -> tuple[int, ...]:
    sql = f"MERGE INTO t USING {source} ON t.k = s.k {clauses}"
    return tuple(server.account.execute(session, sql).rows[0])


@pytest.mark.parametrize(
    "clauses",
    [
        f"WHEN MATCHED THEN {UPDATE}",
        f"WHEN MATCHED AND s.v = 10 THEN {UPDATE} WHEN MATCHED THEN DELETE",
        f"WHEN MATCHED AND s.v = 10 THEN DELETE WHEN MATCHED THEN {UPDATE}",
        "WHEN MATCHED AND s.v < 99 AND t.v = 0 THEN UPDATE SET t.v = s.v + t.v",
        f"WHEN MATCHED THEN {UPDATE} WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)",
        "WHEN MATCHED THEN UPDATE SET v = 7",  # the same value is two values, too
    ],
)
@pytest.mark.parametrize(
    "source", ["s", "(SELECT k, v FROM s) s", "(s) s", "(SELECT * FROM s ORDER BY v) AS s"]
)
def test_a_row_that_would_be_changed_twice_stops_the_merge(
    server: LocalServer, session: Session, clauses: str, source: str
) -> None:
    with pytest.raises(SqlError, match="Duplicate row detected during DML action") as refused:
        merge(server, session, clauses, source)
    assert (refused.value.errno, refused.value.sqlstate) == (100090, "42P18")
    assert rows(server, session) == BEFORE


@pytest.mark.parametrize(
    ("clauses", "counts", "after"),
    [
        # Any number of deletes of one row is one delete.
        ("WHEN MATCHED THEN DELETE", (2,), [(3, 0)]),
        (
            f"WHEN MATCHED AND s.v = 20 THEN {UPDATE} WHEN MATCHED THEN DELETE",
            (1, 1),
            [(2, 20), (3, 0)],
        ),
        # A condition that leaves one source row makes it deterministic.
        (f"WHEN MATCHED AND s.v <> 11 THEN {UPDATE}", (2,), [(1, 10), (2, 20), (3, 0)]),
        (f"WHEN MATCHED AND s.v > 99 THEN {UPDATE}", (0,), BEFORE),
        # Source rows without a target row may repeat.
        (
            "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)",
            (2,),
            [*BEFORE, (4, 40), (4, 41)],
        ),
        (
            "WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND s.v = 40 THEN INSERT VALUES (s.k, s.v)",
            (1, 2),
            [(3, 0), (4, 40)],
        ),
    ],
)
def test_what_is_deterministic_is_carried_out(
    server: LocalServer, session: Session, clauses: str, counts: tuple[int, ...], after: list[tuple[int, int]]
) -> None:
    assert merge(server, session, clauses) == counts
    assert rows(server, session) == after


def test_a_session_may_ask_for_any_of_the_rows(server: LocalServer, session: Session) -> None:
    server.account.execute(session, "ALTER SESSION SET ERROR_ON_NONDETERMINISTIC_MERGE = FALSE")
    counts = merge(
        server, session, f"WHEN MATCHED THEN {UPDATE} WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.v)"
    )
    assert counts == (2, 2)
    first, *others = rows(server, session)
    assert first in ((1, 10), (1, 11))
    assert others == [(2, 20), (3, 0), (4, 40), (4, 41)]
    server.account.execute(session, "ALTER SESSION UNSET ERROR_ON_NONDETERMINISTIC_MERGE")
    with pytest.raises(SqlError, match="Duplicate row"):
        merge(server, session, f"WHEN MATCHED THEN {UPDATE}")


def test_a_refused_merge_leaves_the_transaction_open(server: LocalServer, session: Session) -> None:
    server.account.execute(session, "BEGIN")
    server.account.execute(session, "INSERT INTO t VALUES (9, 9)")
    with pytest.raises(SqlError, match="Duplicate row"):
        merge(server, session, f"WHEN MATCHED THEN {UPDATE}")
    server.account.execute(session, "COMMIT")
    assert rows(server, session) == [*BEFORE, (9, 9)]


def test_a_merge_without_autocommit_can_be_rolled_back(server: LocalServer, session: Session) -> None:
    server.account.execute(session, "ALTER SESSION SET AUTOCOMMIT = FALSE")
    merge(server, session, "WHEN MATCHED THEN DELETE")
    server.account.execute(session, "ROLLBACK")
    assert rows(server, session) == BEFORE


def test_bound_values_reach_every_clause(server: LocalServer, session: Session) -> None:
    sql = (
        "MERGE INTO t USING (SELECT k, v FROM s WHERE v <> ?) s ON t.k = s.k AND s.k < ?"
        " WHEN MATCHED AND s.v > ? THEN UPDATE SET v = ?"
    )
    server.account.execute(session, sql, [11, 3, 5, 77])
    assert rows(server, session) == [(1, 77), (2, 77), (3, 0)]
