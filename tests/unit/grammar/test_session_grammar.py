"""USE, ALTER SESSION, SET, CALL and databases, read from text."""

from __future__ import annotations

import pytest

from sfml_local.grammar.calls import Call
from sfml_local.grammar.databases import Create, DescribeTable, Drop, ShowDatabases, ShowSchemas
from sfml_local.grammar.session import (
    AlterSession,
    DescribeResult,
    GivenValue,
    SetVariables,
    ShowParameters,
    UnsetVariables,
    Use,
)
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import Name, SqlSyntaxError

CASES = {
    "use role ml_dev": Use("ROLE", Name(("ML_DEV",))),
    'USE WAREHOUSE "my wh";': Use("WAREHOUSE", Name(("my wh",))),
    "USE DATABASE d": Use("DATABASE", Name(("D",))),
    "USE d": Use("DATABASE", Name(("D",))),
    "USE d.s": Use("SCHEMA", Name(("D", "S"))),
    "USE SCHEMA IDENTIFIER('d.\"s\"')": Use("SCHEMA", Name(("D", "s"))),
    "USE SECONDARY ROLES ALL": Use("SECONDARY ROLES", Name(("ALL",))),
    "ALTER SESSION SET QUERY_TAG = 'it''s', AUTOCOMMIT = FALSE WEEK_START = 0": AlterSession(
        set=(("QUERY_TAG", "it's"), ("AUTOCOMMIT", False), ("WEEK_START", 0))
    ),
    "ALTER SESSION UNSET QUERY_TAG, TIMEZONE": AlterSession(unset=("QUERY_TAG", "TIMEZONE")),
    "SET a = 1 + f(2, 3)": SetVariables(("A",), (GivenValue(" SELECT 1 + f(2, 3)", False),)),
    "SET a=1": SetVariables(("A",), (GivenValue("SELECT 1", False),)),
    "SET a\n  =\n b": SetVariables(("A",), (GivenValue("SELECT b", False),)),
    "SET long =\n b": SetVariables(("LONG",), (GivenValue("    SELECT\n b", False),)),
    "SET a = ((SELECT 1))": SetVariables(("A",), (GivenValue(" SELECT ((SELECT 1))", True),)),
    "SET a = (SELECT 1) + (SELECT 2)": SetVariables(
        ("A",), (GivenValue(" SELECT (SELECT 1) + (SELECT 2)", False),)
    ),
    "SET (a, b) = ('x, y', (1 + 2))": SetVariables(
        ("A", "B"),
        (GivenValue("       SELECT 'x, y'", False), GivenValue("               SELECT (1 + 2)", False)),
    ),
    "SET (a, b) = (SELECT 1, (2))": SetVariables(("A", "B"), query="SELECT 1, (2)"),
    "UNSET (a, b)": UnsetVariables(("A", "B")),
    "SHOW PARAMETERS": ShowParameters(),
    "SHOW PARAMETERS LIKE 'q%' IN SESSION": ShowParameters("q%"),
    "SHOW PARAMETERS IN ACCOUNT": ShowParameters(None, "ACCOUNT"),
    "CALL f()": Call(Name(("F",))),
    "CALL SYSTEM$SET_RETURN_VALUE('a' || g('b', 1))": Call(
        Name(("SYSTEM$SET_RETURN_VALUE",)), ("'a' || g('b', 1)",)
    ),
    "CALL d.s.p($$x, )$$, k => [1, 2])": Call(Name(("D", "S", "P")), ("$$x, )$$", "k => [1, 2]")),
    "CREATE OR REPLACE DATABASE d COMMENT = 'c'": Create(
        "DATABASE", Name(("D",)), or_replace=True, comment="c"
    ),
    "create transient schema if not exists d.s": Create(
        "SCHEMA", Name(("D", "S")), if_not_exists=True, options={"TRANSIENT": True}
    ),
    "DROP SCHEMA IF EXISTS s CASCADE": Drop("SCHEMA", Name(("S",)), if_exists=True),
    "SHOW TERSE DATABASES LIKE 'a%'": ShowDatabases(Listing(terse=True, like="a%")),
    "SHOW SCHEMAS LIKE 's' IN DATABASE d": ShowSchemas(
        Listing(like="s", scope="DATABASE", within=Name(("D",)))
    ),
    "SHOW SCHEMAS IN ACCOUNT": ShowSchemas(Listing(scope="ACCOUNT")),
    "DESC TABLE a.b.c": DescribeTable("TABLE", Name(("A", "B", "C"))),
    "DESCRIBE RESULT 'x'": DescribeResult("x"),
}


@pytest.mark.parametrize("sql", CASES)
def test_statements_are_read(sql: str) -> None:
    assert parse_statement(sql) == CASES[sql]


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "CREATE TABLE t (a INT)", "TRUNCATE TABLE t"],
)
def test_other_statements_are_left_alone(sql: str) -> None:
    assert parse_statement(sql) is None


@pytest.mark.parametrize(
    "sql", ["USE ROLE", "SHOW FOO", "CREATE SCHEMA s FOO", "CALL f(1", "ALTER SESSION SET A 1"]
)
def test_statements_that_go_on_wrongly_are_refused(sql: str) -> None:
    with pytest.raises(SqlSyntaxError, match="syntax error line 1"):
        parse_statement(sql)
