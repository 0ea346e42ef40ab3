"""Reports a full disk as such, whether SQLite, DuckDB or the server itself notices it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

import duckdb

from sfml_local.core.errors import SqlError

_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# DuckDB has no code for it; its messages end with the operating system's text.
_WORDS = tuple(os.strerror(code) for code in _CODES)


def full_disk_error(error: BaseException) -> SqlError | None:
    """The message to the client for a full disk; None if the error has another cause."""
    if not any(_is_full(cause) for cause in _chain(error)):
        return None
    return SqlError(
        "The disk of the local server is full, or cannot be written: the statement failed. Make room on it; a"
        " database that still cannot be written then can after the server was stopped and started.",
        603,
        "53100",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes; `raise error from error` makes one its own cause."""
    seen: list[BaseException] = []
    while error is not None and not any(error is one for one in seen):
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__


def _is_full(error: BaseException) -> bool:
    match error:
        case OSError():
            return error.errno in _CODES
        case sqlite3.Error():
            # SQLite has a code for a full disk, but reports an exhausted quota as a failed write.
            code = getattr(error, "sqlite_errorcode", 0)
            return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE
        case duckdb.Error() | SqlError():
            return any(words in str(error) for words in _WORDS)
    return False
