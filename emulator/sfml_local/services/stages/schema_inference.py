"""TABLE(INFER_SCHEMA(…)): the columns of staged files in Snowflake's types.

https://docs.snowflake.com/en/sql-reference/functions/infer_schema
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot.tokens import TokenType

from sfml_local.core.arguments import Args
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.place import Place
from sfml_local.core.result import Column, Result
from sfml_local.grammar.copying import CreateFromTemplate
from sfml_local.grammar.quoting import quoted, quoted_if_needed
from sfml_local.grammar.tokens import Tokens
from sfml_local.services.stages.csv_rows import read_csv
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.staged_files import (
    concatenated,
    csv_format,
    data_columns,
    keys_of,
    kind_of,
    read_file,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_ARGUMENTS = "LOCATION FILE_FORMAT FILES IGNORE_CASE MAX_FILE_COUNT MAX_RECORDS_PER_FILE KIND"

_CSV = """
SELECT * FROM read_csv(?, header = ?, skip = ?, delim = ?, quote = ?, nullstr = ?, sample_size = -1)
"""
_JSON = "SELECT * FROM read_json(?, format = 'auto', sample_size = -1)"
_DOCUMENTS = "SELECT CAST(json AS VARCHAR) FROM read_json_objects(?, format = 'auto') LIMIT ?"


def infer_schema(account: Account, session: Session, args: Args) -> Result:
    """One row per column, in the order of the file; CSV columns are c1, c2 … unless PARSE_HEADER names them."""
    given = args.by_name("INFER_SCHEMA", _ARGUMENTS)
    if str(given.get("KIND", "STANDARD")).upper() != "STANDARD":
        raise not_emulated(f"INFER_SCHEMA with KIND => {given['KIND']}")
    if "LOCATION" not in given:
        raise SqlError(
            "SQL compilation error:\nnot enough arguments for function [INFER_SCHEMA], LOCATION is missing",
            938,
            "22023",
        )
    place = locate(account, session, str(given["LOCATION"]))
    options = format_options(account, session, given.get("FILE_FORMAT"), place)
    keys = _keys(place, given)
    columns = (Column("COLUMN_NAME"), Column("TYPE"), Column("NULLABLE", "boolean"), Column("EXPRESSION"))
    ends = (Column("FILENAMES"), Column("ORDER_ID", "fixed"))
    if not keys:
        return Result((*columns, *ends))
    kind, rows = kind_of(options), _rows(account, place, keys, options, given.get("MAX_RECORDS_PER_FILE"))
    described = []
    for index, field in enumerate(rows.schema):
        type_ = parquet_type(field.type)
        source = f"${index + 1}" if kind == "CSV" else f"$1:{quoted_if_needed(field.name)}"
        name = field.name.upper() if given.get("IGNORE_CASE") is True else field.name
        described.append((name, type_, field.nullable, f"{source}::{type_}", ", ".join(keys), index))
    return Result((*columns, *ends), tuple(described))


def create_from_template(account: Account, session: Session, statement: CreateFromTemplate) -> Result:
    """CREATE TABLE with the columns that a query tells as one array of rows of INFER_SCHEMA.

    https://docs.snowflake.com/en/sql-reference/sql/create-table#create-table-using-template
    """
    told = account.execute(session, statement.query).scalar
    listed = json.loads(told) if isinstance(told, str) else told
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        message = (
            "SQL compilation error:\nUSING TEMPLATE needs an array of columns, as INFER_SCHEMA tells them."
        )
        raise SqlError(message, 1003, "42000")
    columns = ", ".join(map(_column, listed))
    return account.execute(session, f"{statement.head} ({columns}) {statement.rest}".rstrip())


def _column(told: Mapping[str, Any]) -> str:
    for key in ("COLUMN_NAME", "TYPE"):
        if not isinstance(told.get(key), str):
            raise SqlError(f"SQL compilation error:\nUSING TEMPLATE: a column has no {key}.", 1003, "42000")
    tokens = Tokens(told["TYPE"])
    tokens.name()
    if tokens.match_type(TokenType.L_PAREN):
        tokens.arguments()
    if not tokens.at_end:
        raise SqlError(f"SQL compilation error:\nUnsupported data type '{told['TYPE']}'.", 2040, "42601")
    end = " NOT NULL" if told.get("NULLABLE") is False else ""
    return f"{quoted(told['COLUMN_NAME'])} {told['TYPE']}{end}"


def _keys(place: Place, given: Mapping[str, Any]) -> list[str]:
    """The files of FILES, or those of the location, as many as MAX_FILE_COUNT."""
    files, most = given.get("FILES"), given.get("MAX_FILE_COUNT")
    listed = (
        None
        if files is None
        else [files]
        if isinstance(files, str)
        else [str(one) for one in (files.values() if isinstance(files, dict) else files)]
    )
    keys = keys_of(place, listed, None)
    for name in listed or ():
        if not any(key == name or key.endswith(f"/{name}") for key in keys):
            raise SqlError(f"Remote file '{given['LOCATION']}/{name}' was not found.", 91016, "22000")
    return keys[: None if most is None else int(most)]


def _rows(account: Account, place: Place, keys: list[str], options: dict[str, Any], most: Any) -> pa.Table:
    """Rows whose types are those of the columns; of CSV and JSON files no more than `most` records are looked at."""
    kind, files = kind_of(options), [place.file(key) for key in keys]
    if kind == "PARQUET":
        rows = concatenated([read_file(account, place, key, options) for key in keys])
        return rows.select(data_columns(rows))
    if kind not in ("CSV", "JSON"):
        raise not_emulated(f"INFER_SCHEMA of {kind} files")
    with tempfile.TemporaryDirectory() as folder:
        if most is not None:
            files = [
                _beginning(account, file, options, int(most), Path(folder) / str(number))
                for number, file in enumerate(files)
            ]
        names = [str(file) for file in files]
        if kind == "JSON":
            return account.engine.arrow(_JSON, [names])
        how = csv_format(options)
        given: list[Any] = [how.header, how.skip, how.delimiter, how.quote, list(how.nulls)]
        rows = account.engine.arrow(_CSV, [names, *given])
    return rows if how.header else rows.rename_columns([f"c{n + 1}" for n in range(rows.num_columns)])


def _beginning(account: Account, file: Path, options: dict[str, Any], most: int, target: Path) -> Path:
    """A file with the first records of another one."""
    if kind_of(options) == "JSON":
        documents = account.engine.file_rows(_DOCUMENTS, [str(file), most])
        lines = [f"{text}\n" for text in documents.column(0).to_pylist()]
    else:
        found = read_csv(file, csv_format(options))
        last = found.records[:most][-1:]
        lines = list(found.lines[: last[0].line + last[0].lines]) if last else list(found.lines)
    target.write_text("".join(lines), encoding="utf-8")
    return target


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
