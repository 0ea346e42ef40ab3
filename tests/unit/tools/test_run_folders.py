"""The folder of a run of the tests, which is removed when the run was killed."""

from __future__ import annotations

import os
from pathlib import Path

from fork_server import BEGINNING, LIFELINE, PREFIX, remove_folders_of_the_dead


def folder_of_a_run(place: Path, name: str, age: float) -> Path:
    folder = place / f"{PREFIX}{name}"
    (folder / "t" / "left").mkdir(parents=True)
    os.mkfifo(folder / LIFELINE)
    changed = (folder / LIFELINE).stat().st_mtime - age
    os.utime(folder / LIFELINE, (changed, changed))
    return folder


def test_the_next_run_removes_what_killed_ones_left(tmp_path: Path) -> None:
    dead, live, new = (
        folder_of_a_run(tmp_path, name, age)
        for name, age in (("dead", 2 * BEGINNING), ("live", 2 * BEGINNING), ("new", 0))
    )
    other = tmp_path / f"{PREFIX}other"
    other.mkdir()
    opened = os.open(live / LIFELINE, os.O_RDWR)
    try:
        remove_folders_of_the_dead(tmp_path)
    finally:
        os.close(opened)
    assert sorted(tmp_path.iterdir()) == sorted([live, new, other])
    assert (live / "t" / "left").is_dir()
    assert not dead.exists()
