"""How much memory and disk SQL takes, what a statement is told that needs more, and what is remembered of results."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from sfml_local.core import memory
from sfml_local.core.session import RESULTS_KEPT
from sfml_local.http import rest_results
from sfml_local.http.app import LocalServer

FROM_NOTHING = True

HASHES = "SELECT MD5(SEQ8()::VARCHAR) AS H FROM TABLE(GENERATOR(ROWCOUNT => 4000000))"

TWICE_THE_HASHES = HASHES.replace("4000000", "8000000")
"""A table of the half sometimes finds room: of it nothing but the rows themselves is kept."""


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server that may take little memory and less disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFML_LOCAL_MEMORY_MB", "80")
        patch.setenv("SFML_LOCAL_SPILL_MB", "60")
        with LocalServer(tmp_path_factory.mktemp("small")) as server:
            yield server


@pytest.fixture
def cursor(small_server: LocalServer) -> Iterator[snowflake.connector.cursor.SnowflakeCursor]:
    with snowflake.connector.connect(**small_server.connect_args()) as connection:
        yield connection.cursor()


def spilled(server: LocalServer) -> int:
    """The bytes that are spilled just now."""
    folder = server.account.folder / "spill"
    return sum(file.stat().st_size for file in folder.iterdir())


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT COUNT(*) FROM ({HASHES} ORDER BY H LIMIT 3999999)",
        f"SELECT COUNT(DISTINCT H) FROM ({HASHES})",
        f"CREATE TEMP TABLE T AS {TWICE_THE_HASHES}",
    ],
)
def test_a_statement_over_the_limit_is_told_so_and_the_server_goes_on(
    cursor: snowflake.connector.cursor.SnowflakeCursor, small_server: LocalServer, statement: str
) -> None:
    with pytest.raises(ProgrammingError, match=r"more memory .*SFML_LOCAL_MEMORY_MB") as failure:
        cursor.execute(statement)
    assert failure.value.sqlstate == "53200" and "Traceback" not in str(failure.value)
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_what_finds_no_room_in_memory_is_spilled_and_removed(
    cursor: snowflake.connector.cursor.SnowflakeCursor, small_server: LocalServer
) -> None:
    account = small_server.account
    with account.engine.connection() as duck:
        duck.execute("CREATE TEMP TABLE big AS SELECT md5(range::VARCHAR) h FROM range(2500000)")
        assert spilled(small_server) > 0
    assert cursor.execute("SELECT 1").fetchone() == (1,)
    assert spilled(small_server) == 0
    assert [path.name for path in account.folder.iterdir() if path.name == ".tmp"] == []


def test_the_spill_folder_is_emptied_at_the_start_and_gone_at_the_end(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFML_LOCAL_SPILL", str(tmp_path / "disk"))
    limits = memory.limits_of(folder)
    assert limits.folder.parent == tmp_path / "disk"
    assert limits.folder != memory.limits_of(tmp_path / "other").folder
    limits.folder.mkdir(parents=True)
    (limits.folder / "duckdb_temp_storage-0.tmp").write_bytes(b"of a server that was killed")
    (tmp_path / "disk" / "mine.txt").write_text("not the server's")
    with LocalServer(folder):
        assert list(limits.folder.iterdir()) == []
        assert limits.folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("setting", "megabytes"), [("300", 300), ("1", memory.LEAST_MB)])
def test_the_setting_says_how_much_memory_sql_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, megabytes: int
) -> None:
    monkeypatch.setenv("SFML_LOCAL_MEMORY_MB", setting)
    with LocalServer(folder) as server:
        [(limit,)] = server.account.engine.rows("SELECT current_setting('memory_limit')")
        assert abs(float(re.findall(r"[\d.]+", limit)[0]) - megabytes) < 1
        assert server.account.engine.has_database("SFML")


@pytest.mark.parametrize("setting", ["", "much", "-1", "²"])
def test_without_a_number_it_is_half_of_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("SFML_LOCAL_MEMORY_MB", setting)
    monkeypatch.setattr(memory, "_CGROUP_FILES", (str(tmp_path / "memory.max"), str(tmp_path / "none")))
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.limits_of(tmp_path).memory <= machine // 2
    (tmp_path / "memory.max").write_text(f"{512 * 2**20}\n")
    assert memory.limits_of(tmp_path).memory == 256


def test_results_are_remembered_by_their_session_alone(
    server: LocalServer, connection: SnowflakeConnection
) -> None:
    account = server.account
    before = {session.id for session in account.sessions}
    with snowflake.connector.connect(**server.connect_args()) as other:
        [session] = [session for session in account.sessions if session.id not in before]
        cursor = other.cursor()
        for number in range(RESULTS_KEPT + 10):
            cursor.execute(f"SELECT {number} AS N")
        assert len(session.results) == RESULTS_KEPT
        assert session.connection.results_cache == {}
        assert cursor.execute("SELECT N FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))").fetchone() == (number,)
    assert {session.id for session in account.sessions} == before


def test_answers_to_be_fetched_are_bounded_by_their_rows(server: LocalServer) -> None:
    account = server.account
    first = rest_results.keep(account, rest_results.pages([{}] * rest_results.ROWS, 1000))
    assert rest_results.kept(account, first) is not None
    second = rest_results.keep(account, [[{}]])
    assert rest_results.kept(account, first) is None
    assert rest_results.kept(account, second) == [[{}]]


def test_an_answer_that_no_reader_could_be_sent_is_refused_and_the_server_goes_on(
    cursor: snowflake.connector.cursor.SnowflakeCursor, small_server: LocalServer
) -> None:
    """DuckDB has room for these rows; what is made of them for the wire would take several times as much."""
    rows = HASHES.replace("4000000", "800000")
    with pytest.raises(
        ProgrammingError, match=r"answer alone take more than 20 MB.*SFML_LOCAL_MEMORY_MB"
    ) as failure:
        cursor.execute(rows)
    assert failure.value.sqlstate == "53200"
    [count] = cursor.execute(f"SELECT COUNT(*) FROM ({rows})").fetchone()
    assert count == 800_000
    assert len(cursor.execute(f"{rows} LIMIT 300000").fetchall()) == 300_000
