"""Each function of the table of argument counts takes as many as it says there, and no others."""

from __future__ import annotations

import pytest

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.argument_counts import COUNTS
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.expressions.lowering import OWN


def call(name: str, count: int) -> str:
    return f"SELECT 1, {name}({', '.join('a' * count)})"


@pytest.mark.parametrize("name", sorted(name for name, (least, _) in COUNTS.items() if least))
def test_one_argument_fewer_is_refused(name: str) -> None:
    least = COUNTS[name][0]
    shown = f"{name}({', '.join('A' * (least - 1))})"
    with pytest.raises(SqlError) as refused:
        parse_one(call(name, least - 1))
    assert (refused.value.errno, refused.value.sqlstate) == (938, "22023")
    assert refused.value.message == (
        "SQL compilation error: error line 1 at position 10\n"
        f"not enough arguments for function [{shown}], expected {least}, got {least - 1}"
    )


@pytest.mark.parametrize("name", sorted(name for name, (_, most) in COUNTS.items() if most is not None))
def test_one_argument_more_is_refused(name: str) -> None:
    most = COUNTS[name][1] or 0
    shown = f"{name.lower()}({', '.join('A' * (most + 1))})".upper()
    with pytest.raises(SqlError) as refused:
        parse_one(call(name.lower(), most + 1))
    assert (refused.value.errno, refused.value.sqlstate) == (939, "22023")
    assert refused.value.message == (
        "SQL compilation error: error line 1 at position 10\n"
        f"too many arguments for function [{shown}] expected {most}, got {most + 1}"
    )


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_a_right_number_is_taken(name: str) -> None:
    least, most = COUNTS[name]
    for count in range(least, (least + 2 if most is None else most) + 1):
        parse_one(call(name, count))


def test_all_lowered_functions_have_counts() -> None:
    assert sorted(OWN - COUNTS.keys()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT UPPER(*), MAX(t.*), COUNT(DISTINCT *) FROM t",
        "SELECT POSITION('a' IN b), COUNT(DISTINCT a, b), ARRAY_CONSTRUCT(** c)",
        "SELECT s.upper(1, 2), x::CHAR(10), CAST(x AS DATE)",
        'CREATE TABLE "LEFT" (date DATE, max INT)',
        "INSERT INTO rank (a, b) VALUES (1, 2)",
        "WITH max (a, b) AS (SELECT 1, 2) SELECT * FROM max",
        "SELECT * FROM t AS first (a, b, c)",
        "SELECT * FROM t PIVOT (MAX(a) FOR b IN (1, 2, 3))",
    ],
)
def test_other_lists_are_not_counted(sql: str) -> None:
    parse_one(sql)


def test_syntax_comes_before_counts() -> None:
    with pytest.raises(SqlError, match="unexpected '<EOF>'"):
        parse_one("SELECT UPPER() FROM")
