"""Named procedures: created, chosen by their arguments, called, shown, changed and dropped."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import IntegerType, StringType, StructField, StructType

from sfml_local.http.app import LocalServer

HEAD = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python')"


def create(session: Session, signature: str, body: str, clauses: str = "", kind: str = "PROCEDURE") -> None:
    code = f"AS $$\ndef main(session, *given):\n    {body}\n$$"
    session.sql(f"CREATE OR REPLACE {kind} {signature} {HEAD} HANDLER = 'main' {clauses} {code}").collect()


def refusal(session: Session, sql: str) -> str:
    with pytest.raises(SnowparkSQLException) as refused:
        session.sql(sql).collect()
    return str(refused.value)


def test_a_procedure_is_called_by_position_and_by_name(session: Session) -> None:
    create(session, "shout(t VARCHAR, n INT DEFAULT 2) RETURNS VARCHAR", "return given[0].upper() * given[1]")
    assert session.sql("CALL shout('a')").collect()[0]["SHOUT"] == "AA"
    assert session.sql("CALL SFML.PUBLIC.shout(n => 3, t => 'b')").collect()[0][0] == "BBB"
    assert session.call("shout", "c", 1) == "C"


def test_the_types_of_the_arguments_choose_among_procedures(session: Session) -> None:
    for declared in ("INT", "VARCHAR", "BOOLEAN"):
        create(session, f"which(x {declared}) RETURNS VARCHAR", f"return '{declared}'")
    calls = {"1": "INT", "'x'": "VARCHAR", "TRUE": "BOOLEAN", "1 + 1": "INT", "'a' || 'b'": "VARCHAR"}
    assert {call: session.sql(f"CALL which({call})").collect()[0][0] for call in calls} == calls
    session.sql("DROP PROCEDURE which(BOOLEAN)").collect()
    refused = refusal(session, "CALL which(CURRENT_DATE())")
    assert "Invalid argument types for function 'WHICH': (DATE)" in refused


def test_code_comes_from_stages_wherever_the_caller_stands(session: Session, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("weights/__init__.py", "FACTOR = 7\n")
    session.sql("CREATE OR REPLACE STAGE CODE").collect()
    code = b"from weights import FACTOR\ndef run(session, x):\n    return x * FACTOR\n"
    session.file.put_stream(io.BytesIO(code), "@CODE/lib/scoring.py", auto_compress=False)
    session.file.put_stream(io.BytesIO(packed.getvalue()), "@CODE/weights.zip", auto_compress=False)
    session.sql(
        f"CREATE OR REPLACE PROCEDURE score(x INT) RETURNS INT {HEAD} HANDLER = 'scoring.run' "
        "IMPORTS = ('@CODE/lib/scoring.py', '@CODE/weights.zip')"
    ).collect()
    session.sql("CREATE SCHEMA IF NOT EXISTS ELSEWHERE").collect()
    assert session.sql("CALL PUBLIC.score(6)").collect()[0][0] == 42


@pytest.mark.parametrize(("rights", "schema"), [("OWNER", "HOME"), ("CALLER", "PUBLIC")])
def test_rights_tell_where_a_procedure_works(session: Session, rights: str, schema: str) -> None:
    session.sql("CREATE SCHEMA IF NOT EXISTS HOME").collect()
    session.use_schema("PUBLIC")
    body = "return session.get_current_schema().strip('\"')"
    create(session, "HOME.place() RETURNS VARCHAR", body, f"EXECUTE AS {rights}")
    assert session.call("HOME.place") == schema
    session.sql(
        f"CREATE OR REPLACE PROCEDURE HOME.placed() RETURNS VARCHAR EXECUTE AS {rights} AS "
        "'BEGIN RETURN CURRENT_SCHEMA(); END'"
    ).collect()
    assert session.call("HOME.placed") == schema
    assert session.get_current_schema() == '"PUBLIC"'


def test_a_table_comes_back_under_the_declared_columns(session: Session) -> None:
    body = "return session.create_dataframe([[1, 'a'], [2, None]], schema=['X', 'Y'])"
    create(session, "rows_of() RETURNS TABLE (ID INT, NAME VARCHAR)", body)
    rows = [(1, "a"), (2, None)]
    assert sorted(map(tuple, session.sql("CALL rows_of()").collect())) == rows
    found = session.sql("SELECT ID, NAME FROM TABLE(rows_of()) ORDER BY ID").collect()
    assert (list(map(tuple, found)), list(found[0].as_dict())) == (rows, ["ID", "NAME"])
    create(session, "rows_of() RETURNS TABLE ()", "import pandas as pd; return pd.DataFrame({'p': [1.5]})")
    assert [row.as_dict() for row in session.sql("CALL rows_of()").collect()] == [{"p": 1.5}]
    create(session, "rows_of() RETURNS TABLE (A INT)", body)
    assert "has 2 columns" in refusal(session, "CALL rows_of()")


def test_a_sql_procedure_is_a_block_with_its_arguments(session: Session) -> None:
    session.sql(
        """CREATE OR REPLACE PROCEDURE fill(n INT, label VARCHAR) RETURNS VARCHAR LANGUAGE SQL AS
        DECLARE found INT;
        BEGIN
          CREATE OR REPLACE TABLE FILLED AS SELECT :n AS A;
          SELECT COUNT(*) INTO :found FROM FILLED;
          IF (n > 1) THEN RETURN label || found; END IF;
          RETURN 'small';
        END"""
    ).collect()
    assert (session.call("fill", 2, "x"), session.call("fill", 1, "x")) == ("x1", "small")
    assert "AWAIT" in refusal(session, "CREATE PROCEDURE l() RETURNS INT AS 'BEGIN AWAIT ALL; END'")


def test_a_sql_procedure_loops_and_returns_a_table(session: Session) -> None:
    session.sql(
        """CREATE OR REPLACE PROCEDURE powers(n INT) RETURNS TABLE (EXPONENT INT, POWER INT) LANGUAGE SQL AS
        BEGIN
          CREATE OR REPLACE TABLE POWERS (E INT, P INT);
          LET p := 1;
          FOR e IN 1 TO n DO
            p := p * 2;
            INSERT INTO POWERS VALUES (:e, :p);
          END FOR;
          LET found RESULTSET := (SELECT E AS EXPONENT, P AS POWER FROM POWERS ORDER BY 1);
          RETURN TABLE(found);
        END"""
    ).collect()
    assert [tuple(row) for row in session.call("powers", 3).collect()] == [(1, 2), (2, 4), (3, 8)]
    assert session.sql("SELECT MAX(POWER) FROM TABLE(powers(4))").collect()[0][0] == 16


def test_procedures_are_shown_described_changed_and_dropped(session: Session) -> None:
    create(
        session, "kept(a INT, b FLOAT) RETURNS VARCHAR", "return 'x'", "COMMENT = 'first' EXECUTE AS CALLER"
    )
    (row,) = session.sql("SHOW PROCEDURES LIKE 'KEPT'").collect()
    assert (row["arguments"], row["description"]) == ("KEPT(NUMBER, FLOAT) RETURN VARCHAR", "first")
    described = dict(map(tuple, session.sql("DESCRIBE PROCEDURE kept(INT, FLOAT)").collect()))
    assert described["signature"] == "(A NUMBER, B FLOAT)"
    assert (described["execute as"], described["handler"]) == ("CALLER", "main")
    session.sql("ALTER PROCEDURE kept(INT, FLOAT) RENAME TO renamed").collect()
    session.sql("COMMENT ON PROCEDURE renamed(INT, FLOAT) IS 'second'").collect()
    assert session.sql("SHOW PROCEDURES LIKE 'RENAMED'").collect()[0]["description"] == "second"
    session.sql("DROP PROCEDURE renamed(NUMBER, DOUBLE)").collect()
    assert "does not exist" in refusal(session, "DROP PROCEDURE renamed(INT, FLOAT)")
    session.sql("DROP PROCEDURE IF EXISTS renamed(INT, FLOAT)").collect()
    assert "Unknown" in refusal(session, "CALL renamed(1, 1.5)")


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("CREATE PROCEDURE p() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1'", "LANGUAGE JAVASCRIPT"),
        (f"CREATE PROCEDURE p() RETURNS INT {HEAD} AS 'x'", "HANDLER"),
        (f"CREATE PROCEDURE p() RETURNS INT {HEAD} HANDLER = 'x.y' IMPORTS = ('@~/none.py')", "none.py"),
        (
            "CREATE PROCEDURE p() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'x' "
            "PACKAGES = ('snowflake-snowpark-python', 'no-such-package') AS 'x'",
            "no-such-package",
        ),
        ("CALL nobody(1)", "Unknown"),
    ],
)
def test_what_cannot_be_is_refused_by_name(session: Session, sql: str, word: str) -> None:
    assert word in refusal(session, sql)


def test_a_temporary_procedure_is_its_sessions_own(server: LocalServer, session: Session) -> None:
    with Session.builder.configs(server.connect_args()).create() as other:
        create(other, "passing() RETURNS INT", "return 1", kind="TEMPORARY PROCEDURE")
        assert other.call("passing") == 1
        assert "Unknown" in refusal(session, "CALL passing()")
    assert server.account.store.rows("SELECT * FROM routines WHERE name = 'PASSING'") == []


def test_an_error_has_the_users_file_and_line(session: Session) -> None:
    create(session, "fails() RETURNS INT", "raise ValueError('too bad')")
    said = refusal(session, "CALL fails()")
    assert "100357" in said and 'File "_udf_code.py", line 3, in main' in said and "too bad" in said


def test_snowpark_registers_what_it_is_given(session: Session, tmp_path: Path) -> None:
    session.sql("CREATE OR REPLACE STAGE SPROCS").collect()
    file = tmp_path / "from_file.py"
    file.write_text("def tenfold(session, x):\n    return x * 10\n")

    def count(session: Session, n: int) -> int:
        return session.range(n).count()

    packages = ["snowflake-snowpark-python"]
    temporary = session.sproc.register(count, packages=packages)
    session.sproc.register(
        count, name="COUNTED", is_permanent=True, stage_location="@SPROCS", packages=packages, replace=True
    )
    tenfold = session.sproc.register_from_file(
        str(file), "tenfold", return_type=IntegerType(), input_types=[IntegerType()], packages=packages
    )
    table = session.sproc.register(
        lambda session, n: session.range(n).to_df("N"),
        return_type=StructType([StructField("N", IntegerType())]),
        input_types=[IntegerType()],
        packages=packages,
    )
    anonymous = session.sproc.register(
        lambda session, text: text + "!",
        return_type=StringType(),
        input_types=[StringType()],
        packages=packages,
        anonymous=True,
    )
    assert (temporary(3), session.call("COUNTED", 4), tenfold(2), anonymous("hi")) == (3, 4, 20, "hi!")
    assert sorted(row[0] for row in table(2).collect()) == [0, 1]


def test_a_task_calls_a_procedure(server: LocalServer, session: Session) -> None:
    body = "print('said', given[0]); session.call('SYSTEM$SET_RETURN_VALUE', 'back'); return 'done'"
    create(session, "worked(x INT) RETURNS VARCHAR", body, "EXECUTE AS CALLER")
    session.sql("CREATE OR REPLACE TASK CALLING AS CALL worked(3)").collect()
    session.sql("EXECUTE TASK CALLING").collect()
    row = wait_for_run(session)
    assert (row["STATE"], row["RETURN_VALUE"]) == ("SUCCEEDED", "back")
    assert "said 3" in server.account.log_path(row["QUERY_ID"]).read_text()


def wait_for_run(session: Session) -> dict[str, object]:
    """The row of the task's run once it has ended."""
    deadline = time.monotonic() + 60
    query = (
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'CALLING')) "
        "WHERE STATE IN ('SUCCEEDED', 'FAILED')"
    )
    while not (rows := session.sql(query).collect()):
        assert time.monotonic() < deadline
    found: dict[str, object] = rows[0].as_dict()
    return found
