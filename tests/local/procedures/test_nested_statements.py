"""Statements that an account refuses inside procedures, blocks, tasks and requests of several."""

from __future__ import annotations

from pathlib import Path

import pytest
from snowflake.connector import ProgrammingError, SnowflakeConnection
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

PYTHON = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"


def sentence(word: str) -> str:
    return f"Stored procedure execution error: Unsupported statement type '{word}'."


def refusal(connection: SnowflakeConnection, sql: str, **more: int) -> ProgrammingError:
    with pytest.raises(ProgrammingError) as refused:
        connection.cursor().execute(sql, **more)
    return refused.value


@pytest.fixture
def put(connection: SnowflakeConnection, tmp_path: Path) -> str:
    """A PUT of a file that is there to a stage that is there."""
    (tmp_path / "a.txt").write_text("a")
    connection.cursor().execute("CREATE OR REPLACE STAGE nested_stage")
    return f"PUT file://{tmp_path}/a.txt @nested_stage"


WITHIN = {
    "block": "BEGIN {}; END",
    "text": "EXECUTE IMMEDIATE $$BEGIN {}; END$$",
    "branch": "BEGIN IF (TRUE) THEN {}; END IF; END",
    "text in a block": "BEGIN EXECUTE IMMEDIATE '{}'; END",
    "chain": "{} ->> SELECT 1",
}


@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN)
def test_a_transfer_is_refused_within(connection: SnowflakeConnection, put: str, within: str) -> None:
    told = refusal(connection, within.format(put))
    assert (told.errno, told.sqlstate) == (90236, "42601")
    assert sentence("PUT_FILES") in str(told)
    assert sentence("GET_FILES") in str(refusal(connection, within.format("GET @nested_stage file:///tmp/")))


@pytest.mark.parametrize("rights", ["CALLER", "OWNER"])
def test_a_transfer_is_refused_in_a_procedure(connection: SnowflakeConnection, put: str, rights: str) -> None:
    connection.cursor().execute(
        f"CREATE OR REPLACE PROCEDURE puts() RETURNS INT EXECUTE AS {rights} AS $$BEGIN {put}; END$$"
    )
    assert sentence("PUT_FILES") in str(refusal(connection, "CALL puts()"))


def test_a_transfer_is_refused_in_a_request_of_several(connection: SnowflakeConnection, put: str) -> None:
    told = refusal(connection, f"SELECT 1; {put}; SELECT 2", num_statements=3)
    assert told.errno == 90236 and sentence("PUT_FILES") in str(told)


def test_a_client_transfers_by_itself(connection: SnowflakeConnection, put: str) -> None:
    cursor = connection.cursor()
    assert cursor.execute(put).fetchall()[0][6] == "UPLOADED"  # type: ignore[index]
    assert cursor.execute(f"EXECUTE IMMEDIATE '{put} OVERWRITE = TRUE'").fetchall()[0][6] == "UPLOADED"  # type: ignore[index]


REFUSED = {
    "ALTER SESSION SET QUERY_TAG = 'x'": "ALTER_SESSION",
    "USE SCHEMA PUBLIC": "USE",
    "USE DATABASE SFML": "USE",
    "USE ROLE SYSADMIN": "USE",
    "REMOVE @nested_stage": "REMOVE_FILES",
    "SHOW PARAMETERS": "SHOW PARAMETER",
    "SHOW PARAMETERS LIKE 'T%' IN SESSION": "SHOW PARAMETER",
    "SHOW GRANTS": "SHOW GRANT",
    "SHOW VARIABLES": "SHOW VARIABLE",
    "SHOW TRANSACTIONS": "SHOW TRANSACTION",
}
ALLOWED = (
    *("SELECT 1", "SHOW TABLES", "SHOW PARAMETERS IN ACCOUNT", "SHOW GRANTS TO ROLE SYSADMIN"),
    *("USE WAREHOUSE LOCAL_WH", "CREATE OR REPLACE TRANSIENT TABLE nested_kept (a INT)", "BEGIN; COMMIT"),
    *("DESCRIBE TABLE nested_described", "SHOW PARAMETERS IN SCHEMA PUBLIC"),
)
TEMPORARY = {
    "CREATE TEMPORARY TABLE nested_first (a INT)": "TABLE",
    "CREATE OR REPLACE TEMP TABLE nested_t AS SELECT 1 AS a": "TABLE",
    "CREATE OR REPLACE LOCAL TEMPORARY TABLE nested_t (a INT)": "TABLE",
    "CREATE OR REPLACE TEMP VIEW nested_v AS SELECT 1 AS a": "VIEW",
    "CREATE TEMPORARY STAGE nested_s": "STAGE",
    "CREATE TEMPORARY FILE FORMAT nested_f TYPE = CSV": "FILE_FORMAT",
}


def scripted(connection: SnowflakeConnection, rights: str, statements: str) -> str:
    connection.cursor().execute(
        f"CREATE OR REPLACE PROCEDURE nested_do() RETURNS INT EXECUTE AS {rights} AS $$BEGIN {statements}; END$$"
    )
    return "CALL nested_do()"


@pytest.mark.parametrize(("sql", "word"), [*REFUSED.items(), ("LIST @nested_stage", "LIST_FILES")])
def test_an_owners_script_is_refused_what_a_callers_may(
    connection: SnowflakeConnection, put: str, sql: str, word: str
) -> None:
    connection.cursor().execute(scripted(connection, "CALLER", sql))
    connection.cursor().execute(f"BEGIN {sql}; END")
    told = refusal(connection, scripted(connection, "OWNER", sql))
    assert (told.errno, sentence(word) in str(told)) == (90236, True)


def test_an_owners_script_may_do_the_rest(connection: SnowflakeConnection) -> None:
    connection.cursor().execute("CREATE OR REPLACE TABLE nested_described (a INT)")
    temporary = "CREATE OR REPLACE TEMPORARY TABLE nested_own (a INT)"
    connection.cursor().execute(scripted(connection, "OWNER", "; ".join([*ALLOWED, temporary])))


def test_what_an_owner_calls_has_an_owners_rights(connection: SnowflakeConnection) -> None:
    scripted(connection, "CALLER", "SHOW VARIABLES")
    connection.cursor().execute("CALL nested_do()")
    connection.cursor().execute(
        "CREATE OR REPLACE PROCEDURE nested_outer() RETURNS INT AS $$BEGIN CALL nested_do(); END$$"
    )
    assert sentence("SHOW VARIABLE") in str(refusal(connection, "CALL nested_outer()"))
    connection.cursor().execute("SHOW VARIABLES")


@pytest.mark.parametrize("sql", ["SET mine = 2", "UNSET mine", "SELECT $mine", "RETURN $mine"])
def test_an_owners_script_knows_no_variables_of_the_session(
    connection: SnowflakeConnection, sql: str
) -> None:
    cursor = connection.cursor().execute("SET mine = 1")
    told = refusal(connection, scripted(connection, "OWNER", sql))
    assert (told.errno, told.sqlstate) == (90244, "42601")
    assert "Use of session variable '$MINE' is not allowed in owners rights stored procedure" in str(told)
    assert cursor.execute("SELECT $mine").fetchall() == [(1,)]
    assert cursor.execute(scripted(connection, "OWNER", "RETURN GETVARIABLE('MINE')")).fetchall() == [(None,)]


def asked(session: Session, rights: str, statements: list[str]) -> list[str]:
    """What a handler in Python is told to each of these statements."""
    session.sql(
        f"CREATE OR REPLACE PROCEDURE nested_asks(texts ARRAY) RETURNS ARRAY {PYTHON} EXECUTE AS {rights} AS $$\n"
        "def main(session, texts):\n    answers = []\n    for text in texts:\n        try:\n"
        "            session.sql(text).collect()\n            answers.append('done')\n"
        "        except Exception as error:\n            answers.append(str(error))\n    return answers\n$$"
    ).collect()
    import json

    answers: list[str] = json.loads(session.call("nested_asks", statements))
    return answers


def test_an_owners_handler_is_refused_the_same_and_temporary_objects(session: Session) -> None:
    session.sql("CREATE OR REPLACE STAGE nested_stage").collect()
    words = {**REFUSED, **{sql: f"temporary {kind}" for sql, kind in TEMPORARY.items()}}
    answers = asked(session, "OWNER", list(words))
    told = dict(zip(words, answers, strict=True))
    assert {sql: sentence(word) in told[sql] for sql, word in words.items()} == dict.fromkeys(words, True)
    assert set(asked(session, "CALLER", [*words])) == {"done"}


def test_an_owners_handler_may_do_the_rest(session: Session) -> None:
    session.sql("CREATE OR REPLACE STAGE nested_stage").collect()
    session.sql("CREATE OR REPLACE TABLE nested_described (a INT)").collect()
    session.sql(
        "CREATE OR REPLACE PROCEDURE nested_makes() RETURNS INT AS"
        " $$BEGIN CREATE OR REPLACE TEMPORARY TABLE n (a INT); END$$"
    ).collect()
    allowed = [one for one in ALLOWED if ";" not in one]
    allowed += [
        "LIST @nested_stage",
        "CALL nested_makes()",
        "CREATE SCOPED TEMPORARY TABLE nested_scoped (a INT)",
    ]
    assert set(asked(session, "OWNER", allowed)) == {"done"}
    assert "090244" in asked(session, "OWNER", ["SELECT $mine"])[0]


def test_a_handler_that_an_owner_calls_has_an_owners_rights(session: Session) -> None:
    assert asked(session, "CALLER", ["SHOW VARIABLES"]) == ["done"]
    session.sql(
        "CREATE OR REPLACE PROCEDURE nested_outer() RETURNS VARCHAR AS"
        " $$BEGIN LET told VARCHAR; CALL nested_asks(ARRAY_CONSTRUCT('SHOW VARIABLES')) INTO :told; RETURN told; END$$"
    ).collect()
    assert sentence("SHOW VARIABLE") in session.call("nested_outer")


TRANSFERS = {
    "PUT file:///no_such @nested_stage": "PUT_FILES",
    "-- up\nput 'file:///no_such' '@nested_stage'": "PUT_FILES",
    "/* down */ GET @nested_stage file:///tmp/": "GET_FILES",
}


@pytest.mark.parametrize("rights", ["CALLER", "OWNER"])
def test_a_handler_transfers_by_session_file_alone(session: Session, rights: str) -> None:
    session.sql("CREATE OR REPLACE STAGE nested_stage").collect()
    answers = asked(session, rights, list(TRANSFERS))
    assert [sentence(word) in told for word, told in zip(TRANSFERS.values(), answers, strict=True)] == [
        True
    ] * 3
    session.sql(
        f"CREATE OR REPLACE PROCEDURE nested_puts() RETURNS VARCHAR {PYTHON} EXECUTE AS {rights} AS $$\n"
        "import io\nimport tempfile\n\n\ndef main(session):\n"
        "    session.file.put_stream(io.BytesIO(b'a'), '@nested_stage/a.txt', auto_compress=False)\n"
        "    with tempfile.TemporaryDirectory() as folder:\n"
        "        session.file.get('@nested_stage/a.txt', folder)\n"
        "        session.file.put(f'{folder}/a.txt', '@nested_stage/again', auto_compress=False)\n"
        "    return session.file.get_stream('@nested_stage/again/a.txt').read().decode()\n$$"
    ).collect()
    assert session.call("nested_puts") == "a"


def test_a_cursor_of_a_handler_transfers(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    session.sql("CREATE OR REPLACE STAGE nested_stage").collect()
    session.sql(
        f"CREATE OR REPLACE PROCEDURE nested_cursor() RETURNS VARCHAR {PYTHON} AS $$\n"
        "def main(session):\n    cursor = session.connection.cursor()\n"
        f"    return cursor.execute('PUT file://{tmp_path}/a.txt @nested_stage').fetchall()[0][6]\n$$"
    ).collect()
    assert session.call("nested_cursor") == "UPLOADED"


def test_an_owners_handler_has_snowparks_own_temporary_objects(session: Session) -> None:
    session.sql(
        f"CREATE OR REPLACE PROCEDURE nested_parks() RETURNS INT {PYTHON} AS $$\n"
        "import pandas as pd\n\n\ndef main(session):\n"
        "    frame = session.create_dataframe(pd.DataFrame({'A': [1, 2]})).cache_result()\n"
        "    session.write_pandas(pd.DataFrame({'A': [3]}), 'NESTED_WRITTEN', auto_create_table=True, overwrite=True)\n"
        "    return frame.count() + session.table('NESTED_WRITTEN').count()\n$$"
    ).collect()
    assert session.call("nested_parks") == 3


def test_a_view_of_a_frame_is_a_temporary_object(session: Session) -> None:
    session.sql(
        f"CREATE OR REPLACE PROCEDURE nested_views() RETURNS INT {PYTHON} AS $$\n"
        "def main(session):\n    session.range(2).create_or_replace_temp_view('nested_view')\n$$"
    ).collect()
    with pytest.raises(SnowparkSQLException, match="Unsupported statement type 'temporary VIEW'"):
        session.call("nested_views")
