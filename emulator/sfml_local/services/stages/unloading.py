"""COPY INTO a location: the rows of a query written to a stage as CSV, JSON or Parquet.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml_local.core.arrow import as_table, narrowed
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.place import Place, within
from sfml_local.core.result import Column, Result, table
from sfml_local.grammar.copying import CopyIntoLocation
from sfml_local.grammar.quoting import duckdb_literal, quoted
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.staged_files import NEWLINES, demand_values, kind_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

OPTIONS = frozenset(
    {"FILE_FORMAT", "HEADER", "SINGLE", "OVERWRITE", "MAX_FILE_SIZE", "INCLUDE_QUERY_ID", "DETAILED_OUTPUT"}
)
_FORMAT = frozenset(
    {"TYPE", "COMPRESSION", "FIELD_DELIMITER", "FIELD_OPTIONALLY_ENCLOSED_BY", "NULL_IF", "FILE_EXTENSION"}
    | {"EMPTY_FIELD_AS_NULL", "RECORD_DELIMITER", "SNAPPY_COMPRESSION", "SKIP_HEADER", "ESCAPE"}
)
_EXTENSION = {"CSV": "csv", "JSON": "json", "PARQUET": "parquet"}
_CODEC = {"CSV": "gzip", "JSON": "gzip", "PARQUET": "snappy"}


def copy_into_location(account: Account, session: Session, statement: CopyIntoLocation) -> Result:
    """Write one file, ignoring MAX_FILE_SIZE; one row with the numbers of rows and bytes."""
    if statement.partition_by is not None:
        raise not_emulated(f"COPY INTO a location … PARTITION BY {statement.partition_by}")
    given = statement.options
    if unknown := given.keys() - OPTIONS:
        raise not_emulated(f"COPY INTO a location with {', '.join(sorted(unknown))}")
    place = locate(account, session, statement.target)
    if not place.writable:
        raise SqlError(f"Files cannot be written to '{statement.target}'.", 1011, "42601")
    options = format_options(account, session, given.get("FILE_FORMAT"), place)
    kind = kind_of(options)
    unknown = options.keys() - _FORMAT
    if kind not in _EXTENSION or unknown:
        raise not_emulated(
            f"COPY INTO a location with FILE_FORMAT (TYPE = {kind} {' '.join(sorted(unknown))})"
        )
    demand_values(kind, options, {"RECORD_DELIMITER": NEWLINES[:2], "ESCAPE": ("NONE",)})
    demand_values("of a location", dict(given), {"DETAILED_OUTPUT": ("FALSE",)})
    codec = _codec(kind, options)
    key = _key(place, kind, codec, given, account.query_id)
    if not given.get("OVERWRITE") and place.file(key).exists():
        raise SqlError(
            f"Files already existing at the unload destination: {statement.target}. Use overwrite option to force "
            "unloading.",
            1030,
            "22000",
        )
    rows = narrowed(as_table(account.execute(session, statement.query)))
    target = within(place.root, key)
    target.parent.mkdir(parents=True, exist_ok=True)
    account.engine.write_file(rows, *_written(kind, codec, options, given, rows.column_names), target)
    size = target.stat().st_size
    counts = tuple(Column(one, "fixed") for one in ("rows_unloaded", "input_bytes", "output_bytes"))
    return table(counts, [(rows.num_rows, size, size)])


def _codec(kind: str, options: dict[str, Any]) -> str:
    word = str(options.get("COMPRESSION", "AUTO")).lower()
    if word == "auto":
        return _CODEC[kind]
    codec = "uncompressed" if word == "none" else word
    if codec not in ("uncompressed", "gzip", "zstd", "snappy") or (codec == "snappy" and kind != "PARQUET"):
        raise not_emulated(f"COPY INTO a location with COMPRESSION = {word.upper()}")
    return codec


def _key(place: Place, kind: str, codec: str, given: Any, query_id: str) -> str:
    """The path for a single file, else Snowflake's data_0_0_0 in or after the path."""
    if given.get("SINGLE") is True:
        return f"{place.path}data" if not place.path or place.path.endswith("/") else place.path
    base = place.path if not place.path or place.path.endswith("/") else f"{place.path}_"
    start = f"{base}data" if not base or base.endswith("/") else base.removesuffix("_")
    middle = f"_{query_id}" if given.get("INCLUDE_QUERY_ID") is True else ""
    packed = {"gzip": ".gz", "zstd": ".zst", "snappy": ".snappy"}.get(codec, "")
    ending = f"{packed}.parquet" if kind == "PARQUET" else f".{_EXTENSION[kind]}{packed}"
    return f"{start}{middle}_0_0_0{ending}"


def _written(
    kind: str, codec: str, options: dict[str, Any], given: Any, columns: list[str]
) -> tuple[str, str]:
    """The query, and the options with which DuckDB writes it."""
    packed = "" if kind != "PARQUET" and codec == "uncompressed" else f", COMPRESSION {codec}"
    if kind == "PARQUET":
        if given.get("HEADER") is True:
            return "*", f"FORMAT parquet{packed}"
        # Without HEADER Snowflake names the columns itself.
        names = ", ".join(f'{quoted(one)} AS "_COL_{index}"' for index, one in enumerate(columns))
        return names, f"FORMAT parquet{packed}"
    if kind == "JSON":
        if len(columns) != 1:
            raise SqlError(
                "SQL compilation error:\nJSON file format can produce one and only one column of type variant, "
                "object, or array.",
                2019,
                "0A000",
            )
        # Each value is already JSON text, written unchanged, one per line.
        how = f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER {duckdb_literal(chr(1))}{packed}"
        return f"CAST({quoted(columns[0])} AS VARCHAR)", how
    nulls = options.get("NULL_IF", ["\\N"])
    null = (nulls[0] if nulls else "") if isinstance(nulls, list) else nulls
    quote = options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
    enclosed = "" if str(quote).upper() == "NONE" else str(quote)
    header = "true" if given.get("HEADER") is True else "false"
    delimiter = duckdb_literal(str(options.get("FIELD_DELIMITER", ",")))
    force = f", FORCE_QUOTE *, ESCAPE {duckdb_literal(enclosed)}" if enclosed else ", ESCAPE ''"
    return "*", (
        f"FORMAT csv, HEADER {header}, DELIMITER {delimiter}, NULLSTR {duckdb_literal(null)}, "
        f"QUOTE {duckdb_literal(enclosed)}{force}{packed}"
    )
