"""Which files travel with a folder: links inside the project are followed, hidden files are left out."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

from sfml.base.record import record

MAX_LINKED_FOLDERS = 1_000
"""The most links to folders that are followed; links to each other would otherwise copy a few files endlessly."""

_TOOLS = (
    *(".git*", ".venv", ".env*", ".DS_Store", ".keep", ".*_cache", ".cache", ".ipynb_checkpoints", ".idea"),
    *(".vscode", ".editorconfig", ".pre-commit*", ".python-version", ".coverage*", ".flake8", ".pylintrc"),
    *(".dockerignore", ".sfml", ".tox", ".nox", ".mypy*", ".ruff*", ".eggs", ".hypothesis", ".nfs*", ".#*"),
)
"""Hidden files of tools, which no step or job needs; they are left out without being reported."""


@record
class FolderContents:
    """The contents of a folder: files as (name, path), hidden files that are left out, bad links as (name, reason).

    Names are relative to the folder, with slashes, in the order of their parts.
    """

    files: tuple[tuple[str, Path], ...]
    hidden: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def link_problem(path: Path, project: Path) -> str | None:
    """Why a path cannot travel because of a link, such as `leads out of the project`; None when it can."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a cycle of links, up to Python 3.12
        return "leads nowhere" if os.path.lexists(path) else None
    return None if target.is_relative_to(project.resolve()) else "leads out of the project"


def folder_contents(base: Path, project: Path) -> FolderContents:
    """Everything below a folder of the project; links that stay inside the project are followed."""
    walk = _Walk(project)
    walk.visit(base, "", (base.resolve(),))
    files = sorted(walk.files, key=lambda file: file[0].split("/"))
    return FolderContents(tuple(files), tuple(walk.hidden), tuple(walk.refused))


class _Walk:
    def __init__(self, project: Path) -> None:
        self.project = project
        self.files: list[tuple[str, Path]] = []
        self.hidden: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self.linked = 0

    def visit(self, folder: Path, prefix: str, above: tuple[Path, ...]) -> None:
        """Add the contents of a folder; `above` holds the real paths of the folders on the way to it."""
        for entry in _entries(folder):
            name = f"{prefix}{entry.name}"
            path = folder / entry.name
            if entry.name == "__pycache__" or entry.name.endswith(".pyc"):
                continue
            if entry.name.startswith("."):
                if not any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in _TOOLS):
                    self.hidden.append(f"{name}/" if path.is_dir() else name)
            elif entry.is_symlink():
                self._follow(path, name, above)
            elif entry.is_dir():
                self.visit(path, f"{name}/", above)
            elif entry.is_file():
                self.files.append((name, path))

    def _follow(self, path: Path, name: str, above: tuple[Path, ...]) -> None:
        problem = link_problem(path, self.project)
        if problem is None and path.is_dir():
            target = path.resolve()
            here = (*above, path.parent.resolve())
            self.linked += 1
            if any(folder.is_relative_to(target) for folder in here):
                problem = "leads back to a folder that it lies in"
            elif self.linked > MAX_LINKED_FOLDERS:
                problem = f"is one of more than {MAX_LINKED_FOLDERS:,} links to folders"
            else:
                self.visit(path, f"{name}/", (*here, target))
                return
        if problem is not None:
            if len(self.refused) < MAX_LINKED_FOLDERS:
                self.refused.append((name, problem))
        elif path.is_file():
            self.files.append((name, path))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            in_order = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    yield from in_order
