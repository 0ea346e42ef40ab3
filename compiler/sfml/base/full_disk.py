"""Whether an error says that there is no room left where something was to be written."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

# A disk that is full, a quota that is used up, a limit for single files.
_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_disk_full(error: BaseException) -> bool:
    """Whether the error, or what led to it, is one of a disk without room.

    What only quotes the system's error, as Snowflake's connector and DuckDB do, is known by the system's own words.
    """
    return any(_says_full(one) for one in _chain(error))


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NUMBERS
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    text = str(error)
    return any(os.strerror(number) in text for number in _NUMBERS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
