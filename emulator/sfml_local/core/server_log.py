"""The file of the server's own log, which is kept across starts and limited in size."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from sfml_local.core import private_files, settings

LIMIT = settings.read().server_log_kb * 1024
"""The size in bytes after which a new log begins."""

KEPT = 2
"""The number of earlier logs that are kept; `server.log.1` is the latest."""


def opened(log: Path) -> BinaryIO:
    """The current log, after old content was moved away if necessary."""
    _shift(log)
    stream = os.fdopen(private_files.open_file(log, os.O_WRONLY | os.O_APPEND), "ab")
    stream.seek(0, os.SEEK_END)
    return stream


def lines(log: Path, start: int = 0) -> list[str]:
    """The text from that byte on."""
    with log.open("rb") as stream:
        stream.seek(start)
        return stream.read().decode("utf-8", "replace").splitlines()


def rotate(log: Path) -> None:
    """Begin a new log if this one is too large; from then on, this process writes to it."""
    if not _shift(log):
        return
    with opened(log) as stream:
        for standard in (sys.stdout, sys.stderr):
            standard.flush()
            os.dup2(stream.fileno(), standard.fileno())


def numbered(log: Path, number: int) -> Path:
    """An earlier log."""
    return log.with_name(f"{log.name}.{number}")


def _shift(log: Path) -> bool:
    """Turn a log that is too large into the latest earlier one; returns whether it did."""
    if not log.exists() or log.stat().st_size < LIMIT:
        return False
    for number in range(KEPT, 1, -1):
        earlier = numbered(log, number - 1)
        if earlier.exists():
            earlier.replace(numbered(log, number))
    log.replace(numbered(log, 1))
    return True
