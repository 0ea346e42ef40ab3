"""Trees of statements are kept by their text, and given out as copies."""

from __future__ import annotations

import pytest
from sqlglot import exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.dialect import FOREIGN, LONGEST_KEPT, OVERWRITES, parse_one

STATEMENTS = (
    "SELECT a + 1, b AS c FROM t -- why",
    "SELECT * FROM t WHERE FIRST_OF_NONE(a) = 1",
    "INSERT OVERWRITE ALL INTO t VALUES (a) SELECT a FROM s",
    f"SELECT '{'x' * LONGEST_KEPT}'",
)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_what_is_done_to_a_tree_is_not_seen_by_who_reads_the_same_statement_later(sql: str) -> None:
    first, second = parse_one(sql), parse_one(sql)
    before = [(repr(node), dict(node.meta)) for node in second.walk()]
    for node in list(first.walk()):
        node.meta["changed"] = True
        node.args["changed"] = True
        node.add_comments(["changed"])
    third = parse_one(sql)
    assert [(repr(node), dict(node.meta)) for node in third.walk()] == before
    assert "changed" not in third.sql(dialect="snowflake")


def test_what_is_noted_of_a_statement_is_there_each_time() -> None:
    for _ in range(2):
        assert parse_one(STATEMENTS[1]).meta[FOREIGN]
        assert parse_one(STATEMENTS[2]).meta[OVERWRITES]
        assert parse_one("SELECT a").find(exp.Column).parent_select is not None


def test_a_mistake_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(SqlError, match="syntax error"):
            parse_one("SELECT FROM WHERE")
