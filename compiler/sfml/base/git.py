"""The state of a project's work tree, asked of git: the checked out commit, and the files that are not committed."""

from __future__ import annotations

import re
from pathlib import Path

from sfml.base.git_process import git_text


def head_commit(folder: Path) -> str | None:
    """The abbreviated commit of HEAD, or None outside a repository with commits."""
    answer = git_text(folder, "rev-parse", "--short=12", "HEAD")
    return answer.strip() if answer else None


def dirty_files(folder: Path) -> tuple[str, ...] | None:
    """The changed and untracked files of the work tree, or None when there is no repository with a commit."""
    if head_commit(folder) is None:
        return None
    top = git_text(folder, "rev-parse", "--show-prefix")
    answer = git_text(
        folder, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--", "."
    )
    if answer is None or top is None:
        return None
    # Paths are relative to the top of the repository, whatever the folder; with `-z` they are not quoted.
    return tuple(entry[3:].removeprefix(top.strip()) for entry in answer.split("\0") if entry)


def differing_from_head(folder: Path, files: tuple[str, ...]) -> tuple[str, ...] | None:
    """The files whose content differs from HEAD, or that HEAD does not hold; None outside a repository.

    `git status` leaves out files that are ignored or marked as unchanged; here the content of every file is compared.
    """
    listed = git_text(folder, "ls-tree", "-r", "-z", "HEAD", "--", ".")
    if listed is None:
        return None
    committed = {}
    for entry in listed.split("\0"):
        head, _, path = entry.partition("\t")
        if path:
            committed[path] = head.split()[2]
    # The commit holds a file that is reached over a symbolic link under its own path.
    real_path = {file: _real_path(folder, file) for file in files}
    known = tuple(file for file in files if real_path[file] in committed and "\n" not in file)
    prefix = (git_text(folder, "rev-parse", "--show-prefix") or "").strip()
    # `git hash-object` reads paths relative to the top of the repository, whatever the folder.
    paths = "".join(f"{prefix}{file}\n" for file in known)
    hashes = git_text(folder, "hash-object", "--stdin-paths", data=paths.encode(errors="surrogateescape"))
    if hashes is None or len(hashes.split()) != len(known):
        return files
    changed = {
        file for file, hash in zip(known, hashes.split(), strict=True) if hash != committed[real_path[file]]
    }
    return tuple(file for file in files if file in changed or file not in known)


def _real_path(folder: Path, file: str) -> str:
    """The file's path below the folder with every symbolic link followed; `file` itself where links lead out of it."""
    real, top = (folder / file).resolve(), folder.resolve()
    return real.relative_to(top).as_posix() if real.is_relative_to(top) else file


def was_in_commit(folder: Path, commit: object, file: str) -> bool:
    """Whether this repository has the commit, with the file; `file` is relative to the folder."""
    return _is_commit(commit) and git_text(folder, "cat-file", "-e", f"{commit}:./{file}") is not None


def is_renamed(folder: Path, commit: object, old: str, new: str) -> bool:
    """Whether git takes the file `new` of the work tree for the renamed file `old` of the commit."""
    if not _is_commit(commit):
        return False
    answer = git_text(
        folder, "diff", "--name-status", "-z", "-M", "--diff-filter=R", "--relative", str(commit)
    )
    parts = (answer or "").split("\0")
    return (old, new) in zip(parts[1::3], parts[2::3], strict=False)


def _is_commit(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{7,64}", text) is not None
