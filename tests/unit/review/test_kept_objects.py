"""What git told of objects is kept for the next command of a process, for each repository by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.acceptance.review_repository import repository_in

from sfml.base.errors import SfmlError
from sfml.review import git_objects
from sfml.review.git_objects import Repository, commit_of, contents_of, repository, sizes_of, tree_of


def read(folder: Path) -> tuple[Repository, str, list[str]]:
    """A new repository of which everything was read, its commit, and the names of all contents."""
    made = repository(repository_in(folder).folder)
    commit = commit_of(made, "main")
    names = [entry.oid for entry in tree_of(made, commit).values()]
    assert sizes_of(made, names) == {name: len(one) for name, one in contents_of(made, names).items()}
    return made, commit, names


def lose_objects(of: Repository) -> None:
    shutil.rmtree(of.top / ".git" / "objects")
    (of.top / ".git" / "objects").mkdir()


def test_git_is_asked_once(tmp_path: Path) -> None:
    made, commit, names = read(tmp_path)
    before = tree_of(made, commit), sizes_of(made, names), contents_of(made, names)
    lose_objects(made)
    assert (tree_of(made, commit), sizes_of(made, names), contents_of(made, names)) == before


def test_another_repository_is_asked_itself(tmp_path: Path) -> None:
    read(tmp_path / "first")
    second = repository(repository_in(tmp_path / "second").folder)
    commit = commit_of(second, "main")
    names = [entry.oid for entry in tree_of(second, commit).values()]
    lose_objects(second)
    for ask in (sizes_of, contents_of):
        with pytest.raises(SfmlError, match="is not in this clone"):
            ask(second, names)


@pytest.mark.parametrize("bound", ["MAX_KEPT", "MAX_KEPT_TOGETHER"])
def test_what_is_large_is_not_kept(bound: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_objects, bound, 10)
    made, _, names = read(tmp_path)
    lose_objects(made)
    with pytest.raises(SfmlError, match="is not in this clone"):
        contents_of(made, names)


def test_no_more_sizes_are_kept_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_objects, "MAX_SIZES", 2)
    read(tmp_path)
    assert len(git_objects._sizes) <= 2
