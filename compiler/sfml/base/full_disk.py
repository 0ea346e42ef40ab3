"""Recognising the errors of a full disk."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

# A full disk, an exhausted quota, a file beyond the size limit.
_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_disk_full(error: BaseException) -> bool:
    """Whether the error, or an error that caused it, says that the disk is full.

    Snowflake's connector and DuckDB only quote the system's error; there the system's own words are recognised.
    """
    return any(_says_full(cause) for cause in _chain(error))


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NUMBERS
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    text = str(error)
    return any(os.strerror(number) in text for number in _NUMBERS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes; `raise error from error` makes one its own cause."""
    seen: list[BaseException] = []
    while error is not None and not any(error is one for one in seen):
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__
