"""Plain readings of table functions, which nothing translates, are answered as their translation is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pyarrow as pa
import pytest

from sfml_local.core import plain_readings
from sfml_local.core.account import Account
from sfml_local.core.errors import SqlError
from sfml_local.core.result import ArrowRows, Result
from sfml_local.core.session import Session
from sfml_local.registry import open_account
from sfml_local.services.tasks.execution import runner_of

SETUP = (
    "CREATE DATABASE D",
    'CREATE DATABASE "E"',
    "USE SCHEMA D.PUBLIC",
    "CREATE TASK R SCHEDULE = 'USING CRON 0 0 1 1 * UTC' CONFIG = '{\"a\": 1}' AS CALL SYSTEM$SET_RETURN_VALUE('ü')",
    "CREATE TASK B AFTER R AS SELECT * FROM NOWHERE",
    "ALTER TASK B RESUME",
    "EXECUTE TASK R",
    "CREATE TASK W AS CALL SYSTEM$WAIT(600)",
    "CREATE TABLE T AS SELECT 1 A",
    "CREATE DYNAMIC TABLE U TARGET_LAG = '1 day' WAREHOUSE = SFML_WH AS SELECT A FROM T",
    "CREATE DYNAMIC TABLE V TARGET_LAG = '1 day' WAREHOUSE = SFML_WH AS SELECT A FROM U",
)
FUNCTIONS = (
    "TASK_HISTORY",
    "TASK_HISTORY(RESULT_LIMIT => 1)",
    "TASK_HISTORY(TASK_NAME => 'B', SCHEDULED_TIME_RANGE_END => TO_TIMESTAMP_LTZ('2099-01-01T00:00:00.5+02:00'))",
    "TASK_HISTORY(TASK_NAME => 'none')",
    "CURRENT_TASK_GRAPHS",
    "COMPLETE_TASK_GRAPHS(ROOT_TASK_NAME => 'R')",
    "TASK_DEPENDENTS(TASK_NAME => 'D.PUBLIC.R')",
    "DYNAMIC_TABLES",
    "DYNAMIC_TABLE_GRAPH_HISTORY",
    "DYNAMIC_TABLE_REFRESH_HISTORY",
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which a graph has failed, another runs, and dynamic tables were refreshed."""
    account = open_account(tmp_path_factory.mktemp("readings"))
    account.start()
    session = account.sessions.open(warehouse="SFML_WH")
    for statement in SETUP:
        account.execute(session, statement)
    runner_of(account).settle(20)
    account.execute(session, "EXECUTE TASK W")
    executing = (
        "SELECT STATE FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'W')) WHERE STATE = 'EXECUTING'"
    )
    deadline = time.monotonic() + 60
    while not account.execute(session, executing).rows:  # two readings of a run that begins would differ
        assert time.monotonic() < deadline, "the task never began"
        time.sleep(0.01)
    yield account
    account.close()


@pytest.fixture
def session(account: Account) -> Iterator[Session]:
    session = account.sessions.open(database="D", schema="PUBLIC")
    yield session
    account.sessions.close(session)


def rows_of(result: Result) -> pa.Table:
    assert isinstance(result.rows, ArrowRows)
    return result.rows.table


def assert_alike(account: Account, session: Session, plain: str) -> Result:
    """The answer to a plain reading, which is that of the same statement with an alias, which is translated."""
    assert plain_readings.read(account, session, f"{plain} AS T") is None
    found, expected = _of_one_moment(account, session, plain)
    assert (found.columns, found.statement_type_id) == (expected.columns, expected.statement_type_id)
    assert rows_of(found).schema == rows_of(expected).schema
    assert rows_of(found).to_pylist() == rows_of(expected).to_pylist()
    return found


def _of_one_moment(account: Account, session: Session, plain: str) -> tuple[Result, Result]:
    """The plain and the translated answer, asked again where they differ: lags are whole seconds that pass between."""
    for _ in range(3):
        found = plain_readings.read(account, session, plain)
        assert found is not None
        expected = account.execute(session, f"{plain} AS T")
        if rows_of(found).to_pylist() == rows_of(expected).to_pylist():
            break
    return found, expected


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_column_is_as_in_a_translated_reading(
    account: Account, session: Session, function: str, zone: str
) -> None:
    account.execute(session, f"ALTER SESSION SET TIMEZONE = '{zone}'")
    call = function if "(" in function else f"{function}()"
    whole = assert_alike(account, session, f"SELECT * FROM TABLE(INFORMATION_SCHEMA.{call})")
    assert len(whole.rows) or "none" in function, "there is something to compare"
    for place in ("", "D.", '"E".'):
        names = ", ".join(reversed(whole.names()))
        assert_alike(account, session, f"SELECT {names} FROM TABLE({place}INFORMATION_SCHEMA.{call})")
    name = whole.names()[1].lower()
    assert_alike(account, session, f"SELECT {name} FROM TABLE(D.INFORMATION_SCHEMA.{call})")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT NAME FROM TABLE(GONE.INFORMATION_SCHEMA.TASK_HISTORY())", "Database 'GONE' does not exist"),
        ("SELECT NO FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())", "invalid identifier 'NO'"),
        ("SELECT NAME FROM TABLE(INFORMATION_SCHEMA.NO())", "INFORMATION_SCHEMA.NO"),
        ("SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(NO => 1))", "invalid argument [NO]"),
        ("SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1,))", "syntax error"),
    ],
)
def test_an_error_is_that_of_the_translation(
    account: Account, session: Session, statement: str, message: str
) -> None:
    with pytest.raises(SqlError) as plain:
        account.execute(session, statement)
    with pytest.raises(SqlError) as translated:
        account.execute(session, f"{statement} AS T")
    assert message in str(plain.value)
    assert plain.value.code == translated.value.code


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT NAME, NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())",
        "SELECT DISTINCT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())",
        "SELECT NAME N FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())",
        "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE FALSE",
        "SELECT CURRENT_DATABASE() FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())",
        "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'it''s'))",
        r"SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'a\'b'))",
        "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1 + 1))",
        "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
        "SCHEDULED_TIME_RANGE_END => TO_TIMESTAMP_LTZ('2099-01-01 00:00:00')))",
    ],
)
def test_what_is_written_otherwise_is_translated(account: Account, session: Session, statement: str) -> None:
    assert plain_readings.read(account, session, statement) is None
    account.execute(session, statement)


def test_a_reading_within_a_transaction_is_translated(account: Account, session: Session) -> None:
    plain = "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
    assert plain_readings.read(account, session, plain) is not None
    account.execute(session, "BEGIN")
    assert plain_readings.read(account, session, plain) is None
    account.execute(session, "ROLLBACK")


def test_a_plain_reading_can_be_scanned_again(account: Account, session: Session) -> None:
    plain = "SELECT NAME, SCHEDULED_TIME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) "
    result = account.execute(session, plain.strip(), query_id="1")
    again = account.execute(session, "SELECT NAME, SCHEDULED_TIME FROM TABLE(RESULT_SCAN('1'))", query_id="2")
    assert rows_of(again).to_pylist() == rows_of(result).to_pylist() != []
