"""A server meets damaged, missing and older files of its own: the rest works, all is kept, and the user is told."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from sfml_local import control
from sfml_local.control import ControlError, ServerInfo
from sfml_local.core.database_files import has_damaged_log
from sfml_local.http.app import LocalServer

KEPT = "SELECT I FROM SFML.PUBLIC.KEEP ORDER BY I"
OTHER = "SELECT I FROM OTHER.PUBLIC.T"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an account with two databases, a task and a staged file, whose server has ended."""
    folder = tmp_path_factory.mktemp("seeded") / "local"
    note = folder.parent / "note.txt"
    note.write_text("abc")
    with LocalServer(folder) as server:
        run(
            server,
            "CREATE TABLE KEEP (I INT)",
            "INSERT INTO KEEP VALUES (1), (2)",
            "CREATE TASK TT AS SELECT 1",
            "CREATE STAGE ST",
            f"PUT file://{note} @ST AUTO_COMPRESS = FALSE",
            "CREATE DATABASE OTHER",
            "CREATE TABLE OTHER.PUBLIC.T (I INT)",
            "INSERT INTO OTHER.PUBLIC.T VALUES (7)",
        )
    return folder


@pytest.fixture
def folder(seeded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeded, tmp_path / "local"))


def run(server: LocalServer, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    return answers(server.connect_args(), *statements)


def answers(arguments: Any, *statements: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    with snowflake.connector.connect(**arguments) as connection:
        for statement in statements:
            rows = connection.cursor().execute(statement).fetchall()
    return rows


def overwrite(file: Path, start: int = 0, size: int = 4096) -> None:
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(os.urandom(size))


def aside(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}.damaged-*"))


def cut(file: Path) -> None:
    os.truncate(file, 5000)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def scratch_the_catalog(file: Path) -> None:
    overwrite(file, 4096, 8192)


@pytest.mark.parametrize("harm", [overwrite, cut, empty, scratch_the_catalog])
def test_a_damaged_database_is_put_aside_and_the_rest_works(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    file = folder / "databases" / "OTHER.db"
    harm(file)
    damaged = file.read_bytes()
    with LocalServer(folder) as server:
        assert run(server, KEPT) == [(1,), (2,)]
        assert [row[1] for row in run(server, "SHOW DATABASES")] == ["SFML"]
        (kept,) = aside(folder / "databases", "OTHER.db")
        assert kept.read_bytes() == damaged
        (notice,) = server.account.notices
        assert "database OTHER" in notice
        assert str(kept) in notice
        assert run(server, "CREATE DATABASE OTHER", "SHOW SCHEMAS LIKE 'PUBLIC' IN DATABASE OTHER")
    assert control.status(folder).notices == (notice,)
    # As the notice says: back under its name, it is tried again.
    shutil.copy(file, kept)
    kept.rename(file)
    with LocalServer(folder) as server:
        assert server.account.notices == ()
        assert "OTHER" in server.account.engine.databases()


KILLED = """
import duckdb, os, sys
duck = duckdb.connect(sys.argv[1])
for number in range(100):
    duck.execute("INSERT INTO PUBLIC.T VALUES (?)", [number])
os._exit(0)
"""


@pytest.fixture
def log(folder: Path) -> Path:
    """The log of OTHER, with changes that a killed process left in it."""
    subprocess.run((sys.executable, "-c", KILLED, str(folder / "databases" / "OTHER.db")), check=True)
    return folder / "databases" / "OTHER.db.wal"


@pytest.mark.parametrize("start", [0, 40, 1000, 3000])
def test_a_damaged_log_takes_only_its_own_changes_along(folder: Path, log: Path, start: int) -> None:
    overwrite(log, start, 8)
    damaged = log.read_bytes()
    with LocalServer(folder) as server:
        assert run(server, OTHER) == [(7,)]
        assert run(server, KEPT) == [(1,), (2,)]
        run(server, "INSERT INTO OTHER.PUBLIC.T VALUES (8)")
        [kept] = aside(folder / "databases", "OTHER.db.wal")
        assert kept.read_bytes() == damaged
        assert not aside(folder / "databases", "OTHER.db")
        [notice] = server.account.notices
        assert "the log of database OTHER was damaged" in notice and str(kept) in notice
    with LocalServer(folder) as server:
        assert run(server, OTHER) == [(7,), (8,)]
        assert str(kept) in "".join(server.account.notices)


def test_damage_anywhere_in_a_log_is_told_and_a_log_that_was_cut_off_is_no_damage(
    folder: Path, log: Path
) -> None:
    file, content = folder / "databases" / "OTHER.db", log.read_bytes()
    assert not has_damaged_log(file)
    sound = 0
    for at in range(0, len(content) - 400, 211):
        log.write_bytes(content[:at] + b"\xff\x07damage" + content[at + 9 :])
        sound += not has_damaged_log(file)
    assert sound == 0
    for end in (300, 5000, len(content) - 20):
        log.write_bytes(content[:end])
        assert not has_damaged_log(file)


def test_a_damaged_log_of_what_spans_databases_stops_nothing(folder: Path) -> None:
    log = folder / "global.db.wal"
    log.write_bytes(os.urandom(500))
    with LocalServer(folder) as server:
        assert run(server, KEPT) == [(1,), (2,)]
        assert "the log of global.db was damaged" in "".join(server.account.notices)
    assert aside(folder, log.name)


@pytest.mark.parametrize("missing", [0, 5])
def test_the_log_of_a_killed_server_is_read_even_if_its_end_was_cut_off(
    folder: Path, log: Path, missing: int
) -> None:
    os.truncate(log, log.stat().st_size - missing)
    with LocalServer(folder) as server:
        assert len(run(server, OTHER)) == 101 - bool(missing)
        assert list(server.account.notices) == []


def test_a_damaged_log_beside_a_damaged_file_is_kept_with_it(folder: Path, log: Path) -> None:
    overwrite(log.with_name("OTHER.db"))
    overwrite(log, 1000, 8)
    with LocalServer(folder) as server:
        assert run(server, KEPT) == [(1,), (2,)]
    [kept, kept_log] = aside(folder / "databases", "OTHER.db")
    assert kept_log.name == f"{kept.name}.wal"


def test_the_default_database_may_be_the_damaged_one(folder: Path) -> None:
    overwrite(folder / "databases" / "SFML.db")
    with LocalServer(folder) as server:
        assert run(server, OTHER) == [(7,)]
        assert [row[1] for row in run(server, "SHOW TASKS")] == ["TT"]
        assert [row[0] for row in run(server, "LIST @ST")] == ["st/note.txt"]
        assert run(server, "CREATE TABLE KEEP AS SELECT 5 AS I", KEPT) == [(5,)]
    assert len(aside(folder / "databases", "SFML.db")) == 1


def test_damage_within_a_database_stops_only_what_reads_it(folder: Path) -> None:
    with LocalServer(folder) as server:
        run(
            server,
            "CREATE TABLE OTHER.PUBLIC.LONG AS SELECT SEQ8() AS I, RANDSTR(20, RANDOM()) AS S"
            " FROM TABLE(GENERATOR(ROWCOUNT => 100000))",
        )
    file = folder / "databases" / "OTHER.db"
    overwrite(file, 3 * 4096 + 2**18, 2**18)  # the first block holds the catalog
    with LocalServer(folder) as server:
        assert run(server, KEPT) == [(1,), (2,)]
        with pytest.raises(snowflake.connector.errors.ProgrammingError):
            run(server, "SELECT MAX(S) FROM OTHER.PUBLIC.LONG")
        assert run(server, "INSERT INTO KEEP VALUES (3)", KEPT) == [(1,), (2,), (3,)]
        assert run(server, OTHER) == [(7,)]


def test_a_damaged_file_of_what_spans_databases_is_put_aside(folder: Path) -> None:
    overwrite(folder / "global.db")
    with LocalServer(folder) as server:
        assert run(server, KEPT) == [(1,), (2,)]
        assert "comments" in server.account.notices[0]
    assert len(aside(folder, "global.db")) == 1


@pytest.mark.parametrize("page", [0, 2])
def test_damaged_metadata_leaves_the_tables(folder: Path, page: int) -> None:
    overwrite(folder / "account.sqlite", page * 4096, 8192)
    with LocalServer(folder) as server:
        assert (run(server, KEPT), run(server, OTHER)) == ([(1,), (2,)], [(7,)])
        assert run(server, "SHOW TASKS") == []
        assert "tasks, stages, models and runs are no longer known" in server.account.notices[0]
    assert len(aside(folder, "account.sqlite")) == 1
    assert any((folder / "stages").rglob("note.txt"))


@pytest.mark.parametrize("is_empty", [False, True])
def test_missing_metadata_leaves_the_tables(folder: Path, is_empty: bool) -> None:
    (folder / "account.sqlite").unlink()
    if is_empty:
        (folder / "account.sqlite").touch()
    with LocalServer(folder) as server:
        assert (run(server, KEPT), run(server, OTHER)) == ([(1,), (2,)], [(7,)])
        assert "account.sqlite is missing" in server.account.notices[0]


def test_older_metadata_deletes_nothing(folder: Path) -> None:
    older = (folder / "account.sqlite").read_bytes()
    with LocalServer(folder) as server:
        run(
            server,
            "CREATE DATABASE NEWER",
            "CREATE TABLE NEWER.PUBLIC.T AS SELECT 42 AS A",
            "DROP DATABASE OTHER",
        )
        model = server.account.models_folder / "0123456789abcdef"
        model.mkdir()
        (model / "weights").write_text("1")
        dataset = folder / "datasets" / "fedcba9876543210"
        dataset.mkdir(parents=True)
    os.utime(model)
    (folder / "account.sqlite").write_bytes(older)
    with LocalServer(folder) as server:
        assert run(server, "SELECT A FROM NEWER.PUBLIC.T") == [(42,)]
        # A database that was dropped since does not come back, and does not keep the server from starting.
        assert [row[1] for row in run(server, "SHOW DATABASES")] == ["NEWER", "SFML"]
        assert "database NEWER" in " ".join(server.account.notices)
    assert dataset.exists() or (folder / "orphans" / "datasets-fedcba9876543210").exists()
    assert list(folder.rglob("weights"))
    with LocalServer(folder) as server:
        run(server, "DROP DATABASE NEWER")
    assert sorted(file.name for file in (folder / "databases").iterdir()) == ["SFML.db"]


def test_models_and_datasets_that_nothing_names_are_kept(folder: Path) -> None:
    for kind in ("models", "datasets"):
        (folder / kind / "0123").mkdir(parents=True)
        (folder / kind / "0123" / "weights").write_text("1")
    (folder / "models" / ".partial-9").mkdir()
    code = f"from sfml_local.http.app import LocalServer\nwith LocalServer({str(folder)!r}): pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert sorted(path.name for path in (folder / "orphans").iterdir()) == ["datasets-0123", "models-0123"]
    assert (folder / "orphans" / "models-0123" / "weights").read_text() == "1"
    assert list((folder / "models").iterdir()) == []


def test_files_with_names_of_no_database_are_named_and_kept(folder: Path) -> None:
    databases = folder / "databases"
    for name in ("two words.db", "other.db", "LONG~0123.db"):
        shutil.copy(databases / "OTHER.db", databases / name)
    with LocalServer(folder) as server:
        assert run(server, OTHER) == [(7,)]
        notices = " ".join(server.account.notices)
    for name in ("two words", "other", "LONG~0123"):
        assert name in notices
    assert len(list(databases.glob("*.db"))) == 5


def test_a_database_that_another_process_has_open_is_left_as_it_is(folder: Path) -> None:
    file = folder / "databases" / "OTHER.db"
    code = f"import duckdb, sys; c = duckdb.connect({str(file)!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with LocalServer(folder) as server:
            assert run(server, KEPT) == [(1,), (2,)]
            assert "another process has it open" in server.account.notices[0]
            for statement in ("CREATE DATABASE OTHER", "CREATE OR REPLACE DATABASE OTHER"):
                with pytest.raises(snowflake.connector.errors.ProgrammingError, match="another process"):
                    run(server, statement)
        holder.communicate()
    with LocalServer(folder) as server:
        assert run(server, OTHER) == [(7,)]


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_drop_that_was_cut_off_is_carried_out(folder: Path, is_noted: bool) -> None:
    file = folder / "databases" / "OTHER.db"
    file.rename(file.with_name("OTHER.db.dropped"))
    if not is_noted:
        with sqlite3.connect(folder / "account.sqlite") as connection:
            connection.execute("DELETE FROM containers WHERE database = 'OTHER'")
    with LocalServer(folder) as server:
        assert [row[1] for row in run(server, "SHOW DATABASES")] == ["SFML"]
        assert server.account.notices == ()
    assert [file.name for file in (folder / "databases").iterdir()] == ["SFML.db"]


def test_what_is_no_file_of_a_stage_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (place,) = (file.parent for file in (folder / "stages").rglob("note.txt"))
    (place / "out").symlink_to("/etc/hostname")
    (place / "nowhere").symlink_to("missing")
    (place / "within").symlink_to("note.txt")
    (place / "folder").symlink_to("/tmp", target_is_directory=True)
    os.mkfifo(place / "pipe")
    with LocalServer(folder) as server:
        assert [row[0] for row in run(server, "LIST @ST")] == ["st/note.txt", "st/within"]
        assert "out" in caplog.text
        with pytest.raises(snowflake.connector.errors.ProgrammingError, match="leaves the stage"):
            run(server, "LIST @ST/out")
        assert len(run(server, "REMOVE @ST")) == 2
        assert run(server, "DROP STAGE ST") == [("ST successfully dropped.",)]
    assert Path("/etc/hostname").exists()


# -- a server of its own process ---------------------------------------------------------------------------------


@pytest.fixture
def info(folder: Path) -> Iterator[ServerInfo]:
    yield control.start(folder)
    control.stop(folder)


def connect_arguments(info: ServerInfo) -> dict[str, Any]:
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return {key: getattr(info, key) for key in keys}


def test_a_full_disk_is_told_as_one_and_the_server_lives(
    info: ServerInfo, folder: Path, tmp_path: Path
) -> None:
    assert info.pid is not None
    arguments = connect_arguments(info)
    limits = resource.prlimit(info.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(info.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
    rows = "SELECT SEQ8() AS I, RANDSTR(20, RANDOM()) AS S FROM TABLE(GENERATOR(ROWCOUNT => 50000))"
    for statement in (
        f"CREATE TABLE OTHER.PUBLIC.BIG AS {rows}",
        f"COPY INTO @ST/big FROM ({rows}) FILE_FORMAT = (TYPE = CSV)",
        "CREATE TASK MORE AS SELECT 2",
    ):
        with pytest.raises(snowflake.connector.errors.Error, match="disk of the local server is full"):
            answers(arguments, statement)
    assert answers(arguments, KEPT) == [(1,), (2,)]
    resource.prlimit(info.pid, resource.RLIMIT_FSIZE, limits)
    assert answers(arguments, "CREATE TASK MORE AS SELECT 2", f"CREATE TABLE BIG AS {rows}", KEPT) == [
        (1,),
        (2,),
    ]
    assert "secret" not in (folder / "server.log").read_text()


def test_a_card_of_another_process_ends_nobody(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as other:
        card = ServerInfo(running=True, host="127.0.0.1", port=1, pid=other.pid)
        control.write_info(folder, card)
        control.stop(folder)
        assert other.poll() is None
        held = control.lock(folder)  # a server that has just started, and not written its card
        assert held is not None
        control.write_info(folder, card)
        try:
            assert not control.status(folder).running
            with pytest.raises(ControlError, match="does not say where it is"):
                control.stop(folder, wait=0.2)
        finally:
            os.close(held)
        assert other.poll() is None
        other.communicate()
