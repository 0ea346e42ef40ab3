"""Statements of any nesting get an answer or a refusal in words, soon: at the door, in tasks and in text of text."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

import pytest
import snowflake.connector
from machine_speed import SLOWNESS
from snowflake.connector import SnowflakeConnection

from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import SqlSyntaxError
from sfml_local.http.app import LocalServer
from sfml_local.http.rest import BASE

CASES = {
    "subqueries": ("SELECT * FROM (", "SELECT 1 a", ")"),
    "parentheses": ("(", "1", ")"),
    "functions": ("COALESCE(NULL, ", "1", ")"),
    "conditions": ("IFF(1 = 2, 0, ", "1", ")"),
    "CASE": ("CASE WHEN 1 = 2 THEN 0 ELSE ", "1", " END"),
    "arrays": ("[", "1", "]"),
    "objects": ("{'a': ", "1", "}"),
    "scalar subqueries": ("(SELECT ", "1", ")"),
    "EXISTS": ("EXISTS (SELECT 1 WHERE ", "TRUE", ")"),
    "NOT": ("NOT ", "TRUE", ""),
    "signs": ("- ", "1", ""),
    "casts": ("", "1", "::INT"),
    "paths": ("", "PARSE_JSON('{}'):a", ".a"),
    "WITH": ("WITH a AS (", "SELECT 1 x", ") SELECT * FROM a"),
    "blocks": ("BEGIN ", "RETURN 1;", " END;"),
    "branches": ("IF (TRUE) THEN ", "RETURN 1;", " END IF;"),
    "comments": ("/*", "", "*/"),
}
CHAINS = {
    "OR": ("SELECT 1 WHERE ", "1 = 2", " OR "),
    "AND": ("SELECT 1 WHERE ", "1 = 1", " AND "),
    "||": ("SELECT ", "'a'", " || "),
    "+": ("SELECT ", "1", " + "),
    "UNION ALL": ("", "SELECT 1", " UNION ALL "),
    "IN": ("SELECT 1 WHERE 1 IN (0, ", "1", ", "),
}


def nested(name: str, depth: int) -> str:
    opening, inner, closing = CASES[name]
    text = opening * depth + inner + closing * depth
    if name in ("subqueries", "WITH", "blocks"):
        return text
    return f"BEGIN {text} END" if name == "branches" else f"SELECT {text}"


def chain(name: str, terms: int) -> str:
    start, term, operator = CHAINS[name]
    return start + operator.join([term] * terms) + (")" if name == "IN" else "")


def refusal(connection: SnowflakeConnection, sql: str) -> str:
    """What a statement is refused with, or nothing; fails unless that came in time and in words."""
    began = time.process_time()
    try:
        connection.cursor().execute(sql)
        said = ""
    except snowflake.connector.Error as error:
        said = str(error)
    assert "local server error" not in said
    assert "recursion depth" not in said
    assert time.process_time() - began < 10 * SLOWNESS
    return said


@pytest.mark.parametrize("depth", (150, 1_000))
@pytest.mark.parametrize("name", CASES)
def test_nesting(connection: SnowflakeConnection, name: str, depth: int) -> None:
    said = refusal(connection, nested(name, depth))
    assert said or depth == 150
    assert connection.cursor().execute("SELECT 1").fetchone() == (1,)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ("subqueries", "parentheses", "functions", "CASE", "NOT"))
def test_what_people_write_is_far_from_the_bound(connection: SnowflakeConnection, name: str) -> None:
    assert refusal(connection, nested(name, 60)) == ""


@pytest.mark.parametrize("name", CHAINS)
def test_chains(connection: SnowflakeConnection, name: str) -> None:
    said = refusal(connection, chain(name, 1_100))
    assert said == "" or "too many operators" in said


LEVELS = 10
TEXT, DATE, NUMBER = "PARSE_JSON(COLUMN1):a::STRING", "COLUMN2::DATE", "COLUMN3"
FUNCTIONS = {
    TEXT: (
        *(
            "REPLACE({}, 'a', 'b')",
            "UPPER({})",
            "SUBSTR({}, 1, 2)",
            "TRIM({})",
            "MD5({})",
            "BASE64_ENCODE({})",
        ),
        *("({} || 'a')", "CASE WHEN LENGTH({}) = 1 THEN 'a' ELSE 'b' END", "TO_JSON(TO_VARIANT({}))"),
        *(
            "REPEAT({}, 1)",
            "SPLIT_PART({}, 'b', 1)",
            "NULLIF({}, 'a')",
            "{}::VARCHAR(20)",
            "IFF({} = 'a', 'b', 'c')",
            "IFF({} IN ('a', 'b'), COLUMN1, 'c')",
        ),
        *(
            "IFF({} LIKE 'a%', COLUMN1, 'b')",
            "IFF({} BETWEEN 'a' AND 'b', COLUMN1, 'b')",
        ),
    ),
    DATE: (
        *("DATE_TRUNC('month', {})", "ADD_MONTHS({}, 1)", "DATEADD(day, 1, {})", "DATEADD(hour, 1, {})"),
        *("LAST_DAY({})", "({} + INTERVAL '1 day')", "TIME_SLICE({}, 1, 'month')", "{}::TIMESTAMP_NTZ"),
        *("DATE_FROM_PARTS(YEAR({}), 1, 1)", "DATEADD(day, DATEDIFF(day, {}, COLUMN2), COLUMN2)"),
    ),
    NUMBER: (
        *(
            "TO_DECIMAL({}, 10, 2)",
            "{}::NUMBER(10, 2)",
            "{}::INT",
            "{}::FLOAT",
            "NULLIFZERO({})",
            "NULLIF({}, 3)",
            "LENGTH({})",
            "ZEROIFNULL({})",
        ),
        *("DIV0({}, 2)", "DIV0NULL({}, 2)", "({} % 7)", "MOD({}, 7)", "CEIL({}, 1)", "IFF({} > 1, 1, 2)"),
        *("({} / 2)", "({} * 2)", "({} - COLUMN3)", "SQUARE({})"),
    ),
}
"""Value → what is called with it, and then with what that answers."""


@pytest.mark.parametrize(
    ("value", "call"), [(value, call) for value in FUNCTIONS for call in FUNCTIONS[value]]
)
def test_functions_of_functions_take_no_multiple_at_each_level(
    connection: SnowflakeConnection, value: str, call: str
) -> None:
    """A macro of DuckDB's has its argument several times, and so have some functions' own translations."""
    for _ in range(LEVELS):
        value = call.replace("{}", value)
    began = time.process_time()
    row = """VALUES ('{"a": "x"}', '2024-01-31', 1.5)"""
    connection.cursor().execute(f"SELECT {value} FROM {row}").fetchall()
    assert time.process_time() - began < SLOWNESS


def test_text_of_text(connection: SnowflakeConnection) -> None:
    """Statements that are only seen when another runs, and documents."""
    deep = nested("parentheses", 1_000)
    assert "levels deep" in refusal(connection, f"EXECUTE IMMEDIATE '{deep}'")
    for brackets in ("[" * 5_000 + "]" * 5_000, '{"a":' * 5_000 + "1" + "}" * 5_000):
        refusal(connection, f"SELECT PARSE_JSON('{brackets}')")


@pytest.mark.parametrize("function", ("PARSE_JSON", "TRY_PARSE_JSON", "CHECK_JSON"))
@pytest.mark.parametrize(
    "text", ("[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000, "[" * 100_000)
)
def test_a_document_that_no_reader_finishes_is_not_called_invalid(
    connection: SnowflakeConnection, function: str, text: str
) -> None:
    assert "nested too deeply for the local server" in refusal(connection, f"SELECT {function}('{text}')")


def test_a_file_with_a_document_that_is_nested_too_deeply_is_named(
    connection: SnowflakeConnection, tmp_path: Path
) -> None:
    (tmp_path / "deep.json").write_text("[" * 5_000 + "]" * 5_000)
    connection.cursor().execute("CREATE STAGE deep")
    connection.cursor().execute(f"PUT 'file://{tmp_path}/deep.json' @deep AUTO_COMPRESS = FALSE")
    connection.cursor().execute("CREATE TABLE deep_documents (v VARIANT)")
    said = refusal(connection, "COPY INTO deep_documents FROM @deep FILE_FORMAT = (TYPE = JSON)")
    assert "A document is nested too deeply for the local server.\n  File 'deep/deep.json'" in said


@pytest.mark.parametrize("setting", ("condition", "definition"))
def test_a_task_that_is_nested_too_deeply(server: LocalServer, setting: str) -> None:
    body = {"name": f"deep_{setting}", "definition": "SELECT 1", "condition": None}
    body[setting] = (
        nested("parentheses", 1_000) if setting == "definition" else "(" * 1_000 + "1=1" + ")" * 1_000
    )
    client = http.client.HTTPConnection(server.host, server.port, timeout=60)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    for path, method, content in (
        (f"{BASE}/databases/SFML/schemas/PUBLIC/tasks", "POST", json.dumps(body)),
        (f"{BASE}/databases/SFML/schemas/PUBLIC/tasks/deep_{setting}:execute", "POST", ""),
    ):
        client.request(method, path, content, headers)
        answer = client.getresponse()
        assert answer.status < 500, answer.read()
        answer.read()


@pytest.mark.parametrize("name", CASES)
def test_the_grammar_refuses_before_it_recurses(name: str) -> None:
    try:
        parse_statement(nested(name, 1_000))
    except SqlSyntaxError as error:
        assert "levels deep" in str(error) or "unexpected" in str(error)
