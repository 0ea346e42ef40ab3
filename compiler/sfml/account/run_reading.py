"""Fits rows and records of graph runs together that were read one after another while runs went on; pure.

Records are read first: if one says that a run has ended, the rows that are read after it are complete. A run that
begins between the two has rows without a record, and its first rows alone may look like a run that has ended; so
records are read once more then, and what they say of its end is left out, because the rows may be older.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sfml.account.history import ENDED, GraphRow, TaskRow

_RECORDS_LAST = timedelta(hours=1)
"""How long a record is kept: https://docs.snowflake.com/en/sql-reference/functions/complete_task_graphs"""


def are_older(records: Iterable[GraphRow], rows: Iterable[TaskRow], now: datetime) -> bool:
    """Whether rows tell of an attempt that began after the records were read."""
    known = {(record.run_group, record.attempt) for record in records}
    return any(
        (row.run_group, row.attempt) not in known and _has_record(row, now - _RECORDS_LAST)
        for row in rows
        if row.run_group
    )


def _has_record(row: TaskRow, since: datetime) -> bool:
    """Whether Snowflake has a record of this row's attempt. A root that is skipped leaves none."""
    at = row.started_at or row.scheduled_time
    return row.state not in ("SCHEDULED", "SKIPPED") and at is not None and at > since


def with_later(records: Iterable[GraphRow], later: Iterable[GraphRow]) -> tuple[GraphRow, ...]:
    """These records, and of those that were read after the rows the attempts that they lack, as still executing."""
    first = tuple(records)
    known = {(record.run_group, record.attempt) for record in first}
    return (*first, *(_begun(one) for one in later if (one.run_group, one.attempt) not in known))


def as_of(rows: Iterable[TaskRow], records: Iterable[GraphRow]) -> tuple[GraphRow, ...]:
    """Records that were read after these rows: an attempt of which a task still ran then had not ended."""
    running = {(row.run_group, row.attempt) for row in rows if row.state == "EXECUTING"}
    return tuple(_begun(one) if (one.run_group, one.attempt) in running else one for one in records)


def _begun(record: GraphRow) -> GraphRow:
    if record.state not in ENDED:
        return record
    return replace(
        record, state="EXECUTING", completed_at=None, error_task=None, error_code=None, error_message=None
    )
