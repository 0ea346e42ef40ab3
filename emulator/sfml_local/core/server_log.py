"""The file of the server's own log: kept across starts, and bounded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from sfml_local.core import private_files

LIMIT = int(os.environ.get("SFML_LOCAL_SERVER_LOG_KB", "4096")) * 1024
"""Bytes after which a log gets a successor."""

KEPT = 2
"""Earlier logs that are kept: `server.log.1` is the latest of them."""


def opened(log: Path) -> BinaryIO:
    """The log to write more to, after it made room for it."""
    _shift(log)
    stream = os.fdopen(private_files.open_file(log, os.O_WRONLY | os.O_APPEND), "ab")
    stream.seek(0, os.SEEK_END)
    return stream


def lines(log: Path, start: int = 0) -> list[str]:
    """What was written from that byte on."""
    with log.open("rb") as stream:
        stream.seek(start)
        return stream.read().decode("utf-8", "replace").splitlines()


def rotate(log: Path) -> None:
    """Begin a new log when this one has become large; what this process writes goes there from then on."""
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
    """Make a log that has become large the latest of the earlier ones; answers whether it did."""
    if not log.exists() or log.stat().st_size < LIMIT:
        return False
    for number in range(KEPT, 1, -1):
        earlier = numbered(log, number - 1)
        if earlier.exists():
            earlier.replace(numbered(log, number))
    log.replace(numbered(log, 1))
    return True
