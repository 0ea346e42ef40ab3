"""COPY INTO loads an unchanged file once, as long as the table is the same; FORCE loads it again."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.snowpark import Session

from sfml_local.http.app import LocalServer

COPY = "COPY INTO LOADS FROM @LOADS"
NOTHING = "Copy executed with 0 files processed."


def put(session: Session, name: str, content: bytes) -> None:
    session.file.put_stream(io.BytesIO(content), f"@LOADS/{name}", auto_compress=False, overwrite=True)


@pytest.fixture
def run(session: Session) -> Callable[[str], object]:
    """Carries statements out; answers the first value of the last row of the last one."""
    session.sql("CREATE OR REPLACE STAGE LOADS").collect()
    session.sql("CREATE OR REPLACE TABLE LOADS (N INT)").collect()
    put(session, "a.csv", b"1\n")

    def run(*statements: str) -> object:
        for statement in statements:
            rows = session.sql(statement).collect()
        return rows[-1][0]

    return run


def test_an_unchanged_file_is_loaded_once(session: Session, run: Callable[..., object]) -> None:
    assert run(COPY) == "loads/a.csv"
    assert run(COPY) == NOTHING
    put(session, "b.csv", b"2\n")
    assert [row["file"] for row in session.sql(COPY).collect()] == ["loads/b.csv"]
    put(session, "a.csv", b"3\n")
    assert [row["file"] for row in session.sql(COPY).collect()] == ["loads/a.csv"]
    assert sorted(row.N for row in session.table("LOADS").collect()) == [1, 2, 3]
    assert len(session.sql(f"{COPY} FORCE = TRUE").collect()) == 2
    assert session.table("LOADS").count() == 5
    # Another stage of the same name has other files.
    run("CREATE OR REPLACE STAGE LOADS")
    put(session, "a.csv", b"3\n")
    assert run(COPY) == "loads/a.csv"


@pytest.mark.parametrize(
    ("statements", "again"),
    [
        (("TRUNCATE TABLE LOADS",), True),
        (("CREATE OR REPLACE TABLE LOADS (N INT)",), True),
        (("DROP TABLE LOADS", "CREATE TABLE LOADS (N INT)"), True),
        (
            (
                "CREATE OR REPLACE TABLE OTHER CLONE LOADS",
                "DROP TABLE LOADS",
                "ALTER TABLE OTHER RENAME TO LOADS",
            ),
            True,
        ),
        (("DELETE FROM LOADS",), False),
        (("ALTER TABLE LOADS RENAME TO LATER", "ALTER TABLE LATER RENAME TO LOADS"), False),
    ],
)
def test_the_history_is_the_tables(
    run: Callable[..., object], statements: tuple[str, ...], again: bool
) -> None:
    assert run(COPY) == "loads/a.csv"
    try:
        assert run(*statements, COPY) == ("loads/a.csv" if again else NOTHING)
    finally:
        run("DROP TABLE IF EXISTS OTHER")


def test_the_history_goes_with_the_schema(run: Callable[..., object]) -> None:
    again = (
        "CREATE OR REPLACE SCHEMA PASSING",
        "CREATE TABLE LOADS (N INT)",
        "COPY INTO LOADS FROM @PUBLIC.LOADS",
    )
    try:
        assert run(*again) == "loads/a.csv"
        assert run(again[-1]) == NOTHING
        assert run(*again) == "loads/a.csv"
    finally:
        run("DROP SCHEMA IF EXISTS PASSING", "USE SCHEMA PUBLIC")


def test_a_rollback_and_a_skipped_file_leave_nothing(session: Session, run: Callable[..., object]) -> None:
    run("BEGIN", COPY, "ROLLBACK")
    assert session.table("LOADS").count() == 0
    assert run("SELECT status FROM INFORMATION_SCHEMA.LOAD_HISTORY WHERE table_name = 'LOADS'") == "LOADED"
    put(session, "bad.csv", b"x\n")
    assert run(f"{COPY} FILES = ('bad.csv') ON_ERROR = SKIP_FILE") == "loads/bad.csv"
    assert run(f"{COPY} FILES = ('bad.csv') ON_ERROR = SKIP_FILE") == "loads/bad.csv"
    assert run("BEGIN", f"{COPY} FILES = ('a.csv')", "COMMIT", f"{COPY} PATTERN = '.*a.csv'") == NOTHING


def test_loads_at_the_same_time_come_to_one(
    server: LocalServer, session: Session, run: Callable[..., object]
) -> None:
    def load(_: int) -> str:
        with snowflake.connector.connect(**server.connect_args()) as connection:
            return str(connection.cursor().execute(COPY).fetchone()[0])

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(load, range(4))) == [*[NOTHING] * 3, "loads/a.csv"]
    assert session.table("LOADS").count() == 1


def test_temporary_tables_have_their_own(session: Session, run: Callable[..., object]) -> None:
    assert run(COPY) == "loads/a.csv"
    run("CREATE TEMPORARY TABLE OWN (N INT)")
    own = COPY.replace("INTO LOADS", "INTO OWN")
    assert run(own) == "loads/a.csv"
    assert run("ALTER TABLE OWN RENAME TO OWN2", own.replace("OWN", "OWN2")) == NOTHING
    assert run("CREATE OR REPLACE TEMPORARY TABLE OWN2 (N INT)", own.replace("OWN", "OWN2")) == "loads/a.csv"


def test_it_outlives_the_server(folder: Path) -> None:
    told = []
    for _ in range(2):
        with (
            LocalServer(folder) as server,
            Session.builder.configs(server.connect_args()).create() as session,
        ):
            session.sql("CREATE STAGE IF NOT EXISTS LOADS").collect()
            session.sql("CREATE TABLE IF NOT EXISTS LOADS (N INT)").collect()
            put(session, "a.csv", b"1\n")
            told.append(session.sql(COPY).collect()[0][0])
            if len(told) == 2:
                session.sql("TRUNCATE TABLE LOADS").collect()
                told.append(session.sql(COPY).collect()[0][0])
    assert told == ["loads/a.csv", NOTHING, "loads/a.csv"]
