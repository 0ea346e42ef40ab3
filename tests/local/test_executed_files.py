"""EXECUTE IMMEDIATE FROM a file on a stage, as `snow stage execute` sends it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

Put = Callable[[str, str], None]


@pytest.fixture
def put(session: Session) -> Put:
    session.sql("CREATE OR REPLACE STAGE scripts").collect()

    def write(name: str, text: str) -> None:
        stream = io.BytesIO(text.encode())
        session.file.put_stream(stream, f"@scripts/{name}", auto_compress=False, overwrite=True)

    return write


def ask(session: Session, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.sql(sql).collect()]


def test_the_statements_of_a_file_are_executed_and_the_last_one_answers(session: Session, put: Put) -> None:
    put(
        "d/a.sql",
        "CREATE OR REPLACE TABLE made (a INT); -- one\nINSERT INTO made VALUES (7);\nSELECT a FROM made;\n",
    )
    assert ask(session, "EXECUTE IMMEDIATE FROM @scripts/d/a.sql") == [(7,)]
    assert ask(session, "execute immediate from '@SFML.PUBLIC.SCRIPTS/d/a.sql'") == [(7,)]
    assert ask(session, "SELECT COUNT(*) FROM made") == [(1,)]


def test_a_block_in_a_file_is_one_statement(session: Session, put: Put) -> None:
    put("b.sql", "BEGIN\n  LET x := 1;\n  RETURN x + 1;\nEND;")
    assert ask(session, "EXECUTE IMMEDIATE FROM @scripts/b.sql") == [(2,)]
    block = "BEGIN\n  EXECUTE IMMEDIATE FROM @scripts/b.sql;\n  RETURN 'done';\nEND"
    assert ask(session, block) == [("done",)]


def test_using_and_a_directive_make_a_template(session: Session, put: Put) -> None:
    put("t.sql", "SELECT {{ n }} + 1 AS n, '{{ who }}' AS who")
    assert ask(session, "EXECUTE IMMEDIATE FROM @scripts/t.sql USING (n => 41, who => 'it')") == [(42, "it")]
    put("u.sql", "--!jinja\n{% for n in [1, 2] %}SELECT {{ n }};{% endfor %}")
    assert ask(session, "EXECUTE IMMEDIATE FROM @scripts/u.sql") == [(2,)]
    put("v.sql", "SELECT '{{ n }}'")
    assert ask(session, "EXECUTE IMMEDIATE FROM @scripts/v.sql") == [("{{ n }}",)]


def test_what_came_before_a_failing_statement_stays(session: Session, put: Put) -> None:
    put("f.sql", "CREATE OR REPLACE TABLE kept (a INT); SELECT nope FROM kept; CREATE TABLE never (a INT)")
    with pytest.raises(SnowparkSQLException, match="invalid identifier 'NOPE'"):
        ask(session, "EXECUTE IMMEDIATE FROM @scripts/f.sql")
    assert ask(session, "SELECT COUNT(*) FROM kept") == [(0,)]
    with pytest.raises(SnowparkSQLException, match="does not exist"):
        ask(session, "SELECT * FROM never")


@pytest.mark.parametrize(
    ("text", "statement", "refused"),
    [
        ("--!jinja\nSELECT {{ nope }}", "", "'nope' is undefined"),
        ("--!jinja\nSELECT {{ 1 / 0 }}", "", "division by zero"),
        ("--!jinja\nSELECT {{ ''.__class__.__mro__ }}", "", "is unsafe"),
        ("--!jinja\nSELECT {{", "", "Error in the template"),
        (" -- nothing\n", "", "Empty SQL statement"),
        ("SELECT 1", " DRY_RUN = TRUE", "not emulated by the local server: EXECUTE IMMEDIATE FROM … DRY_RUN"),
        ("SELECT 1", " USING (a)", "expected name => value"),
    ],
)
def test_what_cannot_be_executed_is_refused(
    session: Session, put: Put, text: str, statement: str, refused: str
) -> None:
    put("r.sql", text)
    with pytest.raises(SnowparkSQLException, match=refused):
        ask(session, f"EXECUTE IMMEDIATE FROM @scripts/r.sql{statement}")


def test_missing_files_and_stages_are_refused(session: Session, put: Put) -> None:
    put("g.sql", "SELECT 1")
    for location in ("@scripts/nope.sql", "@nope/g.sql"):
        with pytest.raises(SnowparkSQLException, match="does not exist or not authorized"):
            ask(session, f"EXECUTE IMMEDIATE FROM {location}")
    with pytest.raises(SnowparkSQLException, match="not emulated by the local server"):
        ask(session, "EXECUTE IMMEDIATE FROM './g.sql'")


def test_a_statement_of_a_file_transfers_nothing(session: Session, put: Put) -> None:
    put("g.sql", "SELECT 1; GET @scripts file:///tmp/")
    with pytest.raises(SnowparkSQLException, match="Unsupported statement type 'GET_FILES'"):
        ask(session, "EXECUTE IMMEDIATE FROM @scripts/g.sql")
