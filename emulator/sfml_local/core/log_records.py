"""The records of DuckDB's write-ahead log: whether a log goes on behind the place where DuckDB stops reading.

DuckDB takes a record that is longer than the rest of its file for one that a killed process did not write to its end,
and ignores it. That is right at the end of a log. In the middle the length itself is damaged, and what follows had been
acknowledged. A record is its length and its checksum, of 8 bytes each, and as many bytes as the length says
(tests/foreign/test_foreign_duckdb.py).
"""

from __future__ import annotations

import struct
from pathlib import Path

_LENGTH = struct.Struct("<Q")
_HEAD = 16
_SURE = 3
"""The number of records in a row that are not there by chance."""
_LONGEST = 2**20
"""The bytes behind a break in which the next record is looked for."""


def goes_on_after_a_break(log: Path, read: int | None) -> bool:
    """Whether records follow behind a damaged one up to the end of the file.

    `read` is the number of bytes that DuckDB has read of the log; None if it is 1,024 or more, which are told roundly.
    """
    data = log.read_bytes()
    broken = _end_of_first_records(data) if read is None else read
    return any(
        end == len(data) and count >= _SURE
        for end, count in (_records(data, at) for at in range(broken + 1, min(broken + _LONGEST, len(data))))
    )


def _end_of_first_records(data: bytes) -> int:
    found = (_records(data, at) for at in range(len(data)))
    return next((end for end, count in found if count >= _SURE), len(data))


def _records(data: bytes, at: int) -> tuple[int, int]:
    """Where the records that begin at a place end, and how many they are."""
    count = 0
    while at + _HEAD < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        if not 0 < length <= len(data) - at - _HEAD:
            break
        at += _HEAD + length
        count += 1
    return at, count
