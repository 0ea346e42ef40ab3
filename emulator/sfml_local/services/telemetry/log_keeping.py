"""How many logs are kept: the oldest go, so that a server that runs for months fills no disk."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

LOGS = int(os.environ.get("SFML_LOCAL_LOGS", "5000"))
"""Logs of procedures, jobs and models that are kept."""

LOGS_MB = int(os.environ.get("SFML_LOCAL_LOGS_MB", "1024"))
"""And what they may take on the disk together."""

EVERY = 200
"""Sessions that close between two looks: each process has at least one."""

_closed: WeakKeyDictionary[Account, itertools.count[int]] = WeakKeyDictionary()


def forget_old(folder: Path, in_use: frozenset[Path] = frozenset(), *, count: int, size: int) -> int:
    """Delete the logs that were written longest ago, beyond so many or so many bytes; answers how many went.

    With a log goes the file beside it that holds its times. What a process writes to is kept, whatever its age.
    """
    with os.scandir(folder) as entries:
        found = [(entry.stat(), Path(entry.path)) for entry in entries if entry.name.endswith(".log")]
    found.sort(key=lambda one: one[0].st_mtime, reverse=True)
    taken, gone = 0, 0
    for number, (status, path) in enumerate(found, start=1):
        taken += status.st_size
        if (number > count or taken > size) and path not in in_use:
            for file in (path, path.with_suffix(".times")):
                with contextlib.suppress(OSError):
                    file.unlink()
            gone += 1
    return gone


def _tidy(account: Account) -> None:
    in_use = frozenset(child.log for child in tuple(account.children) if child.log is not None)
    with contextlib.suppress(OSError):  # somebody else deleted one of them just now
        forget_old(account.logs_folder, in_use, count=LOGS, size=LOGS_MB * 2**20)


def start(account: Account) -> None:
    """Begin with no more logs than are to be kept."""
    _tidy(account)


def session_closed(account: Account, session: Session) -> None:
    """Look again now and then."""
    if next(_closed.setdefault(account, itertools.count(1))) % EVERY == 0:
        _tidy(account)
