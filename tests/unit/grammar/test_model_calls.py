"""Calls of models' methods are spelled so that sqlglot reads them, and nothing else is touched."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from sfml_local.grammar.model_calls import method_name, respelled
from sfml_local.grammar.tokens import SqlSyntaxError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("WITH mv AS MODEL a.b.m VERSION v1 SELECT mv!predict(x) FROM t", "SELECT MODEL(a.b.m, v1)!predict(x) FROM t"),
        ('WITH mv AS MODEL "m 1" SELECT MV!predict(x) FROM t', 'SELECT MODEL("m 1")!predict(x) FROM t'),
        (
            "WITH x AS (SELECT 1 a, (2) b), mv AS MODEL m VERSION LAST SELECT mv!p(a) FROM x",
            "WITH x AS (SELECT 1 a, (2) b) SELECT MODEL(m, LAST)!p(a) FROM x",
        ),
        (
            "WITH a AS MODEL m, x AS (SELECT a!p(1)), b AS MODEL n SELECT b!p(1) FROM x",
            "WITH  x AS (SELECT MODEL(m)!p(1)) SELECT MODEL(n)!p(1) FROM x",
        ),
        ("CREATE TABLE t AS WITH mv AS MODEL m SELECT mv!p(1)", "CREATE TABLE t AS SELECT MODEL(m)!p(1)"),
        ("SELECT ':!x(', 'AS MODEL', a != (b) FROM t", "SELECT ':!x(', 'AS MODEL', a != (b) FROM t"),
        ("WITH mv AS (SELECT 1) SELECT a!p(1) FROM mv", "WITH mv AS (SELECT 1) SELECT a!p(1) FROM mv"),
    ],
)  # fmt: skip
def test_aliases_of_versions_are_written_out(written: str, read: str) -> None:
    assert " ".join(respelled(written).split()) == " ".join(read.split())


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("predict(x)", "PREDICT"),
        ("transform(x)", "TRANSFORM"),
        ("DECODE(x, y, z)", "DECODE"),
        ('"transform"(x)', "transform"),
        ('"Predict"(x)', "Predict"),
        ("sum(x)", "SUM"),
    ],
)
def test_a_method_may_be_called_as_a_function_is(call: str, name: str) -> None:
    tree = sqlglot.parse_one(respelled(f"SELECT m!{call}['a']::INT FROM t"), read="snowflake")
    (attribute,) = tree.find_all(exp.ModelAttribute)
    assert isinstance(attribute.expression, exp.Anonymous)
    assert method_name(attribute.expression.this) == name


def test_an_alias_of_nothing_is_a_syntax_error() -> None:
    with pytest.raises(SqlSyntaxError, match="expected an identifier"):
        respelled("WITH mv AS MODEL")
