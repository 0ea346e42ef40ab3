"""What git knows about a project: the commit that is checked out, and what is not committed."""

from __future__ import annotations

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
    # Paths come relative to the repository, whatever the folder; names as they are, not quoted.
    return tuple(entry[3:].removeprefix(top.strip()) for entry in answer.split("\0") if entry)


def differing_from_head(folder: Path, files: tuple[str, ...]) -> tuple[str, ...] | None:
    """Those of the files whose content HEAD does not hold under their name; None without a repository.

    `git status` is silent about files that are ignored or marked as unchanged: here their content decides.
    """
    listed = git_text(folder, "ls-tree", "-r", "-z", "HEAD", "--", ".")
    if listed is None:
        return None
    committed = {}
    for entry in listed.split("\0"):
        head, _, path = entry.partition("\t")
        if path:
            committed[path] = head.split()[2]
    # A file behind a link stands in the commit under its own name.
    place = {file: _real(folder, file) for file in files}
    known = tuple(file for file in files if place[file] in committed and "\n" not in file)
    prefix = (git_text(folder, "rev-parse", "--show-prefix") or "").strip()
    # It reads paths from the top of the repository, whatever the folder.
    paths = "".join(f"{prefix}{file}\n" for file in known)
    hashes = git_text(folder, "hash-object", "--stdin-paths", data=paths.encode(errors="surrogateescape"))
    if hashes is None or len(hashes.split()) != len(known):
        return files
    changed = {
        file for file, found in zip(known, hashes.split(), strict=True) if found != committed[place[file]]
    }
    return tuple(file for file in files if file in changed or file not in known)


def _real(folder: Path, file: str) -> str:
    """The file's name below the folder with every link followed; the name itself where that leads out."""
    real, top = (folder / file).resolve(), folder.resolve()
    return real.relative_to(top).as_posix() if real.is_relative_to(top) else file
