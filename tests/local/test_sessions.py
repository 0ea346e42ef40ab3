"""Sessions: where they stand, what they set, and what the account's functions answer them."""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, ProgrammingError

from sfml_local.http.app import LocalServer


def ask(connection: SnowflakeConnection, *statements: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall()  # type: ignore[return-value]


def test_use_changes_what_current_functions_answer(connection: SnowflakeConnection) -> None:
    ask(connection, "CREATE DATABASE IF NOT EXISTS USED", "CREATE SCHEMA IF NOT EXISTS USED.S")
    ask(connection, "USE ROLE ML_DEV", 'USE WAREHOUSE "my wh"', "USE DATABASE USED", "USE SCHEMA S")
    shown = ask(
        connection,
        "SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_USER()",
    )
    assert shown == [("ML_DEV", "my wh", "USED", "S", "SFML")]
    assert (connection.role, connection.database, connection.schema) == ("ML_DEV", "USED", "S")


def test_sessions_do_not_share_their_place(server: LocalServer) -> None:
    with (
        snowflake.connector.connect(**server.connect_args()) as one,
        snowflake.connector.connect(**server.connect_args()) as other,
    ):
        ask(one, "CREATE SCHEMA ELSEWHERE", "USE ROLE A")
        assert ask(other, "SELECT CURRENT_SCHEMA(), CURRENT_ROLE()") == [("PUBLIC", "SYSADMIN")]


def test_a_database_is_dropped_while_a_session_in_it_ends(server: LocalServer) -> None:
    """Another thread ends the session after the account has listed those that leave the database."""
    account = server.account
    with snowflake.connector.connect(**server.connect_args()) as connection:
        ask(connection, "CREATE DATABASE LEFT_BEHIND", "USE DATABASE SFML")
        session = account.sessions.open(database="LEFT_BEHIND", schema="PUBLIC")
        session.close()
        ask(connection, "DROP DATABASE LEFT_BEHIND")
    account.sessions.close(session)


def test_a_database_that_is_not_there(connection: SnowflakeConnection) -> None:
    with pytest.raises(ProgrammingError, match="Database 'NOPE' does not exist") as refused:
        ask(connection, "USE DATABASE NOPE")
    assert refused.value.errno == 2003
    with pytest.raises(ProgrammingError, match="'NOPE' does not exist or not authorized") as refused:
        ask(connection, "SELECT * FROM NOPE")
    assert (refused.value.errno, refused.value.sqlstate) == (2003, "42S02")


def test_dropping_the_current_database_leaves_none(connection: SnowflakeConnection) -> None:
    ask(connection, "CREATE DATABASE GONE", "CREATE TABLE T (A INT)", "DROP DATABASE GONE")
    assert ask(connection, "SELECT CURRENT_DATABASE()") == [(None,)]
    with pytest.raises(ProgrammingError, match="does not have a current database"):
        ask(connection, "CREATE TABLE T (A INT)")


def test_parameters_are_kept_shown_and_refused(connection: SnowflakeConnection) -> None:
    ask(connection, "ALTER SESSION SET QUERY_TAG = '{\"a\": 1}', TIMEZONE = 'UTC'")
    shown = ask(connection, "SHOW PARAMETERS LIKE 'query_tag' IN SESSION")
    assert [row[:2] for row in shown] == [("QUERY_TAG", '{"a": 1}')]
    ask(connection, "ALTER SESSION UNSET QUERY_TAG")
    assert ask(connection, "SHOW PARAMETERS LIKE 'query_tag'")[0][1] == ""
    with pytest.raises(ProgrammingError, match="not emulated"):
        ask(connection, "ALTER SESSION SET QUOTED_IDENTIFIERS_IGNORE_CASE = TRUE")
    with pytest.raises(ProgrammingError, match="invalid parameter 'NONSENSE'"):
        ask(connection, "ALTER SESSION SET NONSENSE = 1")


def test_a_statement_has_parameters_of_its_own(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()
    given = {"DATE_INPUT_FORMAT": "MM-DD-YYYY", "TIMEZONE": "Asia/Tokyo", "QUERY_TAG": "tagged"}
    cursor.execute("SELECT '01-02-2024'::DATE, '2024-01-01'::TIMESTAMP_LTZ", _statement_params=given)
    [(day, moment)] = cursor.fetchall()
    assert (day, str(moment)) == (datetime.date(2024, 1, 2), "2024-01-01 00:00:00+09:00")
    with pytest.raises(ProgrammingError, match="Date '01-02-2024' is not recognized"):
        cursor.execute("SELECT '01-02-2024'::DATE")
    assert str(ask(connection, "SELECT '2024-01-01'::TIMESTAMP_LTZ")[0][0]) == "2024-01-01 00:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "value"),
    [("QUOTED_IDENTIFIERS_IGNORE_CASE", True), ("AUTOCOMMIT", False), ("STRICT_JSON_OUTPUT", True)],
)
def test_a_parameter_of_a_statement_is_not_ignored(
    connection: SnowflakeConnection, name: str, value: object
) -> None:
    with pytest.raises(ProgrammingError, match=f"not emulated.*{name}"):
        connection.cursor().execute("SELECT 1", _statement_params={name: value})


def test_moments_are_shown_in_the_sessions_zone(connection: SnowflakeConnection) -> None:
    ask(connection, "ALTER SESSION SET TIMEZONE = 'America/Los_Angeles'")
    cursor = connection.cursor().execute("SELECT '2024-01-01'::TIMESTAMP_LTZ AS T")
    assert cursor is not None
    assert str(cursor.fetchall()[0][0]) == "2024-01-01 00:00:00-08:00"
    frame = connection.cursor().execute("SELECT '2024-01-01'::TIMESTAMP_LTZ AS T").fetch_pandas_all()  # type: ignore[union-attr]
    assert str(frame["T"].dtype) == "datetime64[ns, America/Los_Angeles]"


def test_variables(connection: SnowflakeConnection) -> None:
    shown = ask(
        connection, "SET (A, B) = (1, 'x' || 'y')", "SELECT $A + 1 AS N, $B AS T, 'it costs $five' AS L"
    )
    assert shown == [(2, "xy", "it costs $five")]
    with pytest.raises(ProgrammingError, match=r"Session variable '\$A' does not exist"):
        ask(connection, "UNSET A", "SELECT $A")


def test_system_functions_in_select_and_call(connection: SnowflakeConnection) -> None:
    assert ask(connection, "SELECT SYSTEM$CLIENT_VERSION_INFO() || '!' AS V") == [("[]!",)]
    assert ask(connection, "CALL SYSTEM$CLIENT_VERSION_INFO()") == [("[]",)]
    with pytest.raises(ProgrammingError, match="Unknown function"):
        ask(connection, "SELECT SYSTEM$NO_SUCH_THING()")
    with pytest.raises(ProgrammingError, match="Unknown function NO_SUCH_PROCEDURE"):
        ask(connection, "CALL NO_SUCH_PROCEDURE(1)")


def test_a_long_statement_is_cancelled(connection: SnowflakeConnection) -> None:
    many = "(SELECT SEQ8() AS I FROM TABLE(GENERATOR(ROWCOUNT => 300000)))"
    # The client says that it cancelled it, if its own request to cancel has been answered by then.
    with pytest.raises(ProgrammingError, match=r"000604 \(57014\): SQL execution .*canceled$"):
        connection.cursor().execute(f"SELECT SUM(SQRT(A.I * B.I)) FROM {many} A, {many} B", timeout=1)
    assert ask(connection, "SELECT 1") == [(1,)]


def test_an_endless_block_is_aborted(connection: SnowflakeConnection) -> None:
    with pytest.raises(ProgrammingError, match="604"):
        connection.cursor().execute("BEGIN WHILE (TRUE) DO NULL; END WHILE; END", timeout=1)
    assert ask(connection, "BEGIN LET n := 0; WHILE (n < 3) DO n := n + 1; END WHILE; RETURN n; END") == [
        (3,)
    ]


def test_result_scan_reads_an_earlier_result(connection: SnowflakeConnection) -> None:
    ask(connection, "SHOW SCHEMAS IN DATABASE SFML")
    shown = ask(
        connection, 'SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID())) WHERE "name" = \'PUBLIC\''
    )
    assert shown == [("PUBLIC",)]


def test_types_of_results(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()
    cursor.execute(
        "SELECT 1 AS I, 1.25::NUMBER(10,2) AS N, 0.5::FLOAT AS F, TRUE AS B, '2024-02-29'::DATE AS D,"
        " '2024-02-29 12:00:00.5'::TIMESTAMP_NTZ AS T, PARSE_JSON('{\"a\": [1]}') AS V, NULL::TIMESTAMP_NTZ AS Z"
    )
    moment = datetime.datetime(2024, 2, 29, 12, 0, 0, 500000)
    row = cursor.fetchone()
    assert row == (1, Decimal("1.25"), 0.5, True, moment.date(), moment, '{\n  "a": [\n    1\n  ]\n}', None)
    codes = [column.type_code for column in cursor.description]
    assert codes == [0, 0, 1, 13, 3, 8, 5, 8]
    assert (cursor.description[1].precision, cursor.description[1].scale) == (10, 2)


def test_sums_of_numbers_stay_numbers(connection: SnowflakeConnection) -> None:
    ask(connection, "CREATE OR REPLACE TABLE SUMMED (I INT, N NUMBER(10,2), S VARCHAR)")
    ask(connection, "INSERT INTO SUMMED VALUES (1, 1.25, '2'), (2, 2.50, '3')")
    assert ask(connection, "SELECT SUM(I), SUM(N) FROM SUMMED") == [(3, Decimal("3.75"))]
    assert ask(connection, "SELECT SUM(S) FROM SUMMED") == [(5.0,)]
    frame = connection.cursor().execute("SELECT SUM(I) AS I, SUM(N) AS N FROM SUMMED").fetch_pandas_all()
    assert [str(kind) for kind in frame.dtypes] == ["int8", "float64"] or frame.I[0] == 3


def test_temporary_tables_belong_to_their_session(server: LocalServer) -> None:
    with (
        snowflake.connector.connect(**server.connect_args()) as one,
        snowflake.connector.connect(**server.connect_args()) as other,
    ):
        ask(other, "CREATE OR REPLACE TABLE SHADOWED (A INT)", "INSERT INTO SHADOWED VALUES (1)")
        ask(one, "CREATE TEMPORARY TABLE SFML.PUBLIC.SHADOWED (A INT, B INT)")
        assert ask(one, "SELECT COUNT(*) FROM SFML.PUBLIC.SHADOWED") == [(0,)]
        assert ask(other, "SELECT COUNT(*) FROM SHADOWED") == [(1,)]
        ask(one, "DROP TABLE SHADOWED")
        assert ask(one, "SELECT COUNT(*) FROM SHADOWED") == [(1,)]


def test_the_same_request_again_gets_the_first_outcome(server: LocalServer) -> None:
    base = f"http://{server.host}:{server.port}"
    login = requests.post(
        f"{base}/session/v1/login-request",
        params={"databaseName": "SFML", "schemaName": "PUBLIC"},
        json={"data": {"LOGIN_NAME": "u", "PASSWORD": server.token}},
        timeout=10,
    ).json()
    headers = {"Authorization": f'Snowflake Token="{login["data"]["token"]}"'}

    def create(request_id: str) -> dict[str, Any]:
        answer = requests.post(
            f"{base}/queries/v1/query-request",
            params={"requestId": request_id},
            json={"sqlText": "CREATE TABLE ONCE (A INT)"},
            headers=headers,
            timeout=10,
        )
        return dict(answer.json())

    first = create("r1")
    assert first["success"]
    assert create("r1") == first
    assert create("r2")["code"] == "002002" or "already exists" in create("r2")["message"]


def test_a_statement_runs_while_others_are_asked_for(connection: SnowflakeConnection) -> None:
    cursor = connection.cursor()
    cursor.execute_async("SELECT COUNT(*) AS N FROM TABLE(GENERATOR(ROWCOUNT => 10))")
    cursor.get_results_from_sfqid(cursor.sfqid)
    assert cursor.fetchall() == [(10,)]
    cursor.execute_async("SELECT NOPE")
    with pytest.raises(DatabaseError, match="invalid identifier 'NOPE'"):
        cursor.get_results_from_sfqid(cursor.sfqid)
        cursor.fetchall()


def test_a_statement_that_nobody_emulates_is_refused(connection: SnowflakeConnection) -> None:
    with pytest.raises(ProgrammingError):
        ask(connection, "CREATE ROW ACCESS POLICY P AS (A INT) RETURNS BOOLEAN -> TRUE")


def test_ddl_commits_the_open_transaction(server: LocalServer, connection: SnowflakeConnection) -> None:
    ask(connection, "CREATE OR REPLACE TABLE WRITTEN (A INT)", "BEGIN", "INSERT INTO WRITTEN VALUES (1)")
    with snowflake.connector.connect(**server.connect_args()) as other:
        assert ask(other, "SELECT COUNT(*) FROM WRITTEN") == [(0,)]
        ask(connection, "CREATE OR REPLACE TABLE OTHER (A VARCHAR(10))")
        assert ask(other, "SELECT COUNT(*) FROM WRITTEN") == [(1,)]
    ask(connection, "BEGIN", "INSERT INTO WRITTEN VALUES (2)", "ROLLBACK")
    assert ask(connection, "SELECT COUNT(*) FROM WRITTEN") == [(1,)]


BROKEN = "not emulated by the local server: going on in a transaction after a statement in it has failed"


@pytest.mark.parametrize(
    "failing",
    [
        "SELECT nothing_there()",
        "SELECT * FROM nothing_there",
        "SELECT nothing FROM BROKEN",
        "UPDATE BROKEN SET A = TRUE + 1",
        "MERGE INTO BROKEN USING (SELECT TRUE AS b) ON A = 1 WHEN MATCHED THEN UPDATE SET A = b + 1",
    ],
)
def test_a_transaction_goes_on_after_a_statement_that_does_not_compile(
    connection: SnowflakeConnection, failing: str
) -> None:
    ask(connection, "CREATE OR REPLACE TABLE BROKEN (A INT)", "BEGIN", "INSERT INTO BROKEN VALUES (1)")
    with pytest.raises(ProgrammingError):
        ask(connection, failing)
    ask(connection, "INSERT INTO BROKEN VALUES (2)", "COMMIT")
    assert ask(connection, "SELECT A FROM BROKEN ORDER BY A") == [(1,), (2,)]


def test_texts_are_numbers_within_a_transaction(connection: SnowflakeConnection) -> None:
    ask(connection, "CREATE OR REPLACE TABLE BROKEN (A INT, T VARCHAR)", "BEGIN")
    ask(connection, "INSERT INTO BROKEN VALUES (1, '2')", "UPDATE BROKEN SET A = FLOOR(T) + T")
    ask(
        connection,
        "MERGE INTO BROKEN USING (SELECT '3' AS b) ON A = 4 WHEN MATCHED THEN UPDATE SET A = b * 2",
    )
    ask(connection, "COMMIT")
    assert ask(connection, "SELECT A FROM BROKEN") == [(6,)]


@pytest.mark.parametrize("failing", ["INSERT INTO BROKEN VALUES ('x')", "SELECT 1 / a FROM (SELECT 0 AS a)"])
@pytest.mark.parametrize(
    "following",
    [
        "COMMIT",
        "INSERT INTO BROKEN VALUES (2)",
        "CREATE TABLE COMMITS (A INT)",
        "ALTER TABLE BROKEN ADD B INT",
    ],
)
def test_a_transaction_in_which_a_statement_failed_is_not_gone_on_with(
    connection: SnowflakeConnection, failing: str, following: str
) -> None:
    ask(connection, "CREATE OR REPLACE TABLE BROKEN (A INT)", "BEGIN", "INSERT INTO BROKEN VALUES (1)")
    with pytest.raises(ProgrammingError, match=r"not recognized|Division by zero"):
        ask(connection, failing)
    with pytest.raises(ProgrammingError, match=BROKEN):
        ask(connection, following)
    assert ask(connection, "ROLLBACK", "SELECT * FROM BROKEN") == []
    assert ask(connection, "INSERT INTO BROKEN VALUES (3)", "SELECT * FROM BROKEN") == [(3,)]


def test_a_failed_change_is_not_committed_without_autocommit(connection: SnowflakeConnection) -> None:
    ask(connection, "CREATE OR REPLACE TABLE BROKEN (A INT)", "ALTER SESSION SET AUTOCOMMIT = FALSE")
    ask(connection, "INSERT INTO BROKEN VALUES (1)")
    with pytest.raises(ProgrammingError, match="not recognized"):
        ask(connection, "INSERT INTO BROKEN VALUES ('x')")
    with pytest.raises(ProgrammingError, match=BROKEN):
        connection.commit()
    connection.rollback()
    assert ask(connection, "SELECT * FROM BROKEN") == []


def test_many_sessions_at_once(server: LocalServer) -> None:
    def work(number: int) -> int:
        with snowflake.connector.connect(**server.connect_args()) as connection:
            ask(connection, f"CREATE TABLE AT_ONCE_{number} (A INT, B VARCHAR(10))")
            for row in range(5):
                ask(connection, f"INSERT INTO AT_ONCE_{number} VALUES ({row}, 'x')")
                ask(
                    connection,
                    "ALTER SESSION SET QUERY_TAG = 'x'",
                    "SHOW SCHEMAS",
                    f"SELECT * FROM AT_ONCE_{number}",
                )
            return int(ask(connection, f"SELECT SUM(A) FROM AT_ONCE_{number}")[0][0])

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(work, range(12))) == [10] * 12
