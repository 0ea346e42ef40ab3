from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from made_graphs import closure, clv, graph, sql

from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.lower.write import write

CLV = lower(clv(), closure, "0.1.0")
SMALL = lower(graph(sql("only")), closure, "0.1.0")


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_the_whole_build(tmp_path: Path) -> None:
    written = write(CLV, tmp_path / "build/clv/prod", "flowchart TD\n")
    archives = {f"archives/{archive.sha256}.zip" for archive in CLV.archives}
    assert files_of(tmp_path / "build/clv/prod") == {"manifest.json", "tasks.sql", "graph.mmd", *archives}
    assert {path.relative_to(tmp_path / "build/clv/prod").as_posix() for path in written} == files_of(
        tmp_path / "build/clv/prod"
    )
    for path in (tmp_path / "build/clv/prod/archives").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem


def test_a_later_build_removes_its_own_stale_archives_alone(tmp_path: Path) -> None:
    write(CLV, tmp_path, "")
    (tmp_path / "archives/mine.zip").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    write(SMALL, tmp_path, "")
    assert files_of(tmp_path) == {"manifest.json", "tasks.sql", "graph.mmd", "archives/mine.zip", "notes.txt"}


def test_pictures_are_written_when_asked_for_and_never_left_from_before(tmp_path: Path) -> None:
    written = write(SMALL, tmp_path, "", {"graph.svg": "<svg/>", "graph.html": "<p>ü</p>"})
    assert {path.name for path in written} >= {"graph.svg", "graph.html"}
    assert (tmp_path / "graph.html").read_text(encoding="utf-8") == "<p>ü</p>"
    write(CLV, tmp_path, "")
    assert not {"graph.svg", "graph.html"} & files_of(tmp_path)


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    before = {path: path.stat().st_ino for path in write(CLV, tmp_path, "")}
    assert {path: path.stat().st_ino for path in write(CLV, tmp_path, "")} == before


def test_a_build_that_fails_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(SMALL, tmp_path, "old")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write(changed(SMALL), tmp_path, "new")
    assert files_of(tmp_path) == {"manifest.json", "tasks.sql", "graph.mmd"}
    assert (tmp_path / "graph.mmd").read_text() == "old"


def changed(desired: DesiredGraph) -> DesiredGraph:
    return lower(graph(sql("only"), sql("more")), closure, "0.1.0")
