"""Snapshots: the files of a commit or of the work tree, and writing some of them to a folder for reading."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.base.source import is_yaml
from sfml.review.git_objects import (
    LINK,
    SUBMODULE,
    GitEntry,
    Repository,
    commit_of,
    contents_of,
    index_of,
    sizes_of,
    touched_files,
    tree_of,
    untracked_files,
)

MAX_FILE = 50_000_000
"""The most bytes of a file that is read; no step or job may hold a larger one. A larger file is written in its size,
but without content."""
MAX_TOGETHER = 1_000_000_000

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
"""https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""


@record
class Snapshot:
    """A state of the repository. `name` is as the user typed it; `commit` is for a work tree the one checked out."""

    name: str
    commit: str
    files: Mapping[str, GitEntry]
    is_work_tree: bool = False


@record
class LaidOutFolder:
    """The folder with the written files; `notes` says, by path, what differs from a checkout."""

    folder: Path
    notes: Mapping[str, str]


def commit_snapshot(repository: Repository, name: str, commit: str) -> Snapshot:
    return Snapshot(name, commit, tree_of(repository, commit))


def work_tree_snapshot(repository: Repository) -> Snapshot:
    """The files of the work tree without ignored ones; files that have not changed keep the object ids of the index."""
    files = index_of(repository)
    commit = commit_of(repository, "HEAD")
    name = _sha256_name if len(commit) == 64 else _sha1_name
    for path in touched_files(repository) | untracked_files(repository):
        entry = _entry_on_disk(repository.top / path, name)
        if entry is None:
            files.pop(path, None)
        else:
            files[path] = entry
    return Snapshot("the work tree", commit, files, is_work_tree=True)


def changed_paths(base: Snapshot, head: Snapshot) -> frozenset[str]:
    """The files that differ between the two sides."""
    return frozenset(
        path for path in base.files.keys() | head.files.keys() if base.files.get(path) != head.files.get(path)
    )


def texts_of(
    repository: Repository, snapshot: Snapshot, paths: Iterable[str], known: dict[str, bytes]
) -> dict[str, bytes]:
    """Path → content of the files; `known` maps object ids to contents, and gets those that are read.

    Links, submodules and files above `MAX_FILE` bytes are left out.
    """
    wanted = {path: entry for path in paths if (entry := snapshot.files.get(path)) is not None}
    plain = {path: entry for path, entry in wanted.items() if entry.mode not in (LINK, SUBMODULE)}
    missing = {path: entry.oid for path, entry in plain.items() if entry.oid not in known}
    if snapshot.is_work_tree:
        for path in tuple(missing):
            file = repository.top / path
            if not file.is_symlink() and file.is_file() and file.stat().st_size <= MAX_FILE:
                known[missing.pop(path)] = file.read_bytes()
    sizes = sizes_of(repository, missing.values())
    known.update(contents_of(repository, (oid for oid, size in sizes.items() if size <= MAX_FILE)))
    return {path: known[entry.oid] for path, entry in plain.items() if entry.oid in known}


def lay_out(
    repository: Repository, snapshot: Snapshot, paths: Iterable[str], folder: Path, known: dict[str, bytes]
) -> LaidOutFolder:
    """Write files into an empty folder; links are written last, and only if they stay inside it.

    Raises `SfmlError` if the files are larger than `MAX_TOGETHER` bytes together.
    """
    notes: dict[str, str] = {}
    wanted = sorted(path for path in paths if path in snapshot.files and _is_safe(path))
    links = [path for path in wanted if snapshot.files[path].mode == LINK]
    plain = [path for path in wanted if snapshot.files[path].mode not in (LINK, SUBMODULE)]
    for path in set(wanted) - {*links, *plain}:
        notes[path] = "is a submodule: what is in it is not compared"
    sizes = sizes_of(repository, (snapshot.files[path].oid for path in plain + links))
    if sum(sizes[snapshot.files[path].oid] for path in plain) > MAX_TOGETHER:
        raise SfmlError(
            "the files that the pipelines may need are larger than 1 GB together",
            help="name fewer pipelines, or keep large files on a stage",
        )
    texts = texts_of(repository, snapshot, plain, known)
    for path in plain:
        content = texts.get(path)
        pointed = _POINTER.match(content) if content is not None and len(content) < 1_000 else None
        if pointed:
            content = _from_lfs(repository, pointed[1].decode())
            if content is None:
                notes[path] = "is kept in Git LFS, and what it holds is not here: `git lfs fetch` brings it"
                if not (is_yaml(path) or path.endswith((".py", ".sql"))):
                    content = texts[path]
        if content is not None or path not in texts:
            _write(folder / path, content, sizes[snapshot.files[path].oid])
    targets = contents_of(repository, (snapshot.files[path].oid for path in links))
    count = 1
    while count:  # a link may lead over others
        left = [path for path in links if not _link(folder, path, targets[snapshot.files[path].oid])]
        count, links = len(links) - len(left), left
    notes |= dict.fromkeys(links, "is a link that leads out of the repository or nowhere; it is left out")
    return LaidOutFolder(folder, notes)


def _write(path: Path, content: bytes | None, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    else:
        path.touch()
        os.truncate(path, size)


def _link(folder: Path, path: str, target: bytes) -> bool:
    """Make the link, unless it leads out of the folder, directly or over other links; returns whether it was made."""
    link = folder / path
    written = os.fsdecode(target)
    if not written or "\0" in written or Path(written).is_absolute():
        return False
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.parent.resolve().is_relative_to(folder.resolve()):
        return False
    link.symlink_to(written)
    try:
        stays = link.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        stays = False
    if not stays:
        link.unlink()
    return stays


def _is_safe(path: str) -> bool:
    """Whether the path stays inside the folder. Git refuses other paths, but other programs write git objects too."""
    parts = path.split("/")
    return (
        not path.startswith("/") and all(part not in ("", ".", "..") for part in parts) and "\0" not in path
    )


def _from_lfs(repository: Repository, sha256: str) -> bytes | None:
    """The content behind a pointer of Git LFS, if the clone holds it and its hash is right; else None."""
    try:
        kept = repository.git("rev-parse", "--git-common-dir").decode().rstrip("\n")
        path = repository.top / kept / "lfs" / "objects" / sha256[:2] / sha256[2:4] / sha256
        if not path.is_file() or path.stat().st_size > MAX_FILE:
            return None
        content = path.read_bytes()
    except (OSError, SfmlError):
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def _entry_on_disk(file: Path, name: Callable[[bytes], str]) -> GitEntry | None:
    """The entry that git would make for the file without filters; None for a missing file or a folder."""
    try:
        status = file.lstat()
        if stat.S_ISLNK(status.st_mode):
            return GitEntry(LINK, name(os.fsencode(file.readlink())))
        if not stat.S_ISREG(status.st_mode):
            return None
        mode = "100755" if status.st_mode & 0o100 else "100644"
        if status.st_size > MAX_FILE:
            return GitEntry(mode, f"large:{status.st_size}:{status.st_mtime_ns}")
        return GitEntry(mode, name(file.read_bytes()))
    except OSError:
        return None


def _sha1_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _sha256_name(content: bytes) -> str:
    return hashlib.sha256(b"blob %d\0" % len(content) + content).hexdigest()
