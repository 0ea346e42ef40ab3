"""Statements chained by the pipe operator. https://docs.snowflake.com/en/sql-reference/operators-flow"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sfml_local.core.errors import SqlError
from sfml_local.core.session import Session
from sfml_local.grammar.flow import chained, with_results
from sfml_local.http.app import LocalServer


@pytest.fixture
def session(server: LocalServer) -> Iterator[Session]:
    session = server.account.sessions.open(database="SFML")
    server.account.execute(session, "CREATE OR REPLACE SCHEMA chains")
    for statement in ("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2), (3)"):
        server.account.execute(session, statement)
    yield session
    server.account.sessions.close(session)


@pytest.mark.parametrize(
    ("chain", "rows"),
    [
        ('SHOW TABLES ->> SELECT "name", "kind" FROM $1', [("T", "TABLE")]),
        ("SHOW TABLES ->> SELECT COUNT(*) FROM $1;", [(1,)]),
        ("SELECT a FROM t WHERE a > 1 ->> SELECT SUM(a) FROM $1", [(5,)]),
        ("SELECT 0 AS c ->> SELECT c FROM $1 ->> SELECT c FROM $2 ->> SELECT c FROM $3", [(0,)]),
        ("SELECT 1 AS c ->> SELECT 2 AS c ->> SELECT x.c, y.c FROM $1 AS x, $2 AS y", [(2, 1)]),
        ("SELECT 1 AS c ->> SELECT 2 AS c ->> SELECT x.c + y.c FROM $1 x JOIN $2 y ON y.c < x.c", [(3,)]),
        ("SELECT 7 AS c ->> SELECT $1 FROM $1", [(7,)]),
        ("SELECT '2024-05-01'::DATE AS d ->> SELECT EXTRACT(year FROM d) FROM $1", [(2024,)]),
        ("SELECT 1 ->> WITH x AS (SELECT * FROM $1) SELECT COUNT(*) FROM x", [(1,)]),
        ("INSERT INTO t VALUES (9) ->> SELECT $1 FROM $1", [(1,)]),
        ("SELECT 5 AS a ->> INSERT INTO t SELECT a FROM $1 ->> SELECT MAX(a) FROM t", [(5,)]),
        ("SELECT 'a ->> b' AS x ->> SELECT x FROM $1", [("a ->> b",)]),
    ],
)
def test_a_statement_reads_results_before_it(
    server: LocalServer, session: Session, chain: str, rows: list[Any]
) -> None:
    assert list(server.account.execute(session, chain).rows) == rows


def test_results_of_show_are_put_below_one_another_as_sql_puts_them(
    server: LocalServer, session: Session
) -> None:
    show = "SHOW TABLES ->> SHOW SCHEMAS ->> SHOW TABLES"
    union = 'SELECT 1 AS "at", * FROM $1 UNION ALL SELECT 22 AS "at", * FROM $3'
    plain = server.account.execute(session, f"{show} ->> {union}")
    by_sql = server.account.execute(session, f"{show} ->> SELECT * FROM ({union})")
    assert plain.names() == by_sql.names() == ("at", *server.account.execute(session, "SHOW TABLES").names())
    assert sorted(row[:4] for row in plain.rows) == sorted(row[:4] for row in by_sql.rows)
    assert [row[0] for row in plain.rows] == [1, 22]
    mixed = 'SELECT 1 AS "at", * FROM $1 UNION ALL SELECT 2 AS "at", * FROM $2'
    with pytest.raises(SqlError):  # they have other columns
        server.account.execute(session, f"{show} ->> {mixed}")


def test_many_results_are_put_below_one_another(server: LocalServer, session: Session) -> None:
    """More than a session keeps for RESULT_SCAN."""
    union = " UNION ALL ".join(f'SELECT {number} AS "at", * FROM ${number}' for number in range(1, 81))
    rows = server.account.execute(session, " ->> ".join([*["SHOW TABLES"] * 80, union])).rows
    assert [row[0] for row in rows] == list(range(1, 81))


def test_a_chain_ends_with_its_first_error(server: LocalServer, session: Session) -> None:
    with pytest.raises(SqlError, match="NO_SUCH"):
        server.account.execute(session, "SELECT 1 ->> SELECT * FROM no_such ->> INSERT INTO t VALUES (4)")
    assert server.account.execute(session, "SELECT COUNT(*) FROM t").scalar == 3


@pytest.mark.parametrize("number", [0, 2, 9])
def test_a_number_that_no_statement_has_is_refused(
    server: LocalServer, session: Session, number: int
) -> None:
    with pytest.raises(SqlError, match=rf"Invalid pipe number \${number}"):
        server.account.execute(session, f"SELECT 1 ->> SELECT * FROM ${number}")


@pytest.mark.parametrize("chain", ["SELECT 1 ->>", "->> SELECT 1", "SELECT 1 ->> ->> SELECT 2"])
def test_each_pipe_stands_between_statements(server: LocalServer, session: Session, chain: str) -> None:
    with pytest.raises(SqlError, match="syntax error"):
        server.account.execute(session, chain)


def test_a_chain_is_described_without_an_effect(server: LocalServer, session: Session) -> None:
    before = session.last_query_id
    result = server.account.execute(
        session, "SELECT a AS b FROM t ->> SELECT b, b + 1 AS c FROM $1", describe_only=True
    )
    assert result.names() == ("B", "C")
    assert session.last_query_id == before


def test_bound_values_are_those_of_the_whole_chain(server: LocalServer, session: Session) -> None:
    chain = "SELECT a FROM t WHERE a >= ? ->> SELECT COUNT(*) FROM $1 WHERE a < ?"
    assert server.account.execute(session, chain, [2, 3]).scalar == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TASK k AS SHOW TABLES ->> SELECT * FROM $1",
        "BEGIN SHOW TABLES ->> SELECT * FROM $1; END",
        "SELECT '->>'",
        "SELECT (1 ->> 2)",
    ],
)
def test_a_pipe_in_a_definition_or_a_text_chains_nothing(statement: str) -> None:
    assert chained(statement) == ()


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("SELECT $1 FROM $1", "SELECT $1 FROM <1>"),
        ("SELECT EXTRACT(day FROM $1) FROM $2", "SELECT EXTRACT(day FROM $1) FROM <2>"),
        ("SELECT a, $2 FROM $1 x, $2 y WHERE a IN ($1, $2)", "SELECT a, $2 FROM <1> x, <2> y WHERE a IN ($1, $2)"),
        ("SELECT * FROM (SELECT * FROM $1), $2", "SELECT * FROM (SELECT * FROM <1>), <2>"),
        ("SELECT a FROM $1 ORDER BY a, $2", "SELECT a FROM <1> ORDER BY a, $2"),
    ],
)  # fmt: skip
def test_only_numbers_of_a_from_clause_are_results(statement: str, read: str) -> None:
    assert with_results(statement, "<{}>".format) == read
