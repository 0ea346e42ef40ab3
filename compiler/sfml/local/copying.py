"""COPY INTO a table from staged files, file formats, and INFER_SCHEMA: Parquet, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakesnow.dialect import parse_one
from sqlglot import exp

from sfml.grammar.copying import CopyIntoTable, CreateFileFormat, DropFileFormat
from sfml.local.databases import missing
from sfml.local.errors import SqlError, already_exists, does_not_exist, not_emulated
from sfml.local.family import Args
from sfml.local.locations import Place, locate
from sfml.local.names import ObjectName, quoted_if_needed, resolve
from sfml.local.result import Column, Result, status, table

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml.local.account import Account
    from sfml.local.session import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS file_formats (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    options TEXT NOT NULL,
    session INTEGER,  -- of a temporary file format
    PRIMARY KEY (database, schema, name)
);
"""
STAGED = "staged"
"""The name under which a statement reads the rows of staged files."""


# -- file formats -----------------------------------------------------------------------------------------------


def create_format(account: Account, session: Session, statement: CreateFileFormat) -> Result:
    name = resolve(statement.name, session)
    if _format(account, name) is not None and not statement.or_replace:
        if statement.if_not_exists:
            return status(f"{name.name} already exists, statement succeeded.")
        raise already_exists(name)
    account.store.execute(
        "INSERT OR REPLACE INTO file_formats VALUES (?, ?, ?, ?, ?)",
        (
            *(name.database, name.schema, name.name, json.dumps(statement.options)),
            session.id if statement.temporary else None,
        ),
    )
    return status(f"File format {name.name} successfully created.")


def drop_format(account: Account, session: Session, statement: DropFileFormat) -> Result:
    name = resolve(statement.name, session)
    if _format(account, name) is None:
        return missing("File format", name.fqn(), statement.if_exists)
    account.store.execute(
        "DELETE FROM file_formats WHERE database = ? AND schema = ? AND name = ?",
        (name.database, name.schema, name.name),
    )
    return status(f"{name.name} successfully dropped.")


def _format(account: Account, name: ObjectName) -> dict[str, Any] | None:
    text = account.store.value(
        "SELECT options FROM file_formats WHERE database = ? AND schema = ? AND name = ?",
        (name.database, name.schema, name.name),
    )
    return None if text is None else dict(json.loads(text))


def format_options(account: Account, session: Session, given: Any) -> dict[str, Any]:
    """The options of a FILE_FORMAT: a name, a list with FORMAT_NAME, or a list of its own."""
    name = given if isinstance(given, str) else (given or {}).get("FORMAT_NAME")
    if name is None:
        return {"TYPE": "CSV", **(given or {})}
    full = resolve(str(name), session)
    found = _format(account, full)
    if found is None:
        raise does_not_exist("File format", full.fqn())
    return {"TYPE": "CSV", **found}


# -- reading ----------------------------------------------------------------------------------------------------


def read_files(account: Account, files: Sequence[Path], options: dict[str, Any]) -> pa.Table:
    """The rows of these files as one Arrow table; CSV has text columns C1, C2 …, JSON one column C1."""
    names = [str(file) for file in files]
    kind = str(options["TYPE"]).upper()
    if kind == "PARQUET":
        import pyarrow as pa
        import pyarrow.parquet as pq

        return pa.concat_tables([pq.read_table(name) for name in names], promote_options="default")
    if kind == "CSV":
        return _numbered(account.engine.arrow(_READ_CSV, [names, *_csv(options)]))
    if kind == "JSON":
        return _numbered(
            account.engine.arrow("SELECT json FROM read_json_objects(?, format = 'auto')", [names])
        )
    raise not_emulated(f"FILE_FORMAT TYPE = {kind}")


_READ_CSV = """
SELECT * FROM read_csv(
    ?, delim = ?, quote = ?, skip = ?, nullstr = ?, header = false, all_varchar = true, auto_detect = true,
    strict_mode = false
)
"""
_CSV_OPTIONS = frozenset(
    {"TYPE", "COMPRESSION", "FIELD_DELIMITER", "FIELD_OPTIONALLY_ENCLOSED_BY", "SKIP_HEADER", "NULL_IF"}
    | {"RECORD_DELIMITER", "EMPTY_FIELD_AS_NULL", "ENCODING", "FORMAT_NAME"}
)


def _csv(options: dict[str, Any]) -> list[Any]:
    unknown = options.keys() - _CSV_OPTIONS
    if unknown:
        raise not_emulated(f"FILE_FORMAT (TYPE = CSV {' '.join(sorted(unknown))})")
    quote = options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
    nulls = options.get("NULL_IF", ["\\N"])
    return [
        options.get("FIELD_DELIMITER", ","),
        "" if quote == "NONE" else quote,
        int(options.get("SKIP_HEADER", 0)),
        [*(nulls if isinstance(nulls, list) else [nulls]), ""],
    ]


def _numbered(rows: pa.Table) -> pa.Table:
    return rows.rename_columns([f"C{index + 1}" for index in range(rows.num_columns)])


# -- COPY INTO ----------------------------------------------------------------------------------------------------

COPY_OPTIONS = frozenset(
    {"FILE_FORMAT", "PURGE", "ON_ERROR", "FORCE", "MATCH_BY_COLUMN_NAME", "FILES", "PATTERN"}
)


def copy_into(account: Account, session: Session, statement: CopyIntoTable) -> Result:
    """Insert the rows of staged files; all or nothing, as ON_ERROR = ABORT_STATEMENT has it."""
    options = statement.options
    if unknown := options.keys() - COPY_OPTIONS:
        raise not_emulated(f"COPY INTO with {', '.join(sorted(unknown))}")
    if str(options.get("ON_ERROR", "ABORT_STATEMENT")).upper() != "ABORT_STATEMENT":
        raise not_emulated(f"COPY INTO with ON_ERROR = {options['ON_ERROR']}")
    place = locate(account, session, statement.source)
    keys = _keys(place, options)
    if not keys:
        return status("Copy executed with 0 files processed.")
    settings = format_options(account, session, options.get("FILE_FORMAT"))
    rows = read_files(account, [place.file(key) for key in keys], settings)
    target = resolve(statement.table, session)
    columns, projections = _assignment(account, session, statement, target, rows, settings)
    insert = exp.Insert(
        this=exp.Schema(this=_table(target), expressions=columns),
        expression=exp.select(*projections).from_(exp.to_table(STAGED)),
    )
    account.engine.run_tree(session, insert, staged={STAGED: rows})
    if options.get("PURGE") is True:
        for key in keys:
            place.file(key).unlink(missing_ok=True)
    return _loaded(place, keys, rows.num_rows)


def _keys(place: Place, options: Any) -> list[str]:
    import re

    keys = list(place.paths())
    if files := options.get("FILES"):
        base = place.path.rstrip("/")
        wanted = {f"{base}/{name}".lstrip("/") for name in files}
        keys = [key for key in keys if key in wanted]
    if pattern := options.get("PATTERN"):
        keys = [key for key in keys if re.fullmatch(pattern, key)]
    return keys


def _loaded(place: Place, keys: Sequence[str], rows: int) -> Result:
    """One row a file. Rows are counted over all files, since they are read as one: the first carries them."""
    names = ("file", "status")
    counts = tuple(
        Column(name, "fixed") for name in ("rows_parsed", "rows_loaded", "error_limit", "errors_seen")
    )
    ends = ("first_error", "first_error_line", "first_error_character", "first_error_column_name")
    return table(
        (*names, *counts, *ends),
        [
            (place.prefix + key, "LOADED", *([rows if index == 0 else 0] * 2), 1, 0, None, None, None, None)
            for index, key in enumerate(keys)
        ],
    )


def _assignment(
    account: Account,
    session: Session,
    statement: CopyIntoTable,
    target: ObjectName,
    rows: pa.Table,
    settings: dict[str, Any],
) -> tuple[list[exp.Expression], list[exp.Expression]]:
    """The columns of the table that are filled, and the expression over the staged rows for each."""
    own = [column[0] for column in account.engine.columns(session, target)]
    if not own:
        raise does_not_exist("Table", target.fqn())
    names = list(statement.columns) or own
    if statement.projection is not None:
        selected = parse_one(f"SELECT {statement.projection}")
        expressions = [_over_staged(node, rows) for node in selected.expressions]
    elif str(statement.options.get("MATCH_BY_COLUMN_NAME", "NONE")).upper() != "NONE":
        found = {name.upper(): name for name in rows.column_names}
        names = [name for name in names if name.upper() in found]
        expressions = [_column(found[name.upper()]) for name in names]
    elif str(settings["TYPE"]).upper() == "PARQUET":
        raise SqlError(
            "SQL compilation error:\nPARQUET file format can produce one and only one column of type variant, "
            "object, or array. Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or copy "
            "with transformation.",
            2019,
            "0A000",
        )
    else:
        expressions = [_column(name) for name in rows.column_names]
    if len(names) != len(expressions):
        raise SqlError(
            f"Number of columns in file ({len(expressions)}) does not match that of the corresponding table "
            f"({len(names)})",
            100080,
            "22000",
        )
    return [exp.to_identifier(name, quoted=True) for name in names], expressions


def _over_staged(node: exp.Expression, rows: pa.Table) -> exp.Expression:
    """`$1:"name"` of a Parquet file, and `$2` of a CSV file, as columns of the staged rows."""

    def replaced(inner: exp.Expression) -> exp.Expression:
        if isinstance(inner, exp.JSONExtract) and isinstance(inner.this, exp.Parameter):
            path = inner.expression
            parts = [part.this for part in path.expressions if isinstance(part, exp.JSONPathKey)]
            if len(parts) == 1 and not _is_json(rows):
                return _column(parts[0]) if parts[0] in rows.column_names else exp.null()
        if isinstance(inner, exp.Parameter) and isinstance(inner.this, exp.Literal):
            return _column(f"C{inner.this.this}")
        return inner

    return node.transform(replaced)


def _is_json(rows: pa.Table) -> bool:
    return bool(rows.column_names == ["C1"])


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _table(name: ObjectName) -> exp.Table:
    parts = (name.name, name.schema, name.database)
    this, db, catalog = (exp.to_identifier(part, quoted=True) for part in parts)
    return exp.Table(this=this, db=db, catalog=catalog)


# -- INFER_SCHEMA ---------------------------------------------------------------------------------------------------


def infer_schema(account: Account, session: Session, args: Args) -> Result:
    """The columns of staged Parquet files, in Snowflake's types."""
    place = locate(account, session, str(args.named["LOCATION"]))
    settings = format_options(account, session, args.named.get("FILE_FORMAT"))
    if str(settings["TYPE"]).upper() != "PARQUET":
        raise not_emulated(f"INFER_SCHEMA of {settings['TYPE']} files")
    keys = list(place.paths())
    columns = (Column("COLUMN_NAME"), Column("TYPE"), Column("NULLABLE", "boolean"), Column("EXPRESSION"))
    ends = (Column("FILENAMES"), Column("ORDER_ID", "fixed"))
    if not keys:
        return Result((*columns, *ends))
    rows = read_files(account, [place.file(key) for key in keys], settings)
    described = []
    for index, field in enumerate(rows.schema):
        kind = parquet_type(field.type)
        expression = f"$1:{quoted_if_needed(field.name)}::{kind}"
        described.append((field.name, kind, field.nullable, expression, ", ".join(keys), index))
    return Result((*columns, *ends), tuple(described))


def parquet_type(kind: pa.DataType) -> str:
    """The Snowflake type that a Parquet column is inferred to have."""
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(kind):
        return f"NUMBER({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return "TIMESTAMP_TZ" if kind.tz else "TIMESTAMP_NTZ"
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


# -- ends -------------------------------------------------------------------------------------------------------------


def SCHEMA_DROPPED(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM file_formats WHERE database = ? AND schema = ?", (database, schema))


def SESSION_CLOSED(account: Account, session: Session) -> None:
    account.store.execute("DELETE FROM file_formats WHERE session = ?", (session.id,))


def START(account: Account) -> None:
    account.store.execute("DELETE FROM file_formats WHERE session IS NOT NULL")


HANDLERS = {CopyIntoTable: copy_into, CreateFileFormat: create_format, DropFileFormat: drop_format}
TABLE_FUNCTIONS = {"INFER_SCHEMA": infer_schema}
