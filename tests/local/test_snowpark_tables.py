"""Tables changed by Snowpark — merge, update, delete — and the shapes of queries that its data frames write."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

import pytest
from snowflake.snowpark import Session, Table
from snowflake.snowpark import functions as F
from snowflake.snowpark.exceptions import SnowparkSQLException


@pytest.fixture
def target(session: Session) -> Iterator[Table]:
    frame = session.create_dataframe([[10, "old"], [10, "too_old"], [11, "old"]], schema="K: int, V: string")
    frame.write.save_as_table("TARGET", mode="overwrite", table_type="temporary")
    yield session.table("TARGET")


def rows(table: Table) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in table.collect()), key=str)


def test_merge_updates_and_inserts(session: Session, target: Table) -> None:
    source = session.create_dataframe([[10, "new"], [12, "new"]], schema=["K", "V"])
    done = target.merge(
        source,
        (target["K"] == source["K"]) & (target["V"] == "too_old"),
        [F.when_matched().update({"V": source["V"]}), F.when_not_matched().insert({"K": source["K"]})],
    )
    assert (done.rows_inserted, done.rows_updated, done.rows_deleted) == (1, 1, 0)
    assert rows(target) == [(10, "new"), (10, "old"), (11, "old"), (12, None)]


def test_merge_takes_the_first_clause_that_fits(session: Session, target: Table) -> None:
    source = session.create_dataframe([[10, True], [11, False]], schema=["ID", "GONE"])
    done = target.merge(
        source,
        target["K"] == source["ID"],
        [F.when_matched(source["GONE"]).delete(), F.when_matched().update({"V": "kept"})],
    )
    assert (done.rows_deleted, done.rows_updated) == (2, 1)
    assert rows(target) == [(11, "kept")]


def test_merge_refuses_two_sources_of_one_row(session: Session, target: Table) -> None:
    source = session.create_dataframe([[11, "a"], [11, "b"]], schema=["K", "V"])
    with pytest.raises(SnowparkSQLException, match="Duplicate row detected"):
        target.merge(source, target["K"] == source["K"], [F.when_matched().update({"V": source["V"]})])
    assert len(rows(target)) == 3


def test_update_and_delete_by_another_table(session: Session, target: Table) -> None:
    other = session.create_dataframe([[11, "found"]], schema=["K", "W"])
    assert target.update({"V": other["W"]}, target["K"] == other["K"], other).rows_updated == 1
    assert target.delete(target["K"] == other["K"], other).rows_deleted == 1
    assert rows(target) == [(10, "old"), (10, "too_old")]


def test_many_bound_rows_keep_their_types(session: Session) -> None:
    row = [
        1,
        {"a": 1},
        [1, 2],
        datetime.datetime(2020, 1, 1),
        datetime.date(2020, 1, 2),
        Decimal("1.25"),
        b"x",
        True,
    ]
    frame = session.create_dataframe([[*row, None]] * 600, schema=list("ABCDEFGHI")).cache_result()
    found = frame.select("A", "B", "D", "E", "F", "G", "H", "I").first()
    assert frame.count() == 600
    assert tuple(found) == (1, '{\n  "a": 1\n}', row[3], row[4], Decimal("1.25"), bytearray(b"x"), True, None)


def test_pivots_of_any_values(session: Session) -> None:
    frame = session.create_dataframe([["a", "x", 1], ["a", "y", 2], ["b", "x", 3]], schema=["K", "C", "V"])
    found = {row.K: row.as_dict() for row in frame.group_by("K").pivot("C").sum("V").collect()}
    assert found == {"a": {"K": "a", "'x'": 1, "'y'": 2}, "b": {"K": "b", "'x'": 3, "'y'": None}}


def test_asof_joins_keep_rows_without_a_match(session: Session) -> None:
    left = session.create_dataframe([[1, 10], [1, 20], [2, 5]], schema=["K", "T"])
    right = session.create_dataframe([[1, 5, "x"], [1, 15, "y"]], schema=["K", "T", "W"])
    joined = left.join(right, on=left.k == right.k, how="asof", match_condition=(left.t >= right.t))
    assert sorted((str(row[1]), row.W) for row in joined.collect()) == [("10", "x"), ("20", "y"), ("5", None)]


def test_texts_are_split_to_rows(session: Session) -> None:
    frame = session.create_dataframe([[1, "a b"], [2, "c"]], schema=["A", "B"])
    joined = frame.join_table_function("split_to_table", frame["B"], F.lit(" ")).select("A", "INDEX", "VALUE")
    assert sorted(map(tuple, joined.collect())) == [(1, 1, "a"), (1, 2, "b"), (2, 1, "c")]
    alone = session.table_function("split_to_table", F.lit("p-q"), F.lit("-")).collect()
    assert [row.VALUE for row in alone] == ["p", "q"]


def test_quantiles_and_seeds(session: Session) -> None:
    frame = session.range(1, 6)
    assert frame.stat.approx_quantile("ID", [0.5]) == [3]
    drawn = [
        session.generator(F.uniform(1, 100, F.random(seed)), rowcount=3).collect()
        for seed in (-(2**62), 2**60, 1)
    ]
    assert all(1 <= row[0] <= 100 for rows_ in drawn for row in rows_)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("CREATE DYNAMIC ICEBERG TABLE d AS SELECT 1 AS a", "DYNAMIC ICEBERG TABLE"),
        ("CREATE EXTERNAL TABLE e (a INT) LOCATION = @s", "EXTERNAL TABLE"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a", "MATERIALIZED VIEW"),
        ("UNDROP TABLE gone", "UNDROP TABLE"),
        ("SELECT ST_X(a)", "function ST_X"),
    ],
)
def test_what_would_become_something_else_is_refused_by_name(session: Session, sql: str, word: str) -> None:
    with pytest.raises(SnowparkSQLException, match="Unsupported feature") as refused:
        session.sql(sql).collect()
    assert word in str(refused.value)
