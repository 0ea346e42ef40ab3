"""SNOWFLAKE.TELEMETRY.EVENTS: output and spans of procedures and jobs, as in an account's default event table.

https://docs.snowflake.com/en/developer-guide/logging-tracing/event-table-columns
"""

from __future__ import annotations

import bisect
import datetime
import glob
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core.needed_passes import looks_for
from sfml_local.core.result import Column, Result
from sfml_local.core.rewriting import dotted
from sfml_local.services.telemetry.spans import span_rows

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.rewriting import Rewriting

NAME = "SNOWFLAKE.TELEMETRY.EVENTS"
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
SPANS = ".spans"
"""The suffix of the file beside a log that has its spans."""
QUERY_ID = "snow.query.id"
INSTANCE = "snow.service.container.instance"
_EPOCH = datetime.datetime(1970, 1, 1)


@looks_for(exp.Table)
def event_table(tree: Expr, rewriting: Rewriting) -> Expr:
    """The event table, of one query if the statement names one."""
    for node in list(tree.find_all(exp.Table)):
        if isinstance(node.this, exp.Identifier) and ".".join(dotted(part) for part in node.parts) == NAME:
            result = events(rewriting.account, wanted_query(node))
            node.replace(rewriting.relation(result, node.args.get("alias")))
    return tree


def wanted_query(table: exp.Table) -> str | None:
    """The query id in the WHERE of the SELECT, so that other logs need not be read."""
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    if where is None:
        return None
    conditions = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    for condition in conditions:
        if isinstance(condition, exp.EQ):
            sides = (condition.this, condition.expression)
            names = any(literal.this == QUERY_ID for side in sides for literal in side.find_all(exp.Literal))
            values = [side.this for side in sides if isinstance(side, exp.Literal) and side.is_string]
            if names and len(values) == 1:
                return str(values[0])
    return None


def events(account: Account, query_id: str | None = None) -> Result:
    """A row for every line, span and event of every log, or of one query's logs, in the order of their times."""
    if query_id:  # includes further instances of a job, whose logs have their numbers
        numbered = account.logs_folder.glob(f"{glob.escape(query_id)}.*.log")
        files = [account.logs_folder / f"{query_id}.log", *numbered]
    else:
        files = list(account.logs_folder.glob("*.log"))
    inside = (file for file in files if file.parent == account.logs_folder and file.is_file())
    rows = [row for file in inside for row in _rows(file)]
    return Result(COLUMNS, tuple(sorted(rows, key=lambda row: row[0])))


def _rows(file: Path) -> Iterator[tuple[Any, ...]]:
    query_id, _, instance = file.stem.partition(".")
    named = {INSTANCE: instance} if instance else {}
    attributes = json.dumps({QUERY_ID: query_id, "db.user": "SFML", **named})
    if (spans := file.with_suffix(SPANS)).is_file():
        yield from span_rows(spans, attributes)
    for time, line in lines(file):
        yield (
            *(time, None, time, None, None, attributes, None, None, "LOG"),
            *('{"severity_text": "INFO"}', None, json.dumps(line, ensure_ascii=False), None),
        )


def lines(file: Path) -> Iterator[tuple[datetime.datetime, str]]:
    """The lines of a log with strictly increasing times."""
    offsets, moments = _times(file)
    start, last = 0, 0
    for raw in file.read_bytes().splitlines(keepends=True):
        # The server writes lines before the first recorded time, just before it starts the process.
        index = max(0, bisect.bisect_right(offsets, start) - 1)
        # Lines with the same time keep their order by differing in microseconds.
        last = max(moments[index], last + 1)
        yield _EPOCH + datetime.timedelta(microseconds=last), raw.rstrip(b"\r\n").decode(errors="replace")
        start += len(raw)


def _times(file: Path) -> tuple[list[int], list[int]]:
    """The supervisor's records: the first byte, and its time in microseconds since 1970."""
    noted = file.with_suffix(".times")
    pairs = [line.split() for line in noted.read_text("ascii").splitlines()] if noted.exists() else []
    whole = [(int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2]
    if not whole:
        return [0], [file.stat().st_mtime_ns // 1000]
    return [offset for offset, _ in whole], [moment for _, moment in whole]
