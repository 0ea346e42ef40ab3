"""Old logs go: by number, by size, and never one that a process writes to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sfml_local.services.telemetry.log_keeping import forget_old

MANY, MUCH = 1000, 10**9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five logs of 100 bytes, 0 the oldest, each with its times; and something else."""
    for number in range(5):
        for ending in (".log", ".times"):
            file = tmp_path / f"{number}{ending}"
            file.write_bytes(b"x" * 100)
            os.utime(file, (1_700_000_000 + number,) * 2)
    (tmp_path / "else.txt").write_text("kept", encoding="utf-8")
    return tmp_path


def logs(folder: Path) -> list[str]:
    names = sorted(path.name for path in folder.iterdir())
    assert [name for name in names if name.endswith(".times")] == [
        name.replace(".log", ".times") for name in names if name.endswith(".log")
    ]
    assert "else.txt" in names
    return [name.removesuffix(".log") for name in names if name.endswith(".log")]


def test_the_oldest_go_beyond_a_number(folder: Path) -> None:
    assert forget_old(folder, count=2, size=MUCH) == 3
    assert logs(folder) == ["3", "4"]


def test_the_oldest_go_beyond_a_size(folder: Path) -> None:
    assert forget_old(folder, count=MANY, size=350) == 2
    assert logs(folder) == ["2", "3", "4"]


def test_what_is_written_to_stays(folder: Path) -> None:
    assert forget_old(folder, frozenset({folder / "0.log"}), count=1, size=MUCH) == 3
    assert logs(folder) == ["0", "4"]


def test_nothing_goes_while_there_is_room(folder: Path) -> None:
    assert forget_old(folder, count=5, size=500) == 0
    assert logs(folder) == ["0", "1", "2", "3", "4"]
