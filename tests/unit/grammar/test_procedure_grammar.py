"""Anonymous procedures as tasks hold them and as Snowpark and dbt write them."""

from __future__ import annotations

import json

import pytest

from sfml_local.grammar.procedures import AnonymousProcedure, parse
from sfml_local.grammar.signatures import Argument, Parameter, arguments
from sfml_local.grammar.tokens import Name, SqlSyntaxError, Tokens

STEP = """
WITH SFML_STEP AS PROCEDURE (CALL STRING)
RETURNS STRING
LANGUAGE PYTHON
RUNTIME_VERSION = '3.11'
PACKAGES = ('snowflake-snowpark-python', 'pandas')
IMPORTS = ('@SFML.CLV.SFML/clv/code/abc/steps.zip')
HANDLER = 'main'
AS $$
def main(session, call):
    return "it's \\n \\"fine\\""
$$
CALL SFML_STEP('{"a": "it''s \\\\ $x"}');
"""


def read(sql: str) -> AnonymousProcedure:
    procedure = parse(Tokens(sql))
    assert isinstance(procedure, AnonymousProcedure)
    return procedure


def test_a_step_is_read_whole() -> None:
    assert read(STEP) == AnonymousProcedure(
        name="SFML_STEP",
        parameters=(Parameter("CALL", "STRING"),),
        returns="STRING",
        language="PYTHON",
        runtime_version="3.11",
        packages=("snowflake-snowpark-python", "pandas"),
        imports=("@SFML.CLV.SFML/clv/code/abc/steps.zip",),
        handler="main",
        body='\ndef main(session, call):\n    return "it\'s \\n \\"fine\\""\n',
        call=Name(("SFML_STEP",)),
        arguments=(Argument("""'{"a": "it''s \\\\ $x"}'"""),),
    )


def test_clauses_come_in_any_order_and_a_version_may_be_bare() -> None:
    procedure = read(
        "with p as procedure (n NUMBER(10, 2) DEFAULT 1 + 2, t VARCHAR) language python packages=('a')"
        " runtime_version=3.11 execute as caller returns table (a int, b string) handler='mod.f'"
        " call p(t => 'x')"
    )
    assert procedure.parameters == (Parameter("N", "NUMBER(10, 2)", "1 + 2"), Parameter("T", "VARCHAR"))
    assert (procedure.runtime_version, procedure.handler, procedure.body) == ("3.11", "mod.f", None)
    assert procedure.returns == "table (a int, b string)"
    assert procedure.arguments == (Argument("'x'", "T"),)


def test_a_body_in_quotes_is_unescaped() -> None:
    body = read(
        "WITH p AS PROCEDURE () RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION='3.11' PACKAGES=() HANDLER='f'"
        " AS 'def f(s):\n  return ''a''' CALL p()"
    ).body
    assert body == "def f(s):\n  return 'a'"


def test_what_dbt_adds_is_kept_for_the_one_who_runs_it() -> None:
    procedure = read(
        "WITH p AS PROCEDURE () RETURNS STRING LANGUAGE PYTHON RUNTIME_VERSION='3.11' PACKAGES=('x')"
        " EXTERNAL_ACCESS_INTEGRATIONS=(net, net2) SECRETS=('k'=db.s.secret) HANDLER='main' EXECUTE AS CALLER"
        " AS $$x$$ CALL p()"
    )
    assert (procedure.external_access, procedure.secrets) == ("net, net2", "'k'=db.s.secret")


@pytest.mark.parametrize("clause", ["STRICT", "RETURNS NULL ON NULL INPUT"])
def test_strictness(clause: str) -> None:
    sql = f"WITH p AS PROCEDURE (a INT) RETURNS STRING LANGUAGE PYTHON {clause} HANDLER='f' AS 'x' CALL p(1)"
    assert read(sql).strict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("()", ()),
        ("('a' || f(1, 2), [1, 2])", (Argument("'a' || f(1, 2)"), Argument("[1, 2]"))),
        ("(a => 'x,)', 3)", (Argument("'x,)'", "A"), Argument("3"))),
    ],
)
def test_arguments_are_expressions_as_written(text: str, expected: tuple[Argument, ...]) -> None:
    assert arguments(Tokens(text)) == expected


@pytest.mark.parametrize("sql", ["WITH a AS (SELECT 1) SELECT * FROM a", "SELECT 1", "CALL p()", "WITH", ""])
def test_other_statements_are_left_alone(sql: str) -> None:
    assert parse(Tokens(sql)) is None


@pytest.mark.parametrize(
    "sql",
    [
        "WITH p AS PROCEDURE () RETURNS INT LANGUAGE PYTHON WHATEVER CALL p()",
        "WITH p AS PROCEDURE () RETURNS INT LANGUAGE PYTHON",
        "WITH p AS PROCEDURE () RETURNS INT AS 'x' CALL p(",
    ],
)
def test_what_cannot_be_read_is_a_syntax_error(sql: str) -> None:
    with pytest.raises(SqlSyntaxError, match="syntax error line 1"):
        parse(Tokens(sql))


def test_json_in_a_literal_survives() -> None:
    value = {"quote": "it's", "double": '"', "slash": "a\\b", "dollar": "$$", "lines": "a\nb", "é": "→"}
    literal = "'" + json.dumps(value, ensure_ascii=False).replace("\\", "\\\\").replace("'", "''") + "'"
    assert json.loads(Tokens(literal).expect_string()) == value
