"""Spans and their events, which a process has written into a file beside its log, as rows of the event table.

https://docs.snowflake.com/en/developer-guide/logging-tracing/event-table-columns
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1)


def span_rows(file: Path, resource: str) -> Iterator[tuple[Any, ...]]:
    """A SPAN for each line of the file, and a SPAN_EVENT for each event in it."""
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            span = json.loads(line)
        except ValueError:  # the process was killed while it wrote
            continue
        trace = json.dumps({"span_id": span["span_id"], "trace_id": span["trace_id"]})
        scope = json.dumps({"name": span["scope"]}) if span.get("scope") else None
        record = {"kind": span["kind"], "name": span["name"], "status": {"code": span["status"]}}
        if "parent_span_id" in span:
            record["parent_span_id"] = span["parent_span_id"]
        common = (None, trace, None, resource, scope, None)
        yield (
            *(_time(span["end"]), _time(span["start"]), *common),
            *("SPAN", json.dumps(record), json.dumps(span["attributes"]), None, None),
        )
        for event in span["events"]:
            yield (
                *(_time(event["time"]), None, *common),
                *(
                    "SPAN_EVENT",
                    json.dumps({"name": event["name"]}),
                    json.dumps(event["attributes"]),
                    None,
                    None,
                ),
            )


def _time(nanoseconds: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(microseconds=nanoseconds // 1000)
