"""What git knows about a project: the commit that is checked out, and what is not committed."""

from __future__ import annotations

import subprocess
from pathlib import Path


def head_commit(folder: Path) -> str | None:
    """The abbreviated commit of HEAD, or None outside a repository with commits."""
    answer = _git(folder, "rev-parse", "--short=12", "HEAD")
    return answer.strip() if answer else None


def dirty_files(folder: Path) -> tuple[str, ...] | None:
    """The changed and untracked files of the work tree, or None when there is no repository with a commit."""
    if head_commit(folder) is None:
        return None
    answer = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    return tuple(line[3:] for line in (answer or "").splitlines())


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ("git", *arguments), cwd=folder, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
