"""COPY INTO a location: the rows of a query written to a stage as CSV, JSON or Parquet.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml_local.core.arrow import as_table, narrowed
from sfml_local.core.errors import SqlError, invalid_parameter, invalid_value, not_emulated
from sfml_local.core.place import Place, within
from sfml_local.core.result import Result, columns, table
from sfml_local.grammar.copying import CopyIntoLocation
from sfml_local.grammar.options import written
from sfml_local.grammar.quoting import duckdb_literal, quoted
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.staged_files import NEWLINES, demand_values, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_FLAGS = frozenset({"HEADER", "SINGLE", "OVERWRITE", "INCLUDE_QUERY_ID", "DETAILED_OUTPUT"})
_OPTIONS = frozenset({"FILE_FORMAT", "MAX_FILE_SIZE", "VALIDATION_MODE"}) | _FLAGS
_FORMAT = frozenset(
    {"TYPE", "COMPRESSION", "FIELD_DELIMITER", "FIELD_OPTIONALLY_ENCLOSED_BY", "NULL_IF", "FILE_EXTENSION"}
    | {"EMPTY_FIELD_AS_NULL", "RECORD_DELIMITER", "SNAPPY_COMPRESSION", "SKIP_HEADER", "ESCAPE"}
)
_EXTENSION = {"CSV": "csv", "JSON": "json", "PARQUET": "parquet"}
_CODEC = {"CSV": "gzip", "JSON": "gzip", "PARQUET": "snappy"}
_PACKED = {"gzip": ".gz", "zstd": ".zst", "snappy": ".snappy"}
_MAX_FILE_SIZE = 16 << 20
_PARTITION = "_sfml_partition"


@dataclass(frozen=True, slots=True)
class Unload:
    """A statement with the place and the format of its files."""

    statement: CopyIntoLocation
    place: Place
    settings: Mapping[str, Any]
    kind: str
    codec: str
    query_id: str

    @property
    def given(self) -> Mapping[str, Any]:
        return self.statement.options

    @property
    def most(self) -> int:
        """The bytes that a file may have."""
        return int(self.given.get("MAX_FILE_SIZE", _MAX_FILE_SIZE))

    def key(self, folder: str | None, number: int) -> str:
        """The path of a file: of its partition, else as given for a single one, else Snowflake's data_0_0_0."""
        path = self.place.path
        if folder is not None:
            base = f"{path.rstrip('/')}/" if path else ""
            return f"{base}{folder}/data_{self.query_id}_001_{number}_0{self._ending}"
        if self.given.get("SINGLE") is True:
            return f"{path}data" if not path or path.endswith("/") else path
        start = f"{path}data" if not path or path.endswith("/") else path
        middle = f"_{self.query_id}" if self.given.get("INCLUDE_QUERY_ID") is True else ""
        return f"{start}{middle}_0_0_{number}{self._ending}"

    @property
    def _ending(self) -> str:
        if extension := str(self.settings.get("FILE_EXTENSION", "")):
            return f".{extension.lstrip('.')}"
        packed = _PACKED.get(self.codec, "")
        return f"{packed}.parquet" if self.kind == "PARQUET" else f".{_EXTENSION[self.kind]}{packed}"


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A file: its path, its size as it is and unpacked, and its rows."""

    key: str
    size: int
    unpacked: int
    rows: int


def copy_into_location(account: Account, session: Session, statement: CopyIntoLocation) -> Result:
    """Write the rows of a query to files; one row with the numbers of rows and bytes, or one for each file."""
    unload = _resolved(account, session, statement)
    if "VALIDATION_MODE" in statement.options:
        return account.execute(session, statement.query)
    result = account.execute(session, _query(statement))
    _demand_documents(unload, result)
    rows = narrowed(as_table(result))
    files = [
        file for folder, part in _parts(statement, rows) for file in _written(account, unload, folder, part)
    ]
    if statement.options.get("DETAILED_OUTPUT") is True:
        base = unload.place.path.rpartition("/")[0]
        named = ((one.key.removeprefix(base).lstrip("/"), one.size, one.rows) for one in files)
        return table(columns("FILE_NAME FILE_SIZE:fixed ROW_COUNT:fixed"), list(named))
    counts = columns("rows_unloaded:fixed input_bytes:fixed output_bytes:fixed")
    return table(
        counts, [(rows.num_rows, sum(one.unpacked for one in files), sum(one.size for one in files))]
    )


def _resolved(account: Account, session: Session, statement: CopyIntoLocation) -> Unload:
    _check(statement)
    place = locate(account, session, statement.target)
    if not place.writable:
        raise SqlError(f"Files cannot be written to '{statement.target}'.", 1011, "42601")
    settings = format_options(account, session, statement.options.get("FILE_FORMAT"), place)
    kind = kind_of(settings)
    unknown = settings.keys() - _FORMAT
    if kind not in _EXTENSION or unknown:
        raise not_emulated(
            f"COPY INTO a location with FILE_FORMAT (TYPE = {kind} {' '.join(sorted(unknown))})"
        )
    demand_values(kind, settings, {"RECORD_DELIMITER": NEWLINES[:2], "ESCAPE": ("NONE",)})
    return Unload(statement, place, settings, kind, _codec(kind, settings), account.query_id)


def _check(statement: CopyIntoLocation) -> None:
    given = statement.options
    for key, value in given.items():
        if key not in _OPTIONS:
            raise invalid_parameter(key)
        if key in _FLAGS and not isinstance(value, bool):
            raise invalid_value(written(value), key)
    most = given.get("MAX_FILE_SIZE", 1)
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise invalid_value(written(most), "MAX_FILE_SIZE")
    if str(given.get("VALIDATION_MODE", "RETURN_ROWS")).upper() != "RETURN_ROWS":
        raise invalid_value(written(given["VALIDATION_MODE"]), "VALIDATION_MODE")
    if statement.partition_by is not None:
        for key, value in (("SINGLE", True), ("OVERWRITE", True), ("INCLUDE_QUERY_ID", False)):
            if given.get(key) is value:
                message = (
                    f"SQL compilation error:\n{key} = {str(value).upper()} cannot be used with PARTITION BY."
                )
                raise SqlError(message, 2, "0A000")


def _codec(kind: str, options: Mapping[str, Any]) -> str:
    word = str(options.get("COMPRESSION", "AUTO")).lower()
    if word == "auto":
        return _CODEC[kind]
    codec = "uncompressed" if word == "none" else word
    if codec not in ("uncompressed", "gzip", "zstd", "snappy") or (codec == "snappy" and kind != "PARQUET"):
        raise not_emulated(f"COPY INTO a location with COMPRESSION = {word.upper()}")
    return codec


def _demand_documents(unload: Unload, result: Result) -> None:
    documents = ("variant", "object", "array")
    if unload.kind == "JSON" and [one.type in documents for one in result.columns] != [True]:
        message = "Unsupported feature 'unloading of more than one column or non-json values'."
        raise SqlError(message, 2, "0A000")


# -- partitions


def _query(statement: CopyIntoLocation) -> str:
    """The query, with the folder of each row as its last column."""
    if statement.partition_by is None:
        return statement.query
    folder = f"CAST(({statement.partition_by}\n) AS VARCHAR) AS {quoted(_PARTITION)}"
    return f"SELECT *, {folder} FROM ({statement.query}\n)"


def _parts(statement: CopyIntoLocation, rows: pa.Table) -> Iterator[tuple[str | None, pa.Table]]:
    """The rows of each folder, of which __NULL__ has those without one."""
    import pyarrow.compute as pc

    if statement.partition_by is None:
        yield None, rows
        return
    folders = pc.fill_null(rows.column(_PARTITION), "__NULL__")
    rows = rows.drop_columns([_PARTITION])
    for folder in sorted(folders.unique().to_pylist()):
        yield folder.strip("/"), rows.filter(pc.equal(folders, folder))


# -- files


def _written(account: Account, unload: Unload, folder: str | None, rows: pa.Table) -> Sequence[Unloaded]:
    """Rows in one file, or in as many as their size demands; no file for no rows."""
    if not rows.num_rows:
        return ()
    whole = _write(account, unload, unload.key(folder, 0), rows)
    if unload.given.get("SINGLE") is True:
        if whole.size > unload.most:
            _file(unload, whole.key).unlink()
            words = f"Max file size ({unload.most}) exceeded for unload single file mode."
            raise SqlError(f"{words} Actual file size is {whole.size}.", 100131, "22000")
        return (whole,)
    if whole.size <= max(unload.most, 1) or rows.num_rows == 1:
        return (whole,)
    _file(unload, whole.key).unlink()
    # Rows differ in size, so that the mean alone would make some files too large.
    count = max(rows.num_rows * max(unload.most, 1) * 4 // (whole.size * 5), 1)
    starts = range(0, rows.num_rows, count)
    return [
        _write(account, unload, unload.key(folder, number), rows.slice(start, count))
        for number, start in enumerate(starts)
    ]


def _file(unload: Unload, key: str) -> Path:
    return within(unload.place.root, key)


def _write(account: Account, unload: Unload, key: str, rows: pa.Table) -> Unloaded:
    file = _file(unload, key)
    if file.exists() and unload.given.get("OVERWRITE") is not True:
        raise SqlError(
            f"Files already existing at the unload destination: {unload.statement.target}. Use overwrite option to "
            "force unloading.",
            1030,
            "22000",
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    account.engine.write_file(rows, *_format(unload, rows.column_names), file)
    size = file.stat().st_size
    return Unloaded(key, size, _unpacked(file, unload.codec, size), rows.num_rows)


def _unpacked(file: Path, codec: str, size: int) -> int:
    """The bytes of a file without its compression; Parquet is packed within."""
    if codec not in ("gzip", "zstd"):
        return size
    import pyarrow as pa

    with contextlib.suppress(OSError), pa.CompressedInputStream(str(file), codec) as opened:
        return sum(len(part) for part in iter(lambda: opened.read(1 << 20), b""))
    return size


def _format(unload: Unload, names: Sequence[str]) -> tuple[str, str]:
    """The query, and the options with which DuckDB writes it."""
    kind, codec = unload.kind, unload.codec
    packed = "" if kind != "PARQUET" and codec == "uncompressed" else f", COMPRESSION {codec}"
    if kind == "PARQUET":
        if unload.given.get("HEADER") is True:
            return "*", f"FORMAT parquet{packed}"
        # Without HEADER Snowflake names the columns itself.
        listed = ", ".join(f'{quoted(one)} AS "_COL_{index}"' for index, one in enumerate(names))
        return listed, f"FORMAT parquet{packed}"
    if kind == "JSON":
        # Each value is already JSON text, written unchanged, one per line.
        how = f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER {duckdb_literal(chr(1))}{packed}"
        return f"CAST({quoted(names[0])} AS VARCHAR)", how
    nulls = unload.settings.get("NULL_IF", ["\\N"])
    null = (nulls[0] if nulls else "") if isinstance(nulls, list) else nulls
    quote = unload.settings.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
    enclosed = "" if str(quote).upper() == "NONE" else str(quote)
    header = "true" if unload.given.get("HEADER") is True else "false"
    delimiter = duckdb_literal(str(unload.settings.get("FIELD_DELIMITER", ",")))
    force = f", FORCE_QUOTE *, ESCAPE {duckdb_literal(enclosed)}" if enclosed else ", ESCAPE ''"
    return "*", (
        f"FORMAT csv, HEADER {header}, DELIMITER {delimiter}, NULLSTR {duckdb_literal(null)}, "
        f"QUOTE {duckdb_literal(enclosed)}{force}{packed}"
    )
