"""Reports a full disk as such, whether SQLite, DuckDB or the server itself notices it."""

from __future__ import annotations

import errno
import os
import sqlite3

import duckdb

from sfml_local.core.errors import SqlError

_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# DuckDB has no code for it; its messages end with the operating system's text.
_WORDS = tuple(os.strerror(code) for code in _CODES)


def full_disk_error(error: BaseException) -> SqlError | None:
    """The message to the client for a full disk; None if the error has another cause."""
    cause: BaseException | None = error
    while cause is not None:
        if _is_full(cause):
            return SqlError(
                "The disk of the local server is full, or cannot be written: the statement failed. Make room on it; a"
                " database that still cannot be written then can after the server was stopped and started.",
                603,
                "53100",
            )
        cause = cause.__cause__ or cause.__context__
    return None


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
