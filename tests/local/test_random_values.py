"""RANDOM() and its kin wherever a SELECT may have them, and names that DuckDB reserves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sfml_local.core.account import Account
from sfml_local.core.expressions.dialect import OF_DUCKDB
from sfml_local.registry import open_account

Sql = Any


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = open_account(tmp_path_factory.mktemp("random"))
    yield account
    account.close()


@pytest.fixture(scope="module")
def sql(account: Account) -> Sql:
    session = account.sessions.open(database="SFML", schema="PUBLIC")

    def run(statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in account.execute(session, statement).rows]

    run("CREATE TABLE t (a INT, b VARCHAR)")
    run("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')")
    return run


@pytest.mark.parametrize(
    "key", ["RANDOM()", "UUID_STRING()", "NORMAL(0, 1, RANDOM())", "UNIFORM(0::FLOAT, 1::FLOAT, RANDOM())"]
)
def test_rows_can_be_numbered_at_random(sql: Sql, key: str) -> None:
    found = sql(f"SELECT a, ROW_NUMBER() OVER (ORDER BY {key}) AS i FROM t ORDER BY a")
    assert [a for a, _ in found] == [1, 2, 3]
    assert sorted(i for _, i in found) == [1, 2, 3]
    starred = sql(f"SELECT *, ROW_NUMBER() OVER (ORDER BY {key}) AS i FROM t")
    assert {len(row) for row in starred} == {3}
    joined = f"SELECT t.a, u.b, ROW_NUMBER() OVER (PARTITION BY t.a ORDER BY {key}) AS i FROM t JOIN t u ON t.a = u.a"
    assert sorted(sql(joined)) == [(1, "x", 1), (2, "y", 1), (3, "z", 1)]
    assert len(sql(f"SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY {key}) <= 2")) == 2
    made = f"SELECT ROW_NUMBER() OVER (ORDER BY {key}) AS i FROM TABLE(GENERATOR(ROWCOUNT => 4)) ORDER BY i"
    assert sql(made) == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("value", ["RANDOM()", "UNIFORM(1, 1000000, RANDOM())", "NORMAL(0, 1, RANDOM())"])
def test_an_alias_of_a_random_value_is_one_value(sql: Sql, value: str) -> None:
    for source in ("FROM t", "FROM TABLE(GENERATOR(ROWCOUNT => 20))", ""):
        assert {row[1] for row in sql(f"SELECT {value} AS r, r - r AS nothing {source}")} == {0}


def test_random_numbers_have_64_bits_wherever_they_stand(sql: Sql) -> None:
    inner = "SELECT RANDOM() AS r, RANDOM() AS s FROM TABLE(GENERATOR(ROWCOUNT => 1000))"
    ((least, most, different, other),) = sql(
        f"SELECT MIN(r), MAX(s), COUNT(DISTINCT r), COUNT(DISTINCT s) FROM ({inner})"
    )
    assert (different, other) == (1000, 1000)
    assert -(2**63) <= least < -(2**62)
    assert 2**62 < most < 2**63
    assert sql("SELECT RANDOM(7)") == sql("SELECT RANDOM(7)")


# What sqlglot itself does not take for a name of a column stays refused.
@pytest.mark.parametrize("name", sorted(OF_DUCKDB - {"describe", "glob", "notnull", "outer"}))
def test_names_that_duckdb_reserves(sql: Sql, name: str) -> None:
    sql(f"CREATE OR REPLACE TABLE u (a INT, {name} INT)")
    sql(f"INSERT INTO u (a, {name}) VALUES (1, 2)")
    sql(f"UPDATE u SET {name} = 3 WHERE {name} = 2")
    assert sql(f"SELECT a, {name}, u.{name} AS c FROM u WHERE {name} > 0 ORDER BY {name}") == [(1, 3, 3)]
