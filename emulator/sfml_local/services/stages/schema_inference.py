"""TABLE(INFER_SCHEMA(…)): the columns of staged files in Snowflake's types.

https://docs.snowflake.com/en/sql-reference/functions/infer_schema
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml_local.core.arguments import Args
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.result import Column, Result
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.staged_files import concatenated, data_columns, kind_of, read_file

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_ABSENT = ("FILES", "MAX_RECORDS_PER_FILE", "KIND")
"""Arguments that this server does not follow."""

_CSV = "SELECT * FROM read_csv(?, header = ?, skip = ?, delim = ?, sample_size = -1)"
_JSON = "SELECT * FROM read_json(?, format = 'auto', sample_size = -1)"


def infer_schema(account: Account, session: Session, args: Args) -> Result:
    """One row per column, in the order of the file; CSV columns are c1, c2 … unless PARSE_HEADER names them."""
    given = args.by_name(
        "INFER_SCHEMA", f"LOCATION FILE_FORMAT IGNORE_CASE MAX_FILE_COUNT {' '.join(_ABSENT)}"
    )
    if absent := [name for name in _ABSENT if name in given]:
        raise not_emulated(f"INFER_SCHEMA with {', '.join(absent)}")
    if "LOCATION" not in given:
        raise SqlError(
            "SQL compilation error:\nnot enough arguments for function [INFER_SCHEMA], LOCATION is missing",
            938,
            "22023",
        )
    place = locate(account, session, str(given["LOCATION"]))
    options = format_options(account, session, given.get("FILE_FORMAT"), place)
    most = given.get("MAX_FILE_COUNT")
    kind, keys = kind_of(options), list(place.paths())[: None if most is None else int(most)]
    columns = (Column("COLUMN_NAME"), Column("TYPE"), Column("NULLABLE", "boolean"), Column("EXPRESSION"))
    ends = (Column("FILENAMES"), Column("ORDER_ID", "fixed"))
    if not keys:
        return Result((*columns, *ends))
    names = [str(place.file(key)) for key in keys]
    if kind == "PARQUET":
        rows = concatenated([read_file(account, place, key, options) for key in keys])
        rows = rows.select(data_columns(rows))
    elif kind == "CSV":
        header = options.get("PARSE_HEADER") is True
        how: list[Any] = [header, int(options.get("SKIP_HEADER", 0)), options.get("FIELD_DELIMITER", ",")]
        rows = account.engine.arrow(_CSV, [names, *how])
        if not header:
            rows = rows.rename_columns([f"c{index + 1}" for index in range(rows.num_columns)])
    elif kind == "JSON":
        rows = account.engine.arrow(_JSON, [names])
    else:
        raise not_emulated(f"INFER_SCHEMA of {kind} files")
    described = []
    for index, field in enumerate(rows.schema):
        type_ = parquet_type(field.type)
        source = f"${index + 1}" if kind == "CSV" else f"$1:{quoted_if_needed(field.name)}"
        name = field.name.upper() if given.get("IGNORE_CASE") is True else field.name
        described.append((name, type_, field.nullable, f"{source}::{type_}", ", ".join(keys), index))
    return Result((*columns, *ends), tuple(described))


def parquet_type(kind: pa.DataType) -> str:
    """The inferred Snowflake type of a Parquet column."""
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(kind):
        return f"NUMBER({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return "TIMESTAMP_LTZ" if kind.tz else "TIMESTAMP_NTZ"
    rules = (
        (types.is_integer, "NUMBER(38, 0)"),
        (types.is_floating, "REAL"),
        (types.is_boolean, "BOOLEAN"),
        (types.is_date, "DATE"),
        (types.is_time, "TIME"),
        (types.is_binary, "BINARY"),
        (types.is_nested, "VARIANT"),
    )
    return next((name for matches, name in rules if matches(kind)), "TEXT")


TABLE_FUNCTIONS = {"INFER_SCHEMA": infer_schema}
