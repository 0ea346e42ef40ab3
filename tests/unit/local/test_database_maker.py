"""Files of databases are made completely or not at all, and those that were made lately are copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from sfml_local.core import database_maker
from sfml_local.core.database_maker import DatabaseMaker
from sfml_local.grammar.quoting import duckdb_literal

TABLE = "CREATE TABLE D.main.T AS SELECT 1 AS I"


def rows(file: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as duck:
        duck.execute(f"ATTACH {duckdb_literal(str(file))} AS D")
        return duck.execute("SELECT * FROM D.main.T").fetchall()


def test_what_is_made_again_is_a_copy_that_stands_alone(tmp_path: Path) -> None:
    maker = DatabaseMaker()
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    assert maker.create(first, "D", TABLE)
    made = first.read_bytes()
    with duckdb.connect(str(first)) as duck:
        duck.execute("INSERT INTO T VALUES (2)")
    assert maker.create(second, "D", TABLE)
    assert second.read_bytes() == made
    assert rows(first) == [(1,), (2,)]
    assert rows(second) == [(1,)]
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_other_statements_or_another_name_are_another_file(tmp_path: Path) -> None:
    maker = DatabaseMaker()
    assert maker.create(tmp_path / "one.db", "D", TABLE)
    assert maker.create(tmp_path / "two.db", "D", TABLE.replace("1", "2"))
    assert maker.create(tmp_path / "three.db", "E", TABLE.replace("D.", "E.").replace("1", "3"))
    assert [rows(tmp_path / f"{name}.db") for name in ("one", "two", "three")] == [[(1,)], [(2,)], [(3,)]]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "d.db"
    file.write_bytes(b"mine")
    assert not DatabaseMaker().create(file, "D", TABLE)
    assert file.read_bytes() == b"mine"


def test_what_an_ended_server_left_does_not_get_into_a_new_file(tmp_path: Path) -> None:
    maker, file, other = DatabaseMaker(), tmp_path / "d.db", tmp_path / "other.db"
    maker.create(other, "D", TABLE)
    with duckdb.connect(str(other)) as duck:
        duck.execute("PRAGMA disable_checkpoint_on_shutdown")
        duck.execute("INSERT INTO T VALUES (2)")
    log = other.with_name("other.db.wal").read_bytes()
    for left in ("d.db.part", "d.db.part.wal", "d.db.wal"):
        (tmp_path / left).write_bytes(log)
    assert maker.create(file, "D", TABLE)
    assert rows(file) == [(1,)]
    assert not file.with_name("d.db.part").exists()


def test_a_failure_leaves_no_file_and_the_next_one_works(tmp_path: Path) -> None:
    maker, file = DatabaseMaker(), tmp_path / "d.db"
    with pytest.raises(duckdb.CatalogException):
        maker.create(file, "D", f"{TABLE};SELECT * FROM nothing")
    assert not file.exists()
    assert maker.create(file, "D", TABLE)
    assert rows(file) == [(1,)]


def test_few_contents_are_kept(tmp_path: Path) -> None:
    maker = DatabaseMaker()
    for number in range(database_maker.KEPT + 2):
        maker.create(tmp_path / f"{number}.db", "D", TABLE.replace("1", str(number)))
    assert len(maker._contents) == database_maker.KEPT
    assert rows(tmp_path / "9.db") == [(9,)]
