"""Results in the connector's protocol: Arrow for queries, JSON strings for everything else."""

from __future__ import annotations

import datetime
import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

from sfml_local.core.arrow import ipc
from sfml_local.core.json_layout import SPACES, laid_out
from sfml_local.core.result import ArrowRows, Column, Result

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def rowtype(column: Column) -> dict[str, Any]:
    """A column's description in a response."""
    text = column.type == "text"
    binary = column.type == "binary"
    length = column.length or (16777216 if text else 8388608 if binary else None)
    fixed = column.type == "fixed"
    temporal = column.type.startswith("time")
    return {
        "name": column.name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": column.nullable,
        "type": column.type,
        "byteLength": length,
        "length": length,
        "scale": column.scale if column.scale is not None else (9 if temporal else 0 if fixed else None),
        "precision": column.precision
        if column.precision is not None
        else (38 if fixed else 0 if temporal else None),
        "collation": None,
    }


def payload(result: Result, spaces: int = SPACES, *, as_json: bool = False) -> dict[str, Any]:
    """The part of a response that holds the rows; `spaces` is the session's JSON_INDENT."""
    described = [rowtype(column) for column in result.columns]
    count = len(result.rows)
    body: dict[str, Any] = {"rowtype": described, "total": count, "returned": count, **_stats(result)}
    is_dml = 0x3000 <= result.statement_type_id < 0x4000
    if isinstance(result.rows, ArrowRows) and not is_dml and not as_json:
        # The connector reads an empty text as an empty frame, and fails on a stream without a batch.
        encoded = b64encode(ipc(result.rows.table, result.columns, spaces)).decode("ascii") if count else ""
        return {**body, "queryResultFormat": "arrow", "rowsetBase64": encoded}
    rowset = [
        [json_value(value, column, spaces) for value, column in zip(row, result.columns, strict=True)]
        for row in result.rows
    ]
    return {**body, "queryResultFormat": "json", "rowset": rowset}


_COUNTS = {
    "number of rows inserted": "numRowsInserted",
    "number of rows deleted": "numRowsDeleted",
    "number of rows updated": "numRowsUpdated",
    "number of multi-joined rows updated": "numDmlDuplicates",
}


def _stats(result: Result) -> dict[str, Any]:
    """What a change has done, for the connector's `cursor.stats`; nothing of one that has changed nothing."""
    if not 0x3000 <= result.statement_type_id < 0x4000 or len(result.rows) != 1:
        return {}
    counts = dict.fromkeys(_COUNTS.values(), 0)
    for column, value in zip(result.columns, result.rows[0], strict=True):
        if column.name in _COUNTS:
            counts[_COUNTS[column.name]] = int(value)
    return {"stats": counts} if any(counts.values()) else {}


def json_value(value: Any, column: Column, spaces: int = SPACES) -> str | None:
    """One value in the JSON format: everything is a string, times are seconds since 1970."""
    if value is None:
        return None
    match column.type:
        case "boolean":
            return "1" if value else "0"
        case "date" if isinstance(value, datetime.date):
            return str((value - _EPOCH.date()).days)
        case "time" if isinstance(value, datetime.time):
            return _seconds(datetime.datetime.combine(_EPOCH.date(), value))
        case "timestamp_ntz" | "timestamp_ltz" if isinstance(value, datetime.datetime):
            return _seconds(value)
        case "timestamp_tz" if isinstance(value, datetime.datetime):
            offset = value.utcoffset() or datetime.timedelta()
            return f"{_seconds(value)} {int(offset.total_seconds() // 60) + 1440}"
        case "variant" | "object" | "array":
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            return laid_out(shown, spaces)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _seconds(value: datetime.datetime) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    since = aware - _EPOCH
    microseconds = (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
    return format(Decimal(microseconds).scaleb(-6), ".9f")
