"""Reads CSV files record by record, if DuckDB cannot detect their format."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, not_emulated

if TYPE_CHECKING:
    import pyarrow as pa


def csv_rows(
    path: Path,
    delimiter: str,
    quote: str,
    skip: int,
    nulls: list[str],
    header: bool,
    escape: str,
    *,
    ragged: bool,
) -> pa.Table:
    """The records as text columns; shorter ones are filled with NULLs if `ragged`, else refused."""
    import pyarrow as pa

    if len(delimiter) != 1:
        raise not_emulated(f"FIELD_DELIMITER = '{delimiter}' in a file whose records differ")
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        for _ in range(skip):
            file.readline()
        reader = csv.reader(
            file,
            delimiter=delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            escapechar=escape if escape and escape != quote else None,
        )
        records = [record for record in reader if record]
    names = records.pop(0) if header and records else []
    width = len(names) or max(map(len, records), default=0)
    if not ragged:
        for number, record in enumerate(records, 1):
            if len(record) != width:
                raise SqlError(
                    f"Number of columns in file ({len(record)}) does not match that of the others ({width}), use file "
                    f"format option error_on_column_count_mismatch=false to ignore this error\n  row {number}",
                    100080,
                    "22000",
                )
    empty = set(nulls)
    columns = [
        [None if len(record) <= index or record[index] in empty else record[index] for record in records]
        for index in range(width)
    ]
    kept = names or [f"C{index + 1}" for index in range(width)]
    return pa.table({name: pa.array(values, pa.string()) for name, values in zip(kept, columns, strict=True)})
