"""Statements by their query ids: of other sessions, of ended ones, cancelled, and in the history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.constants import QueryStatus
from snowflake.connector.errors import DatabaseError, ProgrammingError

from sfml_local.core import queries
from sfml_local.core.queries import Queries
from sfml_local.http.app import LocalServer

Connect = Callable[..., SnowflakeConnection]

MANY = "(SELECT SEQ8() AS i FROM TABLE(GENERATOR(ROWCOUNT => 300000)))"
ENDLESS = {
    "wait": "SELECT SYSTEM$WAIT(600)",
    "query": f"SELECT SUM(SQRT(a.i * b.i)) FROM {MANY} a, {MANY} b",
    "block": "BEGIN WHILE (TRUE) DO NULL; END WHILE; END",
}


@pytest.fixture
def connect(server: LocalServer) -> Iterator[Connect]:
    opened: list[SnowflakeConnection] = []

    def another(**more: Any) -> SnowflakeConnection:
        opened.append(snowflake.connector.connect(**server.connect_args(**more)))
        return opened[-1]

    yield another
    for connection in opened:
        connection.close()


def ask(connection: SnowflakeConnection, sql: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchall()  # type: ignore[return-value]


def made(connection: SnowflakeConnection, sql: str) -> str:
    cursor = connection.cursor()
    cursor.execute(sql)
    assert cursor.sfqid is not None
    return cursor.sfqid


def begun(connection: SnowflakeConnection, sql: str) -> str:
    cursor = connection.cursor()
    cursor.execute_async(sql)
    assert cursor.sfqid is not None
    return cursor.sfqid


def fetched(connection: SnowflakeConnection, query_id: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.get_results_from_sfqid(query_id)
    return cursor.fetchall()  # type: ignore[return-value]


def scan(query_id: str) -> str:
    return f"SELECT * FROM TABLE(RESULT_SCAN('{query_id}'))"


def test_results_are_those_of_a_user(connect: Connect) -> None:
    query_id = made(connect(), "SELECT 5 AS x")
    same, other = connect(), connect(user="OTHER")
    assert ask(same, scan(query_id)) == [(5,)]
    cursor = same.cursor()
    cursor.query_result(query_id)
    assert cursor.fetchall() == [(5,)]
    with pytest.raises(ProgrammingError, match=r"Statement .* not found"):
        ask(other, scan(query_id))
    with pytest.raises(ProgrammingError, match=r"Statement .* not found"):
        other.cursor().query_result(query_id)
    assert other.get_query_status(query_id) is QueryStatus.NO_DATA


def test_results_outlive_their_session(connect: Connect) -> None:
    first = connect()
    query_id = made(first, "SELECT 6 AS x")
    first.close()
    assert ask(connect(), scan(query_id)) == [(6,)]
    assert connect().get_query_status(query_id) is QueryStatus.SUCCESS


def test_a_statement_that_nobody_waits_for_is_fetched_after_connecting_again(connect: Connect) -> None:
    first, second = connect(), connect()
    query_id = begun(first, "SELECT SYSTEM$WAIT(0.3)")
    assert first.is_still_running(second.get_query_status(query_id))
    first.close()
    assert fetched(second, query_id) == [("waited 0.3 seconds",)]


def test_a_refusal_is_told_after_connecting_again(connect: Connect) -> None:
    first = connect()
    query_id = begun(first, "SELECT nothing")
    with pytest.raises(DatabaseError, match="invalid identifier 'NOTHING'"):
        fetched(first, query_id)
    first.close()
    second = connect()
    assert second.get_query_status(query_id) is QueryStatus.FAILED_WITH_ERROR
    with pytest.raises(ProgrammingError, match="invalid identifier 'NOTHING'") as refused:
        second.get_query_status_throw_if_error(query_id)
    assert refused.value.errno == 904


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_statement_is_cancelled_by_its_id(connect: Connect, sql: str) -> None:
    first, second = connect(), connect()
    query_id = begun(first, sql)
    assert ask(second, f"SELECT SYSTEM$CANCEL_QUERY('{query_id}')") == [(f"query [{query_id}] terminated.",)]
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        fetched(second, query_id)
    again = ask(second, f"SELECT SYSTEM$CANCEL_QUERY('{query_id}')")
    assert again == [("Identified SQL statement is not currently executing.",)]


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_session_goes_on_after_its_statements_were_cancelled(connect: Connect, sql: str) -> None:
    first, second = connect(), connect()
    query_id = begun(first, sql)
    assert ask(second, f"SELECT SYSTEM$CANCEL_ALL_QUERIES({first.session_id})") == [("1 cancelled.",)]
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        fetched(first, query_id)
    assert ask(first, f"SELECT SYSTEM$CANCEL_ALL_QUERIES({first.session_id})") == [("0 cancelled.",)]


def test_one_of_several_statements_of_a_session_is_cancelled(connect: Connect) -> None:
    first, second = connect(), connect()
    kept, cancelled = begun(first, "SELECT SYSTEM$WAIT(0.5)"), begun(first, ENDLESS["wait"])
    ask(second, f"SELECT SYSTEM$CANCEL_QUERY('{cancelled}')")
    assert fetched(first, kept) == [("waited 0.5 seconds",)]
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        fetched(first, cancelled)


def test_a_statement_that_waits_for_another_is_cancelled_before_its_turn(
    server: LocalServer, connect: Connect
) -> None:
    first, second = connect(), connect()
    session = next(one for one in server.account.sessions if one.id == first.session_id)
    with session.lock:
        query_id = begun(first, "CREATE TABLE never_made (a INT)")
        ask(second, f"SELECT SYSTEM$CANCEL_QUERY('{query_id}')")
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        fetched(first, query_id)
    assert ask(second, "SHOW TABLES LIKE 'never_made'") == []


def wait_until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    assert any(is_so() or pause.wait(0.02) for _ in range(500))


def test_the_connector_aborts_by_id_and_after_a_time(connect: Connect) -> None:
    connection = connect()
    query_id = begun(connection, ENDLESS["wait"])
    cursor = connection.cursor()
    wait_until(lambda: bool(cursor.abort_query(query_id)))
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        fetched(connection, query_id)
    assert not cursor.abort_query(query_id)
    kept = begun(connection, "SELECT SYSTEM$WAIT(2)")
    with pytest.raises(ProgrammingError, match="cancelled by the client due to a timeout"):
        cursor.execute(ENDLESS["wait"], timeout=1)
    assert fetched(connection, kept) == [("waited 2 seconds",)]


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS)
def test_a_session_is_aborted_with_its_statements(connect: Connect, sql: str) -> None:
    first, second = connect(), connect()
    query_id = begun(first, sql)
    ask(second, f"SELECT SYSTEM$ABORT_SESSION({first.session_id})")
    with pytest.raises(DatabaseError, match="SQL execution canceled"):
        fetched(second, query_id)


def test_a_session_is_aborted(connect: Connect) -> None:
    first, second = connect(), connect()
    assert ask(second, f"SELECT SYSTEM$ABORT_SESSION({first.session_id})") == [
        (f"session [{first.session_id}] terminated.",)
    ]
    with pytest.raises(DatabaseError, match="must authenticate again"):
        ask(first, "SELECT 1")
    with pytest.raises(ProgrammingError, match="does not exist"):
        ask(second, f"SELECT SYSTEM$ABORT_SESSION({first.session_id})")
    with pytest.raises(ProgrammingError, match="not emulated"):
        ask(second, f"SELECT SYSTEM$ABORT_SESSION({second.session_id})")


@pytest.mark.parametrize(
    "call", ["CANCEL_QUERY('{query}')", "CANCEL_ALL_QUERIES({id})", "ABORT_SESSION({id})"]
)
def test_other_users_statements_and_sessions_are_not_ended(connect: Connect, call: str) -> None:
    first = connect()
    called = call.format(query=made(first, "SELECT 1"), id=first.session_id)
    with pytest.raises(ProgrammingError, match="Insufficient privileges to operate on"):
        ask(connect(user="OTHER"), f"SELECT SYSTEM${called}")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("SYSTEM$CANCEL_QUERY()", "not enough arguments"),
        ("SYSTEM$CANCEL_ALL_QUERIES(1, 2)", "too many arguments"),
        ("SYSTEM$ABORT_SESSION('x')", "a session id is expected"),
        ("LAST_QUERY_ID(1, 2)", "too many arguments"),
        ("LAST_QUERY_ID('x')", "'x' is not recognized"),
    ],
)
def test_wrong_arguments_are_refused(connection: SnowflakeConnection, call: str, message: str) -> None:
    with pytest.raises(ProgrammingError, match=message):
        ask(connection, f"SELECT {call}")


def test_last_query_id_counts_from_both_ends(connect: Connect) -> None:
    connection = connect()
    ids = [made(connection, f"SELECT {number}") for number in range(3)]
    block = made(
        connection, "BEGIN LET i := 0; WHILE (i < 3) DO i := i + 1; SELECT :i; END WHILE; RETURN i; END"
    )
    told = "SELECT LAST_QUERY_ID(), LAST_QUERY_ID(-2), LAST_QUERY_ID(1), LAST_QUERY_ID(2), LAST_QUERY_ID(99)"
    assert ask(connection, told) == [(block, ids[2], ids[0], ids[1], None)]


def history(
    connection: SnowflakeConnection, call: str = "QUERY_HISTORY_BY_SESSION()"
) -> list[dict[str, Any]]:
    cursor = connection.cursor(snowflake.connector.DictCursor)
    cursor.execute(f"SELECT * FROM TABLE(INFORMATION_SCHEMA.{call}) ORDER BY START_TIME")
    return cursor.fetchall()  # type: ignore[return-value]


def test_the_history_of_a_session(connect: Connect) -> None:
    connection = connect()
    ask(connection, "ALTER SESSION SET QUERY_TAG = 'tagged'")
    ask(connection, "CREATE OR REPLACE TABLE in_history (a INT)")
    inserted = made(connection, "INSERT INTO in_history VALUES (1), (2)")
    with pytest.raises(ProgrammingError):
        ask(connection, "SELECT nothing")
    rows = history(connection)
    keys = ("QUERY_TYPE", "EXECUTION_STATUS", "ERROR_CODE", "ROWS_PRODUCED", "QUERY_TAG")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        ("ALTER_SESSION", "SUCCESS", None, 1, ""),
        ("CREATE_TABLE", "SUCCESS", None, 1, "tagged"),
        ("INSERT", "SUCCESS", None, 2, "tagged"),
        ("SELECT", "FAILED_WITH_ERROR", 904, None, "tagged"),
        ("SELECT", "RUNNING", None, None, "tagged"),
    ]
    keys = ("QUERY_ID", "QUERY_TEXT", "SESSION_ID", "USER_NAME", "ROLE_NAME", "DATABASE_NAME", "SCHEMA_NAME")
    text = "INSERT INTO in_history VALUES (1), (2)"
    told = (inserted, text, connection.session_id, "SFML", "SYSADMIN", "SFML", "PUBLIC")
    assert tuple(rows[2][key] for key in keys) == told
    assert rows[2]["END_TIME"] >= rows[2]["START_TIME"] and rows[4]["END_TIME"] is None


def test_histories_are_chosen_by_user_warehouse_time_and_number(connect: Connect) -> None:
    connection = connect(user="IN_HISTORY", warehouse="HISTORY_WH")
    ids = [made(connection, f"SELECT {number}") for number in range(3)]
    other = connect()

    def of(call: str) -> list[str]:
        return [row["QUERY_ID"] for row in history(other, call)]

    assert of("QUERY_HISTORY_BY_USER(USER_NAME => 'in_history')") == ids
    assert of("QUERY_HISTORY_BY_USER('\"in_history\"')") == []
    assert of("QUERY_HISTORY_BY_WAREHOUSE('HISTORY_WH', RESULT_LIMIT => 2)") == ids[1:]
    assert of(f"QUERY_HISTORY_BY_SESSION({connection.session_id})") == ids
    assert (
        of(
            "QUERY_HISTORY_BY_USER('IN_HISTORY', END_TIME_RANGE_START => DATEADD(hour, 1, CURRENT_TIMESTAMP()))"
        )
        == []
    )
    ended = history(other, "QUERY_HISTORY(END_TIME_RANGE_END => CURRENT_TIMESTAMP(), RESULT_LIMIT => 10000)")
    assert set(ids) <= {row["QUERY_ID"] for row in ended}
    assert {row["EXECUTION_STATUS"] for row in ended} == {"SUCCESS", "FAILED_WITH_ERROR"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("QUERY_HISTORY(RESULT_LIMIT => 0)", "RESULT_LIMIT"),
        ("QUERY_HISTORY(RESULT_LIMIT => 10001)", "RESULT_LIMIT"),
        ("QUERY_HISTORY(USER_NAME => 'X')", "invalid argument"),
        ("QUERY_HISTORY_BY_SESSION('x')", "not recognized"),
        ("QUERY_HISTORY(END_TIME_RANGE_START => DATEADD(day, -8, CURRENT_TIMESTAMP()))", "7 days"),
    ],
)
def test_wrong_arguments_of_histories_are_refused(
    connection: SnowflakeConnection, call: str, message: str
) -> None:
    with pytest.raises(ProgrammingError, match=message):
        history(connection, call)


def test_secrets_are_not_in_the_history(connect: Connect) -> None:
    connection = connect()
    ask(connection, "CREATE OR REPLACE SECRET hidden_one TYPE = GENERIC_STRING SECRET_STRING = 'very secret'")
    assert "very secret" not in str(history(connection))


def test_what_is_kept_of_statements_is_bounded(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "KEPT", 10)
    monkeypatch.setattr(queries, "RESULTS_KEPT", 3)
    kept = Queries(server.account)
    session = server.account.sessions.open()
    for number in range(20):
        with kept.recorded(session, str(number), "SELECT 1"):
            session.remember(str(number), server.account.execute(session, "SELECT 1"))
    assert [one.id for one in kept.latest_first()] == [str(number) for number in range(19, 9, -1)]
    kept.keep_results(session)
    server.account.sessions.close(session)
    assert list(kept._results) == ["17", "18", "19"]


def test_values_on_a_stage_are_refused_in_words(connection: SnowflakeConnection) -> None:
    assert connection._session_parameters["CLIENT_STAGE_ARRAY_BINDING_THRESHOLD"] == 0
    ask(connection, "CREATE OR REPLACE TABLE bound_by_stage (a INT)")
    answer = connection.rest.request(  # type: ignore[union-attr]
        "/queries/v1/query-request?requestId=bound-by-stage",
        {"sqlText": "INSERT INTO bound_by_stage VALUES (?)", "bindStage": "@SYSTEMBIND/x"},
    )
    assert "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD" in answer["message"]
    assert ask(connection, "SELECT * FROM bound_by_stage") == []
