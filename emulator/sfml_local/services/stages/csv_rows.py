"""Reads CSV files record by record: where DuckDB cannot detect their format, and where errors are to be placed."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from sfml_local.core.errors import SqlError, not_emulated

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How the records of a file are told apart; `skip` lines come before them."""

    delimiter: str = ","
    quote: str = ""
    skip: int = 0
    nulls: tuple[str, ...] = ()
    header: bool = False
    escape: str = ""
    blank_lines: bool = True
    """Whether a blank line is a record with one empty field."""


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """The fields of a record, the number of its first line, from 0, and how many lines it has."""

    fields: Sequence[str]
    line: int
    lines: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file: line and character from 1, the offset in bytes from 0; and the record that it is in."""

    line: int
    character: int
    offset: int
    record_line: int
    record: str


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file's lines, the names in its header, and its records."""

    lines: Sequence[str]
    names: Sequence[str]
    records: Sequence[CsvRecord]
    format: CsvFormat

    def field(self, record: int, index: int) -> Position:
        """Where a field begins, its quote included."""
        starts = self._starts(record)
        return self._at(record, starts[min(index, len(starts) - 1)])

    def surplus(self, record: int, width: int) -> Position:
        """The delimiter before the first field that is too many."""
        return self._at(record, self._starts(record)[width] - 1)

    def end(self, record: int) -> Position:
        """The end of a record, before its line ends."""
        return self._at(record, len(self._text(record).rstrip("\r\n")))

    def after(self, record: int) -> Position:
        """The beginning of the next line, or the end of the record if it is the last one."""
        one, end = self.records[record], self.end(record)
        following = one.line + one.lines
        if following >= len(self.lines):
            return end
        return Position(following + 1, 1, self._offset(following), end.record_line, end.record)

    def _text(self, record: int) -> str:
        one = self.records[record]
        return "".join(self.lines[one.line : one.line + one.lines])

    def _offset(self, line: int) -> int:
        return sum(len(one.encode()) for one in self.lines[:line])

    def _at(self, record: int, index: int) -> Position:
        one, text = self.records[record], self._text(record)
        before = text[:index]
        is_last = record == len(self.records) - 1
        return Position(
            one.line + before.count("\n") + 1,
            len(before) - (before.rfind("\n") + 1) + 1,
            self._offset(one.line) + len(before.encode()),
            one.line + 1,
            text.rstrip("\r\n") if is_last else text,
        )

    def _starts(self, record: int) -> list[int]:
        """Where the fields of a record begin in its text."""
        text, starts, within, index = self._text(record), [0], False, 0
        how = self.format
        while index < len(text):
            character = text[index]
            if how.escape and character == how.escape != how.quote:
                index += 1
            elif how.quote and character == how.quote:
                within = not within
            elif character == how.delimiter and not within:
                starts.append(index + 1)
            index += 1
        return starts


def read_csv(path: Path, how: CsvFormat) -> CsvFile:
    """The records of a file; raises UnicodeDecodeError if it is no text."""
    if len(how.delimiter) != 1:
        raise not_emulated(f"FIELD_DELIMITER = '{how.delimiter}' in a file whose records differ")
    with opened(path) as file:
        lines = file.readlines()
    reader = csv.reader(
        iter(lines[how.skip :]),
        delimiter=how.delimiter,
        quotechar=how.quote or None,
        quoting=csv.QUOTE_MINIMAL if how.quote else csv.QUOTE_NONE,
        escapechar=how.escape if how.escape and how.escape != how.quote else None,
    )
    records, before = [], 0
    for fields in reader:
        if fields or how.blank_lines:
            records.append(CsvRecord(fields or [""], how.skip + before, reader.line_num - before))
        before = reader.line_num
    names = records.pop(0).fields if how.header and records else ()
    return CsvFile(lines, names, records, how)


def opened(path: Path) -> TextIO:
    """A file as text, unpacked if it is packed."""
    if is_gzip(path):
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


def is_gzip(path: Path) -> bool:
    """Whether a file is packed: an unloaded one may have any name."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def has_blank_lines(path: Path) -> bool:
    """Whether a line of a file is empty."""
    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        return any(line in (b"\n", b"\r\n") for line in cast("Iterator[bytes]", file))


def csv_rows(path: Path, how: CsvFormat, *, ragged: bool) -> pa.Table:
    """The records as text columns; shorter ones are filled with NULLs if `ragged`, else refused."""
    found = read_csv(path, replace(how, blank_lines=False))
    width = len(found.names) or max((len(one.fields) for one in found.records), default=0)
    if not ragged:
        for number, one in enumerate(found.records, 1):
            if len(one.fields) != width:
                raise SqlError(
                    f"Number of columns in file ({len(one.fields)}) does not match that of the others ({width}), use "
                    f"file format option error_on_column_count_mismatch=false to ignore this error\n  row {number}",
                    100080,
                    "22000",
                )
    return _table(found, found.names or _numbers(width))


def counted_rows(path: Path, how: CsvFormat, width: int) -> tuple[pa.Table, Mapping[int, int]]:
    """The first `width` fields of the records, and how many those have that have more or fewer."""
    found = read_csv(path, how)
    wrong = {row: len(one.fields) for row, one in enumerate(found.records) if len(one.fields) != width}
    return _table(found, _numbers(width)), wrong


def without_rows(width: int) -> pa.Table:
    """So many text columns without a row."""
    import pyarrow as pa

    return pa.table({name: pa.array([], pa.string()) for name in _numbers(width)})


def _numbers(width: int) -> Sequence[str]:
    return [f"C{index + 1}" for index in range(width)]


def _table(file: CsvFile, names: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    empty, rows = set(file.format.nulls), [one.fields for one in file.records]
    columns = [
        [None if len(row) <= index or row[index] in empty else row[index] for row in rows]
        for index in range(len(names))
    ]
    return pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)}
    )
