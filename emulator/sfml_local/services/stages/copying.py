"""COPY INTO a table: loads staged files one by one, with ON_ERROR for rows that do not fit.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, does_not_exist, not_emulated
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.place import Place
from sfml_local.core.result import Column, Result, status, table
from sfml_local.grammar.copying import CopyIntoTable
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.stages import copy_options, load_history
from sfml_local.services.stages.copy_options import CopyOptions, OnError
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.staged_files import (
    FILE,
    NUMBER,
    column,
    concatenated,
    data_columns,
    keys_of,
    kind_of,
    md5,
    over_staged,
    read_file,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

STAGED = "staged"
"""The name under which a statement reads the rows of staged files."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of one file: its valid rows, and message, line and column of the first invalid one."""

    file: str
    rows: pa.Table
    parsed: int
    errors: int = 0
    first: tuple[str, int, str] | None = None
    skipped: bool = False


def copy_into(account: Account, session: Session, statement: CopyIntoTable) -> Result:
    """Insert the rows of staged files that were not loaded before, all in one statement."""
    options = copy_options.read(statement.options)
    place = locate(account, session, statement.source)
    settings = format_options(account, session, statement.options.get("FILE_FORMAT"), place)
    target = resolve(statement.table, session)
    own = account.engine.columns(session, target)
    if not own:
        raise does_not_exist("Table", target.fqn())
    _demand_columns(statement.columns, {row[0] for row in own})
    copy_options.check(statement, options, settings, len(statement.columns or own))
    keys = _keys(statement, place, options)
    if not keys:
        return status("Copy executed with 0 files processed.")
    if options.validates:
        raise not_emulated("COPY INTO with VALIDATION_MODE for staged files")
    kinds = {name: stored for name, stored, *_ in own}
    lengths = {name: length for name, _, length, *_ in own if length} if options.truncates else {}
    digests = {key: md5(place.file(key)) for key in keys}
    # Read the load history in the same transaction, so that of two parallel loads one waits or fails.
    with load_history.turn(account, target), load_history.one_transaction(account, session):
        if "FORCE" not in options.flags:
            before = load_history.loaded(session, target)
            keys = [key for key in keys if before.get(_identity(place, key)) != digests[key]]
        keys = _within(options.size_limit, place, keys)
        if not keys:
            return status("Copy executed with 0 files processed.")
        files = _load(account, session, statement, place, keys, settings, target, kinds, options, lengths)
        taken = (key for key, file in zip(keys, files, strict=True) if not file.skipped)
        load_history.note(session, target, {_identity(place, key): digests[key] for key in taken})
    if "PURGE" in options.flags:
        for key in keys:
            place.file(key).unlink(missing_ok=True)
    if "RETURN_FAILED_ONLY" in options.flags:
        files = [file for file in files if file.errors]
    return _told(files)


def _demand_columns(listed: tuple[str, ...], known: set[str]) -> None:
    for name in listed:
        if name not in known:
            shown = quoted_if_needed(name)
            message = f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{shown}'"
            raise SqlError(message, 904, "42000")


def _keys(statement: CopyIntoTable, place: Place, options: CopyOptions) -> list[str]:
    """The files to load; one of FILES that is not there is an error where errors are to end the statement."""
    given = statement.options.get("FILES")
    keys = keys_of(place, given, statement.options.get("PATTERN"))
    if given and options.on_error.word == "ABORT_STATEMENT":
        there = keys_of(place, given, None)
        for name in given:
            if not any(key == name or key.endswith(f"/{name}") for key in there):
                source = statement.source.rstrip("/")
                raise SqlError(f"Remote file '{source}/{name}' was not found.", 91016, "22000")
    return keys


def _within(limit: int, place: Place, keys: list[str]) -> list[str]:
    """The files up to the one with which the limit is passed."""
    chosen, size = [], 0
    for key in keys:
        if limit and size > limit:
            break
        chosen.append(key)
        size += place.file(key).stat().st_size
    return chosen


def _load(
    account: Account,
    session: Session,
    statement: CopyIntoTable,
    place: Place,
    keys: list[str],
    settings: dict[str, Any],
    target: ObjectName,
    kinds: dict[str, str],
    options: CopyOptions,
    lengths: dict[str, int],
) -> list[Loaded]:
    """Read these files, and insert their valid rows with one statement."""
    ragged = settings.get("ERROR_ON_COLUMN_COUNT_MISMATCH", True) is not True
    tables = [read_file(account, place, key, settings, ragged=ragged) for key in keys]
    names, expressions, every = _assignment(
        statement, options.match, list(kinds), concatenated(tables), settings, ragged
    )
    expressions = [
        exp.Left(this=exp.cast(one, "VARCHAR"), expression=exp.Literal.number(lengths[name]))
        if name in lengths
        else one
        for name, one in zip(names, expressions, strict=True)
    ]
    files, start = [], 0
    for key, rows in zip(keys, tables, strict=True):
        part = every.slice(start, rows.num_rows)
        start += rows.num_rows
        wanted = dict(zip(names, expressions, strict=True))
        files.append(_checked(account, session, place.prefix + key, part, wanted, kinds, options.on_error))
    good = concatenated([file.rows for file in files])
    insert = exp.Insert(
        this=exp.Schema(
            this=_table(target), expressions=[exp.to_identifier(name, quoted=True) for name in names]
        ),
        expression=exp.select(*expressions).from_(exp.to_table(STAGED)),
    )
    if good.num_rows or options.on_error.word == "ABORT_STATEMENT":
        account.run_tree(session, insert, staged={STAGED: good})
    return files


def _identity(place: Place, key: str) -> str:
    """The identity of a file of a stage; a stage that was created again has other files."""
    return f"{place.root.name}/{key}"


def _assignment(
    statement: CopyIntoTable,
    match: str | None,
    own: list[str],
    rows: pa.Table,
    settings: dict[str, Any],
    ragged: bool,
) -> tuple[list[str], list[Expr], pa.Table]:
    """The filled columns of the table, the expression over the staged rows for each, and these rows."""
    names, kind = list(statement.columns) or own, kind_of(settings)
    given = data_columns(rows)
    if statement.projection is not None:
        selected = parse_one(f"SELECT {statement.projection}")
        expressions = []
        for node in selected.expressions:
            found, rows = over_staged(_without_alias(node), rows, kind)
            expressions.append(found)
    elif match is not None:
        exactly = match == "CASE_SENSITIVE"
        if kind == "JSON":
            given = _keys_of_documents(rows)
        found_names = {name if exactly else name.upper(): name for name in given}
        names = [name for name in names if (name if exactly else name.upper()) in found_names]
        sources = [found_names[name if exactly else name.upper()] for name in names]
        expressions = [_key(source) if kind == "JSON" else column(source) for source in sources]
    elif kind == "PARQUET":
        raise copy_options.one_column(kind)
    elif kind == "JSON":
        expressions = [exp.ParseJSON(this=column("C1"))]
    else:
        expressions = [column(name) for name in given]
        if ragged:
            names, expressions = names[: len(expressions)], expressions[: len(names)]
    if len(names) != len(expressions):
        raise SqlError(
            f"Number of columns in file ({len(expressions)}) does not match that of the corresponding table "
            f"({len(names)}), use file format option error_on_column_count_mismatch=false to ignore this error",
            100080,
            "22000",
        )
    return names, expressions, rows


def _without_alias(node: Expr) -> Expr:
    """An expression of a copy with transformation; `t.$1` is `$1`, because there is only one location."""
    bare = node.this if isinstance(node, exp.Alias) else node

    def stripped(inner: Expr) -> Expr:
        return (
            inner.this if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Parameter) else inner
        )

    found: Expr = bare.copy().transform(stripped)
    return found


def _keys_of_documents(rows: pa.Table) -> list[str]:
    """The keys of all documents in the order of their first occurrence."""
    import json

    keys: dict[str, None] = {}
    for text in rows.column("C1").to_pylist():
        document = json.loads(text)
        keys.update(dict.fromkeys(document if isinstance(document, dict) else ()))
    return list(keys)


def _key(name: str) -> Expr:
    return exp.Bracket(this=exp.ParseJSON(this=column("C1")), expressions=[exp.Literal.string(name)])


def _checked(
    account: Account,
    session: Session,
    file: str,
    rows: pa.Table,
    expressions: dict[str, Expr],
    kinds: dict[str, str],
    on_error: OnError,
) -> Loaded:
    """The rows of a file that fit their columns; with ABORT, raises SqlError at the first that does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = {name: pair for name, one in expressions.items() if (pair := _text_and_type(one, kinds[name]))}
    if not texts or not rows.num_rows:
        return Loaded(file, rows, rows.num_rows)
    tests = [
        exp.alias_(
            exp.and_(
                source.copy().is_(exp.null()).not_(),
                exp.TryCast(this=source.copy(), to=exp.DataType.build(kind, dialect="duckdb")).is_(
                    exp.null()
                ),
            ),
            f"b{index}",
        )
        for index, (source, kind) in enumerate(texts.values())
    ]
    query = exp.select(*tests).from_(exp.to_table(STAGED))
    bad = account.run_tree(session, query, staged={STAGED: rows})
    wrong = [
        (row, [index for index, is_bad in enumerate(tested) if is_bad]) for row, tested in enumerate(bad.rows)
    ]
    wrong = [(row, found) for row, found in wrong if found]
    if not wrong:
        return Loaded(file, rows, rows.num_rows)
    row, (index, *_) = wrong[0]
    name = list(texts)[index]
    value = rows.column(texts[name][0].name)[row].as_py() if isinstance(texts[name][0], exp.Column) else "…"
    sentence = f"{_word(texts[name][1])} value '{value}' is not recognized"
    line = rows.column(NUMBER)[row].as_py()
    if on_error.word == "ABORT_STATEMENT":
        raise SqlError(f"{sentence}\n  File '{file}', row {line}, column \"{name}\"", 100038, "22018")
    first = (sentence, line, name)
    if on_error.skips(len(wrong), rows.num_rows):
        return Loaded(file, rows.slice(0, 0), rows.num_rows, len(wrong), first, skipped=True)
    wrong_rows = pa.array([row for row, _ in wrong])
    keep = pc.invert(pc.is_in(pa.array(range(rows.num_rows)), value_set=wrong_rows))
    return Loaded(file, rows.filter(keep), rows.num_rows, len(wrong), first)


def _text_and_type(expression: Expr, kind: str) -> tuple[Expr, str] | None:
    """A text column of a file with its target type; None if the conversion cannot fail."""
    if isinstance(expression, exp.Cast) and isinstance(expression.this, exp.Column):
        return expression.this, expression.to.sql(dialect="duckdb")
    is_file_column = isinstance(expression, exp.Column) and expression.name not in (FILE, NUMBER)
    return (expression, kind) if is_file_column and kind not in ("VARCHAR", "JSON") else None


def _word(kind: str) -> str:
    words = {"BOOLEAN": "Boolean", "DATE": "Date", "TIMESTAMP": "Timestamp", "TIME": "Time"}
    return next((word for name, word in words.items() if kind.startswith(name)), "Numeric")


def _table(name: ObjectName) -> exp.Table:
    parts = (name.name, name.schema, name.database)
    this, db, catalog = (exp.to_identifier(part, quoted=True) for part in parts)
    return exp.Table(this=this, db=db, catalog=catalog)


def _told(files: list[Loaded]) -> Result:
    """The result with one row per file."""
    counts = ("rows_parsed", "rows_loaded", "error_limit", "errors_seen")
    ends = ("first_error", "first_error_line", "first_error_character", "first_error_column_name")
    rows: list[tuple[Any, ...]] = []
    for file in files:
        good = file.rows.num_rows
        said = "LOAD_FAILED" if file.skipped else "PARTIALLY_LOADED" if file.errors else "LOADED"
        sentence, line, name = file.first or (None, None, None)
        rows.append(
            (file.file, said, file.parsed, good, max(file.errors, 1), file.errors, sentence, line, None, name)
        )
    counted = tuple(Column(one, "fixed") for one in counts)
    named = (Column("file"), Column("status"), *counted, Column(ends[0]), Column(ends[1], "fixed"))
    return table((*named, *ends[2:]), rows)
