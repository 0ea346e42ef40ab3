"""Deletes the oldest logs, so that a server that runs for months does not fill the disk."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

EVERY = 200
"""The number of closed sessions between two checks; each process has at least one."""


class ClosedSessions:
    """How many sessions of an account have closed."""

    def __init__(self, account: Account) -> None:
        self.numbers = itertools.count(1)


def forget_old(folder: Path, in_use: frozenset[Path] = frozenset(), *, count: int, size: int) -> int:
    """Delete the oldest logs beyond the limits of number and bytes; returns how many were deleted.

    The files with a log's times and spans are deleted with it. Logs of running processes are kept, whatever their age.
    """
    with os.scandir(folder) as entries:
        found = [(entry.stat(), Path(entry.path)) for entry in entries if entry.name.endswith(".log")]
    found.sort(key=lambda one: one[0].st_mtime, reverse=True)
    taken, gone = 0, 0
    for number, (status, path) in enumerate(found, start=1):
        taken += status.st_size
        if (number > count or taken > size) and path not in in_use:
            for file in (path, path.with_suffix(".times"), path.with_suffix(".spans")):
                with contextlib.suppress(OSError):
                    file.unlink()
            gone += 1
    return gone


def _tidy(account: Account) -> None:
    in_use = frozenset(child.log for child in tuple(account.children) if child.log is not None)
    with contextlib.suppress(OSError):  # another process has just deleted it
        forget_old(
            account.logs_folder, in_use, count=account.settings.logs, size=account.settings.logs_mb * 2**20
        )


def start(account: Account) -> None:
    """Delete logs beyond the limits at the start."""
    _tidy(account)


def session_closed(account: Account, session: Session) -> None:
    """Check again after some sessions."""
    if next(account.part(ClosedSessions).numbers) % EVERY == 0:
        _tidy(account)
