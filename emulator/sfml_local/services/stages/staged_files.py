"""Staged files as tables: CSV with text columns C1, C2 …, JSON with one column C1, Parquet with its own columns."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core.engine import UnreadableFile
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.variants import plain, read_json, text_of
from sfml_local.core.place import Place
from sfml_local.services.stages.csv_rows import (
    CsvFormat,
    counted_rows,
    csv_rows,
    has_blank_lines,
    is_gzip,
    without_rows,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sfml_local.core.account import Account

FILE, NUMBER = "METADATA$FILENAME", "METADATA$FILE_ROW_NUMBER"
CONTENT, MODIFIED, STARTED = (
    "METADATA$FILE_CONTENT_KEY",
    "METADATA$FILE_LAST_MODIFIED",
    "METADATA$START_SCAN_TIME",
)
METADATA = (FILE, NUMBER, CONTENT, MODIFIED, STARTED)
"""https://docs.snowflake.com/en/user-guide/querying-metadata"""

_READ_CSV = """
SELECT * FROM read_csv(
    ?, delim = ?, quote = ?, skip = ?, nullstr = ?, header = ?, all_varchar = true, auto_detect = true,
    strict_mode = false, escape = ?, null_padding = ?, compression = ?
)
"""
_CSV_OPTIONS = frozenset(
    {"TYPE", "COMPRESSION", "FIELD_DELIMITER", "FIELD_OPTIONALLY_ENCLOSED_BY", "SKIP_HEADER", "NULL_IF"}
    | {"RECORD_DELIMITER", "EMPTY_FIELD_AS_NULL", "ENCODING", "FORMAT_NAME", "PARSE_HEADER", "ESCAPE"}
    | {"ESCAPE_UNENCLOSED_FIELD", "TRIM_SPACE", "ERROR_ON_COLUMN_COUNT_MISMATCH", "SKIP_BLANK_LINES"}
    | {"DATE_FORMAT", "TIME_FORMAT", "TIMESTAMP_FORMAT", "BINARY_FORMAT", "REPLACE_INVALID_CHARACTERS"}
)
_POSITION = re.compile(r"\$(\d+)")


def kind_of(options: dict[str, Any]) -> str:
    return str(options["TYPE"]).upper()


def read_file(
    account: Account,
    place: Place,
    key: str,
    options: dict[str, Any],
    *,
    ragged: bool = False,
    metadata: Collection[str] = (),
) -> pa.Table:
    """The rows of one file, with its name, the rows' numbers and this metadata; `ragged` rows are filled with NULLs."""
    kind, name = kind_of(options), str(place.file(key))
    if kind == "PARQUET":
        demand_values("PARQUET", options, _PARQUET)
        rows = parquet_rows([place.file(key)], logical=options.get("USE_LOGICAL_TYPE") is True)
    elif kind == "CSV":
        rows = _read_csv(account, place, key, options, ragged=ragged)
    elif kind == "JSON":
        with _readable(place.prefix + key):
            rows = _read_json(account, name, options)
    else:
        raise not_emulated(f"FILE_FORMAT TYPE = {kind}")
    return _with_metadata(account, place, key, rows, metadata)


def read_counted(
    account: Account, place: Place, key: str, options: dict[str, Any], width: int
) -> tuple[pa.Table, Mapping[int, int]]:
    """The rows of a CSV file for so many columns, and the number of fields of those that have others."""
    file, how = place.file(key), csv_format(options)
    with _readable(place.prefix + key):
        try:
            rows = account.engine.file_rows(_READ_CSV, _duckdb(file, how, ragged=False))
        except UnreadableFile:
            rows = None
        wrong: Mapping[int, int] = {}
        # DuckDB passes over blank lines, and counts the columns only to see whether all records have as many.
        if rows is None or (how.blank_lines and has_blank_lines(file)) or _has_others(rows, width):
            rows, wrong = counted_rows(file, how, width)
        elif not rows.num_rows:
            rows = without_rows(width)
    return _with_metadata(account, place, key, _trimmed(_numbered(rows), options), ()), wrong


def _has_others(rows: pa.Table, width: int) -> bool:
    return bool(rows.num_rows) and rows.num_columns != width


def _read_csv(account: Account, place: Place, key: str, options: dict[str, Any], *, ragged: bool) -> pa.Table:
    file, how = place.file(key), csv_format(options)
    try:
        rows = account.engine.file_rows(_READ_CSV, _duckdb(file, how, ragged=ragged))
    except UnreadableFile:
        # Rows of several lengths, or quotes within fields: DuckDB cannot detect the format of such files.
        with _readable(place.prefix + key):
            rows = csv_rows(file, how, ragged=ragged)
    return _trimmed(rows if how.header else _numbered(rows), options)


def _duckdb(file: Path, how: CsvFormat, *, ragged: bool) -> list[Any]:
    """The parameters of _READ_CSV."""
    nulls = list(how.nulls) or ["\0"]
    packed = "gzip" if is_gzip(file) else "auto"
    return [str(file), how.delimiter, how.quote, how.skip, nulls, how.header, how.escape, ragged, packed]


def _trimmed(rows: pa.Table, options: dict[str, Any]) -> pa.Table:
    if options.get("TRIM_SPACE") is not True:
        return rows
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.table([pc.utf8_trim_whitespace(one) for one in rows.columns], rows.column_names)


def _with_metadata(
    account: Account, place: Place, key: str, rows: pa.Table, wanted: Collection[str]
) -> pa.Table:
    """The rows with the path of their file in the stage and their numbers, and with the other metadata that is read."""
    import pyarrow as pa

    count = rows.num_rows
    rows = rows.append_column(FILE, pa.array([key] * count, pa.string()))
    rows = rows.append_column(NUMBER, pa.array(range(1, count + 1), pa.int64()))
    for name in METADATA[2:]:
        if name in wanted:
            rows = rows.append_column(name, pa.repeat(_metadata(account, place.file(key), name), count))
    return rows


def _metadata(account: Account, file: Path, name: str) -> pa.Scalar:
    """What is told of a file: the moment of its last change has no zone, that of the reading has one."""
    import pyarrow as pa

    if name == CONTENT:
        return pa.scalar(md5(file), pa.string())
    if name == MODIFIED:
        modified = datetime.datetime.fromtimestamp(int(file.stat().st_mtime), datetime.UTC)
        return pa.scalar(modified.replace(tzinfo=None), pa.timestamp("us"))
    return pa.scalar(account.clock(), pa.timestamp("us", "UTC"))


def metadata_in(*trees: Expr) -> frozenset[str]:
    """The names of metadata that statements read."""
    columns = (node for tree in trees for node in tree.find_all(exp.Column))
    return frozenset(name for node in columns if (name := node.name.upper()) in METADATA)


@contextlib.contextmanager
def _readable(file: str) -> Iterator[None]:
    """Refuse a file that is no text, or no JSON. The sentences are those of accounts, the codes are not recorded."""
    try:
        yield
    except UnicodeDecodeError as cause:
        wrong = cause.object[cause.start : cause.start + 1].hex()
        raise SqlError(
            f"Invalid UTF8 detected in string '0x{wrong}'\n  File '{file}'", 100144, "22000"
        ) from cause
    except UnreadableFile as cause:
        raise SqlError(f"Error parsing JSON: {file}", 100069, "22P02") from cause
    except RecursionError as cause:
        said = f"A document is nested too deeply for the local server.\n  File '{file}'"
        raise SqlError(said, 1003, "54001") from cause


def md5(file: Path) -> str:
    """The digest of a file in LIST."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def parquet_rows(files: Sequence[Path], *, logical: bool = True) -> pa.Table:
    """The rows of Parquet files, which may have different columns.

    Without USE_LOGICAL_TYPE, only older annotations of a file are used, which pandas' times lack: they become
    the stored integers. https://docs.snowflake.com/en/sql-reference/sql/create-file-format
    """
    import pyarrow.parquet as pq

    return concatenated([_stored(pq.ParquetFile(str(file)), logical=logical) for file in files])


def _stored(file: pq.ParquetFile, *, logical: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, annotated = file.read(), {}
    for index in range(len(file.schema)):
        column = file.schema.column(index)
        annotated[column.path] = column.converted_type != "NONE"
    for index, field in enumerate(rows.schema):
        kind = field.type
        is_time = pa.types.is_time(kind) or pa.types.is_timestamp(kind)
        is_told = annotated.get(field.name, False) and not (pa.types.is_timestamp(kind) and kind.tz is None)
        # Parquet has no type for durations; only Arrow's metadata in the file shows them.
        if pa.types.is_duration(kind) or (is_time and not logical and not is_told):
            width = pa.int32() if kind.bit_width == 32 else pa.int64()
            rows = rows.set_column(index, field.name, rows.column(index).cast(width).cast(pa.int64()))
        elif pa.types.is_timestamp(kind) and kind.tz is not None and not logical:
            # The older annotation has no zone: tests of Snowpark record TIMESTAMP_NTZ.
            rows = rows.set_column(
                index, field.name, pc.local_timestamp(rows.column(index).cast(pa.timestamp(kind.unit, "UTC")))
            )
    return rows


def _read_json(account: Account, name: str, options: dict[str, Any]) -> pa.Table:
    """One row per document; with STRIP_OUTER_ARRAY one row per element."""
    unknown = options.keys() - {"TYPE", "STRIP_OUTER_ARRAY", "COMPRESSION", "FORMAT_NAME", "FILE_EXTENSION"}
    if unknown:
        raise not_emulated(f"FILE_FORMAT (TYPE = JSON {' '.join(sorted(unknown))})")
    how = "auto" if options.get("STRIP_OUTER_ARRAY") is True else "unstructured"
    packed = "gzip" if is_gzip(Path(name)) else "auto"
    rows = account.engine.file_rows(
        f"SELECT CAST(json AS VARCHAR) FROM read_json_objects(?, format = '{how}', compression = ?)",
        [name, packed],
    )
    return _documents(text_of(read_json(text)) for text in rows.column(0).to_pylist())


def _documents(texts: Iterable[str | None]) -> pa.Table:
    """Documents as the column C1; their keys are sorted, as a VARIANT has them."""
    import pyarrow as pa

    return pa.table([pa.array(texts, pa.string())], ["C1"])


def concatenated(tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables, promote_options="default")


def keys_of(place: Place, files: Sequence[str] | None, pattern: str | None) -> list[str]:
    """The paths of the files selected by a location, FILES and PATTERN."""
    keys = list(place.paths())
    if files:
        base = place.path.rstrip("/")
        wanted = {f"{base}/{name}".lstrip("/") for name in files}
        keys = [key for key in keys if key in wanted]
    return [key for key in keys if pattern is None or re.fullmatch(pattern, key)]


def csv_format(options: dict[str, Any]) -> CsvFormat:
    """How CSV files with these options are read; refuses options that have no effect here."""
    unknown = options.keys() - _CSV_OPTIONS
    demand_values("CSV", options, _CSV)
    if unknown:
        raise not_emulated(f"FILE_FORMAT (TYPE = CSV {' '.join(sorted(unknown))})")
    quote = options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
    quote = "" if quote is None or str(quote).upper() == "NONE" else str(quote)
    escape = options.get("ESCAPE", "NONE")
    nulls = options.get("NULL_IF", ["\\N"])
    empty = [""] if options.get("EMPTY_FIELD_AS_NULL", True) is True else []
    delimiter = options.get("FIELD_DELIMITER", ",")
    return CsvFormat(
        "\0" if str(delimiter).upper() == "NONE" else delimiter,
        quote,
        int(options.get("SKIP_HEADER", 0)),
        (*(nulls if isinstance(nulls, list) else [nulls]), *empty),
        options.get("PARSE_HEADER") is True,
        quote if str(escape).upper() == "NONE" else str(escape),
        options.get("SKIP_BLANK_LINES") is not True,
    )


NEWLINES = ("\n", "\\N", "\r\n", "\\R\\N", "\r", "\\R")
_CSV: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("DATE_FORMAT", "TIME_FORMAT", "TIMESTAMP_FORMAT"), ("AUTO",)),
    "BINARY_FORMAT": ("HEX",),
    "ENCODING": ("UTF8", "UTF-8"),
    "RECORD_DELIMITER": NEWLINES,
}
_PARQUET: Mapping[str, tuple[str, ...]] = {"TRIM_SPACE": ("FALSE",), "NULL_IF": ("[]",)}
"""The values, in upper case, of options that can have no other here."""


def demand_values(kind: str, options: dict[str, Any], possible: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse values without their effect."""
    for name in possible.keys() & options.keys():
        if str(options[name]).upper() not in possible[name]:
            raise not_emulated(f"FILE_FORMAT (TYPE = {kind} {name} = {options[name]!r})")


def _numbered(rows: pa.Table) -> pa.Table:
    return rows.rename_columns([f"C{index + 1}" for index in range(rows.num_columns)])


def data_columns(rows: pa.Table) -> list[str]:
    return [name for name in rows.column_names if name not in METADATA]


# -- $1, $1:"name" and METADATA$FILENAME ----------------------------------------------------------------------------


def over_staged(tree: Expr, rows: pa.Table, kind: str, name: str | None = None) -> tuple[Expr, pa.Table]:
    """The tree with references to staged rows as columns, and the rows with the additional columns that it reads.

    `name` is the alias of the rows in a query.
    """
    if kind == "PARQUET" and any(_is_whole(node, name) for node in tree.walk()):
        rows = with_documents(rows)
    found = tree.transform(lambda node: _replaced(node, rows, kind, name))
    return found, rows


def _replaced(node: Expr, rows: pa.Table, kind: str, name: str | None) -> Expr:
    if isinstance(node, exp.JSONExtract) and _position(node.this, name) == 1 and kind == "PARQUET":
        parts = [part.this for part in node.expression.expressions if isinstance(part, exp.JSONPathKey)]
        if len(parts) == 1:
            return column(parts[0], name) if parts[0] in rows.column_names else exp.null()
    if (position := _position(node, name)) is not None:
        if kind == "JSON" or kind == "PARQUET":
            return exp.ParseJSON(this=column("C1", name)) if position == 1 else exp.null()
        own = data_columns(rows)
        return column(own[position - 1], name) if position <= len(own) else exp.null()
    if isinstance(node, exp.Column) and node.name.upper() in METADATA:
        return column(node.name.upper(), name)
    return node


def _position(node: Any, name: str | None) -> int | None:
    """The number of `$1` and `t.$1`."""
    if isinstance(node, exp.Column) and (not node.table or node.table.upper() == (name or "").upper()):
        node = node.this
        if isinstance(node, exp.Identifier) and (found := _POSITION.fullmatch(node.name)):
            return int(found[1])  # Snowpark writes "$1"
    elif isinstance(node, exp.Parameter) and isinstance(node.parent, exp.Column):
        return None  # met as its column
    if isinstance(node, exp.Parameter) and isinstance(node.this, exp.Literal) and node.this.is_int:
        return int(node.this.this)
    return None


def _is_whole(node: Expr, name: str | None) -> bool:
    parent = node.parent
    if _position(node, name) != 1:
        return False
    if not isinstance(parent, exp.JSONExtract) or parent.this is not node:
        return True
    return sum(isinstance(part, exp.JSONPathKey) for part in parent.expression.expressions) != 1


def with_documents(rows: pa.Table) -> pa.Table:
    """Parquet rows with the JSON text of each row as C1."""
    documents = _documents(text_of(plain(row)) for row in rows.select(data_columns(rows)).to_pylist())
    return rows.append_column("C1", documents.column(0))


def column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(table) if table else None)


def staged_tables(tree: Expr) -> Iterator[exp.Table]:
    """The tables of a statement that are locations in stages."""
    for node in tree.find_all(exp.Table):
        this = node.this
        if (isinstance(this, exp.Var) or (isinstance(this, exp.Literal) and this.is_string)) and str(
            this.this
        ).startswith(("@", "snow://")):
            yield node
