"""The files of a project by their content: whether anything that specs are compiled from has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST_FILES = 5000
MOST_BYTES = 32 * 2**20
"""Reading more than that takes about as long as compiling what is there."""

_LEFT_OUT = "__pycache__"
_OUTPUT = "build"


def project_files(root: Path) -> Mapping[str, str] | None:
    """Path below the root → the sha256 of the file; a folder has an empty text.

    Hidden files, `__pycache__` and the project's own `build` are left out. None for a project with too many or too
    large files, with a link to a folder, or with a file that cannot be read.
    """
    try:
        return dict(_digests(root))
    except (OSError, _Refused):
        return None


class _Refused(Exception):
    """The files of the project cannot tell whether anything has changed, or not quickly."""


def _digests(root: Path) -> Iterator[tuple[str, str]]:
    size = 0
    for count, (path, entry) in enumerate(_entries(root, "")):
        if entry.is_dir(follow_symlinks=False):
            yield path, ""
            continue
        size += entry.stat().st_size
        if not entry.is_file() or count >= MOST_FILES or size > MOST_BYTES:
            raise _Refused
        yield path, hashlib.sha256((root / path).read_bytes()).hexdigest()


def _entries(root: Path, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files and folders below a folder with their paths below the root."""
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if not is_looked_at(entry.name) or (not folder and entry.name == _OUTPUT):
                continue
            path = f"{folder}{entry.name}"
            yield path, entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(root, f"{path}/")


def is_looked_at(name: str) -> bool:
    """Whether files and folders of this name belong to the files of a project."""
    return not name.startswith(".") and name != _LEFT_OUT


def is_within(path: str) -> bool:
    """Whether a path below the root is one that `project_files` looks at."""
    parts = path.split("/")
    return parts[0] != _OUTPUT and ".." not in parts and all(map(is_looked_at, parts)) and path != "."
