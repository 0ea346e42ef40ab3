"""Folders and files that only their owner can read, from their creation on and whatever the umask is."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
UMASK = 0o077


def make_folder(folder: Path) -> None:
    """Create a folder that only its owner can enter; restrict an existing one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)
    _tighten(folder, folder.stat())


def open_file(path: Path, flags: int) -> int:
    """A descriptor of a file that only its owner can read; an existing one is restricted."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, FILE)
    if os.fstat(descriptor).st_mode & UMASK:
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, FILE)
    return descriptor


def tighten(folder: Path) -> None:
    """Remove the rights of all others from a folder and everything below it; links are not followed."""
    _tighten(folder, folder.stat())
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = Path(path, name)
            with contextlib.suppress(OSError):  # it went away, or belongs to somebody else
                _tighten(entry, entry.lstat())


def _tighten(path: Path, status: os.stat_result) -> None:
    if status.st_mode & UMASK and not stat.S_ISLNK(status.st_mode):
        # Some file systems have no permissions, and a mounted folder may belong to another user.
        with contextlib.suppress(OSError):
            path.chmod(stat.S_IMODE(status.st_mode) & ~UMASK)
