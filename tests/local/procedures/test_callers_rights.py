"""What a procedure sees and changes of its caller's session, by its rights."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

HEAD = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main'"


def create(session: Session, rights: str, code: str) -> None:
    """A procedure DO(text) that evaluates an expression of `session` and `text`."""
    session.sql(
        f"CREATE OR REPLACE PROCEDURE do(text VARCHAR) RETURNS VARCHAR {HEAD} EXECUTE AS {rights} AS $$\n"
        f"def main(session, text):\n    return str({code})\n$$"
    ).collect()


def values(session: Session, sql: str) -> list[Any]:
    return [row[0] for row in session.sql(sql).collect()]


def refusal(session: Session, sql: str) -> str:
    with pytest.raises(SnowparkSQLException) as refused:
        session.sql(sql).collect()
    return str(refused.value)


ASK = "session.sql(text).collect()[0][0]"


def test_a_caller_reads_and_changes_its_temporary_tables(session: Session) -> None:
    session.sql(
        "CREATE OR REPLACE TEMPORARY TABLE OWN (N INT, V ARRAY) AS SELECT 1, ARRAY_CONSTRUCT(2)"
    ).collect()
    create(session, "CALLER", ASK)
    assert session.call("do", "SELECT N + V[0]::INT FROM OWN") == "3"
    session.call("do", "INSERT INTO OWN SELECT 5, ARRAY_CONSTRUCT()")
    session.call("do", "CREATE TEMPORARY TABLE MADE AS SELECT 7 AS N")
    assert (values(session, "SELECT SUM(N) FROM OWN"), values(session, "SELECT N FROM MADE")) == ([6], [7])
    assert session.call("do", "SELECT N FROM MADE") == "7"


def test_an_owner_does_not(session: Session) -> None:
    session.sql("CREATE OR REPLACE TEMPORARY TABLE HIDDEN AS SELECT 1 AS N").collect()
    session.sql("SET LIMIT_OF_MINE = 5").collect()
    create(session, "OWNER", ASK)
    assert "HIDDEN" in refusal(session, "CALL do('SELECT N FROM HIDDEN')")
    assert "'$LIMIT_OF_MINE' is not allowed" in refusal(session, "CALL do('SELECT $LIMIT_OF_MINE')")
    assert "'$THEIRS' is not allowed" in refusal(session, "CALL do('SET THEIRS = 1')")


def test_a_caller_has_its_variables_and_its_place(session: Session) -> None:
    session.sql("CREATE SCHEMA IF NOT EXISTS ELSEWHERE").collect()
    session.use_schema("PUBLIC")
    session.sql("SET LIMIT_OF_MINE = 5").collect()
    create(session, "CALLER", ASK)
    assert session.call("do", "SELECT $LIMIT_OF_MINE") == "5"
    session.call("do", "SET THEIRS = 'x'")
    assert values(session, "SELECT $THEIRS") == ["x"]
    session.call("PUBLIC.do", "USE SCHEMA ELSEWHERE")
    assert values(session, "SELECT CURRENT_SCHEMA()") == ["ELSEWHERE"]
    assert (
        session.call("PUBLIC.do", "SELECT CURRENT_SESSION()")
        == values(session, "SELECT CURRENT_SESSION()")[0]
    )


def test_a_caller_is_in_its_transaction(session: Session) -> None:
    session.sql("CREATE OR REPLACE TABLE LASTING (N INT)").collect()
    create(session, "CALLER", ASK)
    session.sql("BEGIN").collect()
    session.sql("INSERT INTO LASTING VALUES (1)").collect()
    assert session.call("do", "SELECT COUNT(*) FROM LASTING") == "1"
    session.call("do", "INSERT INTO LASTING VALUES (2)")
    session.sql("ROLLBACK").collect()
    assert values(session, "SELECT COUNT(*) FROM LASTING") == [0]
    create(session, "CALLER", "[session.sql(one).collect() for one in text.split(';')]")
    assert "is incomplete and it was rolled back" in refusal(
        session, "CALL do('BEGIN;INSERT INTO LASTING VALUES (3)')"
    )
    assert values(session, "SELECT COUNT(*) FROM LASTING") == [0]
    session.call("do", "BEGIN;INSERT INTO LASTING VALUES (4);COMMIT")
    assert values(session, "SELECT N FROM LASTING") == [4]


def test_an_anonymous_procedure_is_its_callers(session: Session) -> None:
    session.sql("CREATE OR REPLACE TEMPORARY TABLE OWN AS SELECT 4 AS N").collect()
    code = "def main(session):\n    return session.table('OWN').collect()[0][0]"
    sql = f"WITH p AS PROCEDURE () RETURNS INT {HEAD} AS $${code}$$ CALL p()"
    assert values(session, sql) == [4]


def test_temporary_tables_of_snowparks_are_seen_by_owners(session: Session) -> None:
    """As estimators need it, which fit in a procedure of their own, on frames of `create_dataframe`."""
    frame = session.create_dataframe(pd.DataFrame({"A": [1, 2], "T": ["x", None]}))
    create(session, "OWNER", ASK)
    (query,) = frame.queries["queries"]
    assert session.call("do", f"SELECT SUM(A) || MAX(T) FROM ({query})") == "3x"
    assert session.call("do", f"SELECT COUNT(*) FROM ({query})") == "2"
    assert frame.count() == 2


def test_what_an_owner_changes_in_them_is_its_callers(session: Session) -> None:
    frame = session.create_dataframe(pd.DataFrame({"A": [1, 2]}))
    table = frame.queries["queries"][0].rpartition("FROM ")[2].strip(" )")
    create(session, "OWNER", "[session.sql(one).collect() for one in text.split(';')]")
    session.call("do", f"INSERT INTO {table} VALUES (5);DELETE FROM {table} WHERE A = 1")
    assert sorted(row[0] for row in frame.collect()) == [2, 5]


def test_what_a_caller_opens_ends_without_it(session: Session) -> None:
    """Its temporary procedures and tables stay, as its session does."""
    code = "session.sproc.register(lambda s: 3, return_type=T(), name='INNER_ONE', replace=True) and 1"
    session.sql(
        f"CREATE OR REPLACE PROCEDURE do(text VARCHAR) RETURNS VARCHAR {HEAD} EXECUTE AS CALLER AS $$\n"
        f"from snowflake.snowpark.types import IntegerType as T\n"
        f"def main(session, text):\n    return str({code})\n$$"
    ).collect()
    session.call("do", "")
    assert session.call("INNER_ONE") == 3
