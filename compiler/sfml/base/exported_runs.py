"""The files of `sfml history --export`: runs of one pipeline in one target, as JSON or as a Parquet table.

A document is the object of `schemas/output/history_export.schema.json`. The table has a row for each task of each run,
and its schema's metadata holds what the document says beside the runs. pyarrow reads and writes it; Snowflake's clients
bring it, and nothing else needs it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sfml.base.errors import NotSupportedYet, SfmlError, UsageError

FORMAT_VERSION = 1
JSON, PARQUET = ".json", ".parquet"
FORMATS = (JSON, PARQUET)
"""The endings of the files."""

_MAX_BYTES = 100_000_000
_MAX_ROWS = 1_000_000
_METADATA = b"sfml"
_OF_RUN = {
    "run_id": "run_id",
    "started_at": "started_at",
    "run_duration_ms": "duration_ms",
    "outcome": "outcome",
}
_OF_TASK = {"task": "name", "state": "state", "duration_ms": "duration_ms"}
"""Column → key of a run's or task's object."""

_HELP = "write it with  sfml history SPEC --export FILE"


def exported_document(file: Path) -> Mapping[str, Any]:
    """The document in a file; raises `UsageError` for a file that holds none, `NotSupportedYet` without pyarrow.

    It has `pipeline`, `target` and a list of `runs`; what is in the list is as somebody may have written it.
    """
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise UsageError(f"`{file}` is larger than 100 MB", help=_HELP)
        document: Any = _of_table(file) if is_parquet(file) else json.loads(file.read_text("utf-8"))
    except SfmlError:
        raise
    except (OSError, ValueError, RecursionError) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise UsageError(f"`{file}` cannot be read: {why}", help=_HELP) from cause
    is_right = (
        isinstance(document, dict)
        and document.get("format_version") == FORMAT_VERSION
        and isinstance(document.get("pipeline"), str)
        and isinstance(document.get("target"), str)
        and isinstance(document.get("runs"), list)
    )
    if not is_right:
        raise UsageError(f"`{file}` holds no exported runs", help=_HELP)
    found: Mapping[str, Any] = document
    return found


def exported_content(document: Mapping[str, Any], file: Path) -> bytes:
    """The content of the file for a document, in the format that its name ends with."""
    if is_parquet(file):
        return _table_content(document)
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def is_parquet(file: Path) -> bool:
    return file.suffix.lower() == PARQUET


# -- the table


def _arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as cause:
        raise NotSupportedYet(
            "Parquet needs pyarrow, which is not installed",
            help='pip install "sfml-snowflake[snowflake]", or name a file that ends in .json',
        ) from cause
    return pyarrow, pyarrow.parquet


def _schema(pyarrow: Any) -> Any:
    text, number = pyarrow.string(), pyarrow.int64()
    return pyarrow.schema(
        [
            ("pipeline", text),
            ("target", text),
            ("run_id", text),
            ("started_at", pyarrow.timestamp("us", tz="UTC")),
            ("run_duration_ms", number),
            ("outcome", text),
            ("task", text),
            ("state", text),
            ("duration_ms", number),
        ]
    )


def _table_content(document: Mapping[str, Any]) -> bytes:
    pyarrow, parquet = _arrow()
    beside = {key: value for key, value in document.items() if key != "runs"}
    schema = _schema(pyarrow).with_metadata({_METADATA: json.dumps(beside)})
    table = pyarrow.Table.from_pylist(list(_rows(document)), schema=schema)
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def _rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each task; one without a task for a run that has none."""
    place = {"pipeline": document["pipeline"], "target": document["target"]}
    for run in document["runs"]:
        own = {column: run[key] for column, key in _OF_RUN.items()}
        own["started_at"] = datetime.fromisoformat(run["started_at"]) if run["started_at"] else None
        tasks: Any = run["tasks"] or ({},)
        for task in tasks:
            yield {**place, **own, **{column: task.get(key) for column, key in _OF_TASK.items()}}


def _of_table(file: Path) -> dict[str, Any] | None:
    """The document of a table; None if no export wrote it. Raises `ValueError` for a file that is no table."""
    pyarrow, parquet = _arrow()
    try:
        with parquet.ParquetFile(file) as opened:
            beside = (opened.schema_arrow.metadata or {}).get(_METADATA)
            if beside is None or opened.schema_arrow.names != _schema(pyarrow).names:
                return None
            if opened.metadata.num_rows > _MAX_ROWS:
                raise UsageError(f"`{file}` has more than {_MAX_ROWS:,} rows", help=_HELP)
            batches = opened.iter_batches(columns=[*_OF_RUN, *_OF_TASK])
            runs = _runs(row for batch in batches for row in batch.to_pylist())
    except pyarrow.ArrowException as cause:
        raise ValueError(str(cause).partition("\n")[0]) from cause
    document = json.loads(beside)
    return {**document, "runs": runs} if isinstance(document, dict) else None


def _runs(rows: Iterator[Mapping[str, Any]]) -> list[dict[str, Any]]:
    runs: dict[str, dict[str, Any]] = {}
    for row in rows:
        run = runs.get(row["run_id"])
        if run is None:
            run = {key: row[column] for column, key in _OF_RUN.items()}
            started = row["started_at"]
            run["started_at"] = started.astimezone(UTC).isoformat() if started else None
            run["tasks"] = []
            runs[row["run_id"]] = run
        if row["task"] is not None:
            run["tasks"].append({key: row[column] for column, key in _OF_TASK.items()})
    return list(runs.values())
