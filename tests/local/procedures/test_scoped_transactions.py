"""A transaction begins and ends in one procedure or block, whatever its language and rights.

https://docs.snowflake.com/en/sql-reference/transactions#scoped-transactions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

PYTHON = (
    "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"
    " EXECUTE AS {rights} AS $$\ndef main(session):\n    for one in {statements!r}:\n"
    "        session.sql(one).collect()\n    return 'done'\n$$"
)
SQL = "LANGUAGE SQL EXECUTE AS {rights} AS $$ BEGIN {script}; RETURN 'done'; END $$"
LANGUAGES = ("PYTHON", "SQL")
RIGHTS = ("CALLER", "OWNER")
EACH = [(language, rights) for language in LANGUAGES for rights in RIGHTS]
IN_ITS_SESSION = [each for each in EACH if each != ("PYTHON", "OWNER")]
LEFT = "Scoped transaction started in stored procedure is incomplete and it was rolled back."
OTHERS = "Modifying a transaction that has started at a different scope is not allowed."


@pytest.fixture
def kept(session: Session) -> Iterator[Session]:
    """A session with an empty table KEPT, which it leaves with AUTOCOMMIT."""
    session.sql("CREATE OR REPLACE TABLE KEPT (N INT)").collect()
    yield session
    session.sql("ROLLBACK").collect()
    session.sql("ALTER SESSION SET AUTOCOMMIT = TRUE").collect()


def procedure(session: Session, language: str, rights: str, *statements: str, name: str = "do") -> None:
    body = (PYTHON if language == "PYTHON" else SQL).format(
        rights=rights, statements=statements, script="; ".join(statements)
    )
    session.sql(f"CREATE OR REPLACE PROCEDURE {name}() RETURNS VARCHAR {body}").collect()


def run(session: Session, *statements: str) -> Any:
    """The first value of the last of these statements."""
    rows: list[Any] = []
    for statement in statements:
        rows = session.sql(statement).collect()
    return rows[0][0]


def numbers(session: Session) -> list[int]:
    return [row[0] for row in session.sql("SELECT N FROM KEPT ORDER BY N").collect()]


def refusal(session: Session, sql: str) -> ProgrammingError:
    with pytest.raises(SnowparkSQLException) as refused:
        session.sql(sql).collect()
    cause = refused.value.conn_error
    assert isinstance(cause, ProgrammingError)
    return cause


@pytest.mark.parametrize(("language", "rights"), EACH)
def test_one_that_is_left_open_fails_its_procedure(kept: Session, language: str, rights: str) -> None:
    procedure(kept, language, rights, "BEGIN TRANSACTION", "INSERT INTO KEPT VALUES (1)")
    error = refusal(kept, "CALL do()")
    assert (error.errno, error.sqlstate) == (90232, "25000")
    assert LEFT in str(error)
    procedure(kept, language, rights, "BEGIN TRANSACTION", "INSERT INTO KEPT VALUES (2)", "COMMIT")
    assert run(kept, "CALL do()") == "done"
    assert numbers(kept) == [2]


@pytest.mark.parametrize(("language", "rights"), EACH)
def test_an_error_within_it_rolls_it_back(kept: Session, language: str, rights: str) -> None:
    procedure(
        kept, language, rights, "BEGIN TRANSACTION", "INSERT INTO KEPT VALUES (1)", "SELECT 1 FROM NOWHERE"
    )
    assert "NOWHERE" in str(refusal(kept, "CALL do()"))
    run(kept, "COMMIT")
    assert numbers(kept) == []


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK", "CREATE OR REPLACE TABLE OTHER (N INT)"])
@pytest.mark.parametrize(("language", "rights"), IN_ITS_SESSION)
def test_its_callers_is_not_ended(kept: Session, language: str, rights: str, ending: str) -> None:
    procedure(kept, language, rights, "INSERT INTO KEPT VALUES (2)", ending)
    run(kept, "BEGIN", "INSERT INTO KEPT VALUES (1)")
    assert OTHERS in str(refusal(kept, "CALL do()"))
    run(kept, "COMMIT")
    assert numbers(kept) == [1, 2]


@pytest.mark.parametrize(("language", "rights"), IN_ITS_SESSION)
def test_its_callers_is_joined_by_what_neither_begins_nor_ends(
    kept: Session, language: str, rights: str
) -> None:
    procedure(kept, language, rights, "INSERT INTO KEPT VALUES (1)")
    assert run(kept, "BEGIN", "CALL do()") == "done"
    run(kept, "ROLLBACK")
    assert numbers(kept) == []


@pytest.mark.parametrize(("language", "rights"), IN_ITS_SESSION)
def test_one_within_its_callers_is_refused_by_name(kept: Session, language: str, rights: str) -> None:
    procedure(kept, language, rights, "BEGIN TRANSACTION", "INSERT INTO KEPT VALUES (2)", "COMMIT")
    run(kept, "BEGIN", "INSERT INTO KEPT VALUES (1)")
    assert "BEGIN in a procedure or block that is called within a transaction" in str(
        refusal(kept, "CALL do()")
    )
    run(kept, "COMMIT")
    assert numbers(kept) == [1]


def test_that_of_an_owner_in_python_is_its_own(kept: Session) -> None:
    """As the documentation has it for each: an enclosing ROLLBACK does not undo an enclosed COMMIT."""
    procedure(kept, "PYTHON", "OWNER", "BEGIN TRANSACTION", "INSERT INTO KEPT VALUES (2)", "COMMIT")
    run(kept, "BEGIN", "INSERT INTO KEPT VALUES (1)", "CALL do()", "ROLLBACK")
    assert numbers(kept) == [2]


@pytest.mark.parametrize(("language", "rights"), EACH)
def test_without_autocommit_a_change_has_to_be_committed_in_it(
    kept: Session, language: str, rights: str
) -> None:
    procedure(kept, language, rights, "INSERT INTO KEPT VALUES (1)")
    run(kept, "ALTER SESSION SET AUTOCOMMIT = FALSE")
    assert refusal(kept, "CALL do()").errno == 90232
    run(kept, "COMMIT")
    assert numbers(kept) == []
    procedure(kept, language, rights, "INSERT INTO KEPT VALUES (2)", "COMMIT")
    run(kept, "CALL do()", "ROLLBACK")
    assert numbers(kept) == [2]


def test_without_autocommit_it_may_be_its_callers(kept: Session) -> None:
    procedure(kept, "SQL", "OWNER", "INSERT INTO KEPT VALUES (1)")
    run(kept, "ALTER SESSION SET AUTOCOMMIT = FALSE", "BEGIN", "CALL do()", "COMMIT")
    assert numbers(kept) == [1]
    run(kept, "INSERT INTO KEPT VALUES (2)", "CALL do()", "ROLLBACK")
    assert numbers(kept) == [1]


def test_a_block_is_a_scope_as_well(kept: Session) -> None:
    """Seen on accounts: https://github.com/dbeaver/dbeaver/issues/15803"""
    run(kept, "ALTER SESSION SET AUTOCOMMIT = FALSE")
    block = "EXECUTE IMMEDIATE $$ BEGIN INSERT INTO KEPT VALUES (1); END $$"
    assert refusal(kept, block).errno == 90232
    run(kept, "ROLLBACK", "ALTER SESSION SET AUTOCOMMIT = TRUE", block)
    assert numbers(kept) == [1]


@pytest.mark.parametrize(("language", "rights"), EACH)
def test_a_failing_one_fails_those_around_it(kept: Session, language: str, rights: str) -> None:
    """The example of the documentation: only what is before the outer transaction is kept."""
    procedure(kept, "SQL", rights, "BEGIN WORK", "INSERT INTO KEPT VALUES (3)", name="inner_one")
    procedure(
        kept,
        language,
        rights,
        *("INSERT INTO KEPT VALUES (1)", "BEGIN WORK", "INSERT INTO KEPT VALUES (2)", "CALL inner_one()"),
        *("INSERT INTO KEPT VALUES (4)", "COMMIT WORK", "INSERT INTO KEPT VALUES (5)"),
    )
    refusal(kept, "CALL do()")
    run(kept, "COMMIT")
    assert numbers(kept) == [1]


@pytest.mark.parametrize(("language", "rights"), EACH)
def test_autocommit_is_not_set_within(kept: Session, language: str, rights: str) -> None:
    procedure(kept, language, rights, "ALTER SESSION SET AUTOCOMMIT = FALSE")
    words = "AUTOCOMMIT cannot be set in a stored procedure" if rights == "CALLER" else "'ALTER_SESSION'"
    assert words in str(refusal(kept, "CALL do()"))
    run(kept, "INSERT INTO KEPT VALUES (1)", "ROLLBACK")
    assert numbers(kept) == [1]


def test_setting_autocommit_commits(kept: Session) -> None:
    run(kept, "BEGIN", "INSERT INTO KEPT VALUES (1)", "ALTER SESSION SET AUTOCOMMIT = TRUE", "ROLLBACK")
    assert numbers(kept) == [1]
