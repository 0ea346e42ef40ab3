"""SNOWFLAKE.TELEMETRY.EVENTS: the output of procedures and jobs, where an account's default event table has it.

https://docs.snowflake.com/en/developer-guide/logging-tracing/event-table-columns
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.local.result import Column, Result

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session

COLUMNS = (
    Column("TIMESTAMP", "timestamp_ntz"),
    Column("START_TIMESTAMP", "timestamp_ntz"),
    Column("OBSERVED_TIMESTAMP", "timestamp_ntz"),
    Column("TRACE", "object"),
    Column("RESOURCE", "object"),
    Column("RESOURCE_ATTRIBUTES", "object"),
    Column("SCOPE", "object"),
    Column("SCOPE_ATTRIBUTES", "object"),
    Column("RECORD_TYPE"),
    Column("RECORD", "object"),
    Column("RECORD_ATTRIBUTES", "object"),
    Column("VALUE", "variant"),
    Column("EXEMPLARS", "array"),
)
FILES = 500
"""How many of the latest logs are read; older ones stay on disk."""


def events(account: Account, session: Session) -> Result:
    """A row for every line of the latest logs, in order."""
    files = sorted(account.logs_folder.glob("*.log"), key=lambda path: path.stat().st_mtime)[-FILES:]
    return Result(COLUMNS, tuple(row for file in files for row in _rows(file)))


def _rows(file: Path) -> Iterator[tuple[Any, ...]]:
    """The lines carry no time of their own: they count on from when the file was last written."""
    written = datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC).replace(tzinfo=None)
    attributes = json.dumps({"snow.query.id": file.stem, "db.user": "SFML"})
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for index, line in enumerate(lines):
        time = written + datetime.timedelta(microseconds=index)
        yield (
            *(time, None, time, None, None, attributes, None, None, "LOG"),
            *('{"severity_text": "INFO"}', None, json.dumps(line, ensure_ascii=False), None),
        )


RELATIONS = {"SNOWFLAKE.TELEMETRY.EVENTS": events}
