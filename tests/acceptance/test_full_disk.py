"""Commands that write files, where nothing more can be written: the disk is told of, and nothing is half there."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sfml.cli.entry import run


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file can grow beyond this many bytes, which the system reports as it reports a full disk.

    Python would cut off the files of bytecode that it writes meanwhile, and every later process fail on them.
    """
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = False
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    "words",
    [
        ("init", "made/here"),
        ("schema", "--write", "schemas"),
        ("compile", "specs/shop.yaml"),
        ("test", "specs/shop.yaml", "--junit", "results.xml"),
    ],
    ids=lambda words: str(words[0]),
)
def test_a_full_disk_is_told_as_one(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--name", "shop"]) == 0
    capsys.readouterr()
    with files_of_at_most(20):
        code = run(list(words))
    printed = capsys.readouterr().err
    assert code == 1 and "error: the disk is full" in printed and "make room" in printed, printed
    assert "None" not in printed


def test_a_project_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise the same command would be refused when there is room, because files are there."""
    monkeypatch.chdir(tmp_path)
    with files_of_at_most(1_500):  # the first files are smaller, the schemas are not
        assert run(["init", "made/here"]) == 1
    assert list(tmp_path.iterdir()) == []
    assert run(["init", "made/here"]) == 0, capsys.readouterr().err
    assert run(["validate", "made/here/specs"]) == 0, capsys.readouterr().out
