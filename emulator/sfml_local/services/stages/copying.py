"""COPY INTO a table: loads staged files one by one, with ON_ERROR for rows that do not fit.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, wrong_kind
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.place import Place
from sfml_local.core.result import SELECT, Column, Result, columns, status, table
from sfml_local.grammar.copying import CopyIntoTable
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name
from sfml_local.services.stages import copy_jobs, copy_options, copy_store, load_history, row_errors
from sfml_local.services.stages.copy_options import CopyOptions
from sfml_local.services.stages.copy_store import CopiedFile
from sfml_local.services.stages.csv_rows import CsvFormat
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.row_errors import STAGED, RowError, Target
from sfml_local.services.stages.staged_files import (
    column,
    concatenated,
    csv_format,
    data_columns,
    keys_of,
    kind_of,
    md5,
    metadata_in,
    over_staged,
    read_counted,
    read_file,
    with_documents,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


@dataclass(frozen=True, slots=True)
class Copy:
    """A statement with all that it names: the place of its files, their format, and the table's columns.

    A column of the table is a row of `Engine.columns`.
    """

    statement: CopyIntoTable
    options: CopyOptions
    place: Place
    settings: dict[str, Any]
    target: ObjectName
    own: Mapping[str, tuple[Any, ...]]

    @property
    def kind(self) -> str:
        return kind_of(self.settings)

    @property
    def names(self) -> Sequence[str]:
        """The columns that are loaded, unless they are found by the names in the files."""
        return self.statement.columns or list(self.own)

    @property
    def is_counted(self) -> bool:
        """Whether a record has to have as many fields as the table has columns."""
        plain = (
            not self.statement.columns and self.statement.projection is None and self.options.match is None
        )
        return plain and self.kind == "CSV" and not self.is_ragged

    @property
    def is_ragged(self) -> bool:
        """Whether fields that are missing are NULL, and those that are too many are left out."""
        listed = bool(self.statement.columns) or self.statement.projection is not None
        return listed or self.settings.get("ERROR_ON_COLUMN_COUNT_MISMATCH", True) is not True

    @property
    def csv(self) -> CsvFormat | None:
        return csv_format(self.settings) if self.kind == "CSV" else None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of one file: its valid rows, and the errors of the others, of which the first is placed."""

    key: str
    rows: pa.Table
    parsed: int
    limit: int | None = 1
    errors: Sequence[RowError] = ()
    skipped: bool = False

    @property
    def failed(self) -> bool:
        """Whether no row of it was loaded because of errors."""
        return self.skipped or bool(self.errors and not self.rows.num_rows)

    @property
    def word(self) -> str:
        if self.failed:
            return "LOAD_FAILED"
        return "PARTIALLY_LOADED" if self.errors else "LOADED"


def copy_into(account: Account, session: Session, statement: CopyIntoTable) -> Result:
    """Insert the rows of staged files that were not loaded before, all in one statement."""
    copy = _resolved(account, session, statement)
    keys = keys_of(copy.place, statement.options.get("FILES"), statement.options.get("PATTERN"))
    missing = _missing(copy)
    if missing and copy.options.on_error.aborts and copy.options.validation is None:
        raise SqlError(f"{_not_found(copy, missing[0])} {_DELETED}", 91016, "22000")
    if copy.options.validation is None:
        copy_jobs.remember(account, session, copy, ())
    if copy.options.validation is not None:
        return _validated(account, session, copy, keys, missing)
    if not keys and not missing:
        return status("Copy executed with 0 files processed.")
    return _loaded(account, session, copy, keys, missing)


def _resolved(account: Account, session: Session, statement: CopyIntoTable) -> Copy:
    options = copy_options.read(statement.options)
    place = locate(account, session, statement.source)
    settings = format_options(account, session, statement.options.get("FILE_FORMAT"), place)
    target = resolve(statement.table, session)
    own = {row[0]: row for row in account.engine.columns(session, target)}
    if not own:
        raise _no_table(statement.table)
    if account.engine.kind_of(session, target.parts) == "VIEW":
        raise wrong_kind("VIEW", "TABLE")
    for name in (*statement.columns, *options.metadata):
        if name not in own:
            shown = quoted_if_needed(name)
            message = f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{shown}'"
            raise SqlError(message, 904, "42000")
    copy_options.check(statement, options, settings, [own[name][1] for name in statement.columns or own])
    return Copy(statement, options, place, settings, target, own)


def _no_table(name: Name) -> SqlError:
    """The refusal that Snowpark's `write_pandas` recognizes by its end; accounts repeat the name as it is written."""
    shown = ".".join(map(quoted_if_needed, name.parts))
    return SqlError(f"SQL compilation error:\nTable '{shown}' does not exist", 1757, "42601")


def _missing(copy: Copy) -> list[str]:
    """The entries of FILES that are not there."""
    given = copy.statement.options.get("FILES")
    there = keys_of(copy.place, given, None) if given else []
    return [name for name in given or () if not any(key == name or key.endswith(f"/{name}") for key in there)]


def _not_found(copy: Copy, name: str) -> str:
    return f"Remote file '{copy.statement.source.rstrip('/')}/{name}' was not found."


_DELETED = (
    "If you are running a copy command, please make sure files are not deleted when they are being loaded or files are "
    "not being loaded into two different tables concurrently with auto purge option."
)
_CAUSES = (
    "There are several potential causes. The file might not exist. The required credentials may be missing or "
    f"invalid. {_DELETED}"
)


def _loaded(
    account: Account, session: Session, copy: Copy, keys: Sequence[str], missing: Sequence[str]
) -> Result:
    digests = {key: md5(copy.place.file(key)) for key in keys}
    flags = copy.options.flags
    passed: list[str] = []
    # Read the load history in the same transaction, so that of two parallel loads one waits or fails.
    with load_history.turn(account, copy.target), load_history.one_transaction(account, session):
        if "FORCE" not in flags:
            keys, passed = _without_loaded(session, copy, keys, digests)
        keys = _within(copy.options.size_limit, copy.place, keys)
        copy_jobs.remember(account, session, copy, keys)
        files = _load(account, session, copy, keys) if keys else []
        taken = {_identity(copy.place, file.key): digests[file.key] for file in files if not file.failed}
        if taken:
            load_history.note(account, session, copy.target, taken)
    sizes = {file.key: copy.place.file(file.key).stat().st_size for file in files}
    if "PURGE" in flags:
        for file in files:
            if not file.failed:
                copy.place.file(file.key).unlink(missing_ok=True)
    copied = [CopiedFile(file.key, sizes[file.key], _told(copy, file)[1:]) for file in files]
    copy_store.note(account, copy.target, copy.statement.source.partition("/")[0] + "/", copied)
    told = [_told(copy, file) for file in files if file.errors or "RETURN_FAILED_ONLY" not in flags]
    if copy.statement.options.get("FILES"):
        told += [_passed_over(copy, key) for key in passed] + [_not_there(copy, name) for name in missing]
    if not files and not told:
        return status("Copy executed with 0 files processed.")
    return table(_TOLD, told)


def _without_loaded(
    session: Session, copy: Copy, keys: Sequence[str], digests: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """The files that are to be loaded, and those that were loaded before and have not changed."""
    before = load_history.loaded(session, copy.target)
    passed = [key for key in keys if before.get(_identity(copy.place, key)) == digests[key]]
    return [key for key in keys if key not in set(passed)], passed


def _within(limit: int, place: Place, keys: Sequence[str]) -> list[str]:
    """The files up to the one with which the limit is passed."""
    chosen, size = [], 0
    for key in keys:
        if limit and size > limit:
            break
        chosen.append(key)
        size += place.file(key).stat().st_size
    return chosen


def _identity(place: Place, key: str) -> str:
    """The identity of a file of a stage; a stage that was created again has other files."""
    return f"{place.root.name}/{key}"


# -- rows


@dataclass(frozen=True, slots=True)
class _Read:
    """All rows of several files in one table, the filled columns, and where each file's rows begin and end."""

    rows: pa.Table
    targets: Sequence[Target]
    parts: Sequence[tuple[str, pa.Table, Mapping[int, int]]]


def _read(account: Account, copy: Copy, keys: Sequence[str]) -> _Read:
    tables, counts = [], []
    wanted = metadata_in(*_selected(copy)) | set(copy.options.metadata.values())
    for key in keys:
        if copy.is_counted:
            rows, wrong = read_counted(account, copy.place, key, copy.settings, len(copy.own))
        else:
            rows, wrong = (
                read_file(account, copy.place, key, copy.settings, ragged=copy.is_ragged, metadata=wanted),
                {},
            )
        tables.append(rows)
        counts.append(wrong)
    names, expressions, every = _assignment(copy, concatenated(tables))
    parts, start = [], 0
    for key, rows, wrong in zip(keys, tables, counts, strict=True):
        parts.append((key, every.slice(start, rows.num_rows), wrong))
        start += rows.num_rows
    return _Read(every, _targets(copy, names, expressions), parts)


def _targets(copy: Copy, names: Sequence[str], expressions: Sequence[Expr]) -> list[Target]:
    targets = []
    for name, source in zip(names, expressions, strict=True):
        _, kind, length, nullable, *_ = copy.own[name]
        cut = length if length and copy.options.truncates else None
        if cut is not None:
            source = exp.Left(this=exp.cast(source, "VARCHAR"), expression=exp.Literal.number(cut))
        most = length if length and cut is None and length < _LONGEST else None
        targets.append(Target(name, kind, source, most, bool(nullable)))
    return targets


_LONGEST = 16_777_216


def _selected(copy: Copy) -> Sequence[Expr]:
    """The expressions of a copy with transformation."""
    projection = copy.statement.projection
    return () if projection is None else parse_one(f"SELECT {projection}").expressions


def _load(account: Account, session: Session, copy: Copy, keys: Sequence[str]) -> list[Loaded]:
    """Read these files, and insert their valid rows with one statement."""
    read = _read(account, copy, keys)
    files = [
        _checked(account, session, copy, read.targets, key, part, wrong) for key, part, wrong in read.parts
    ]
    good = concatenated([file.rows for file in files])
    identifiers = [exp.to_identifier(one.name, quoted=True) for one in read.targets]
    insert = exp.Insert(
        this=exp.Schema(this=_table(copy.target), expressions=identifiers),
        expression=exp.select(*(one.source for one in read.targets)).from_(exp.to_table(STAGED)),
    )
    if good.num_rows or copy.options.on_error.aborts:
        account.run_tree(session, insert, staged={STAGED: good})
    return files


def _errors(
    account: Account,
    session: Session,
    copy: Copy,
    targets: Sequence[Target],
    rows: pa.Table,
    wrong: Mapping[int, int],
) -> list[RowError]:
    """The first error of each row that does not fit."""
    every = not copy.options.on_error.aborts or copy.options.validation is not None
    name, delimiter = copy.target.name, str(copy.settings.get("FIELD_DELIMITER", ","))
    found = {one.row: one for one in row_errors.of_values(account, session, name, rows, targets, every=every)}
    found |= {one.row: one for one in row_errors.of_counts(name, list(copy.own), wrong, delimiter)}
    return [found[row] for row in sorted(found)]


def _checked(
    account: Account,
    session: Session,
    copy: Copy,
    targets: Sequence[Target],
    key: str,
    rows: pa.Table,
    wrong: Mapping[int, int],
) -> Loaded:
    """The rows of a file that fit their columns; with ABORT, raises SqlError at the first that does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    on_error, parsed = copy.options.on_error, rows.num_rows
    errors = _errors(account, session, copy, targets, rows, wrong)
    first = row_errors.placed(errors[:1], copy.place.file(key), copy.csv)
    if first and on_error.aborts:
        raise row_errors.aborting(first[0], key)
    limit = on_error.limit(parsed)
    if on_error.skips(len(errors), parsed):
        return Loaded(key, rows.slice(0, 0), parsed, limit, [*first, *errors[1:]], skipped=True)
    if errors:
        bad = pa.array([one.row for one in errors])
        rows = rows.filter(pc.invert(pc.is_in(pa.array(range(parsed)), value_set=bad)))
    return Loaded(key, rows, parsed, limit, [*first, *errors[1:]])


def _assignment(copy: Copy, rows: pa.Table) -> tuple[Sequence[str], list[Expr], pa.Table]:
    """The filled columns of the table, the expression over the staged rows for each, and these rows."""
    names, kind = list(copy.names), copy.kind
    given = data_columns(rows)
    expressions: list[Expr] = []
    if copy.statement.projection is not None:
        for node in _selected(copy):
            found, rows = over_staged(_without_alias(node), rows, kind)
            expressions.append(found)
    elif copy.options.match is not None:
        return (*_matched(copy, _keys_of_documents(rows) if kind == "JSON" else given), rows)
    elif kind in ("PARQUET", "JSON"):
        rows = with_documents(rows) if kind == "PARQUET" else rows
        expressions = [exp.ParseJSON(this=column("C1"))]
    else:
        expressions = [column(name) for name in given]
        if copy.is_ragged:
            names, expressions = names[: len(expressions)], expressions[: len(names)]
    if len(names) != len(expressions):
        if copy.statement.projection is not None:
            counts = f"expecting {len(names)} but got {len(expressions)}"
            words = f"SQL compilation error:\nInsert value list does not match column list {counts}"
            raise SqlError(words, 2020, "21S01")
        raise SqlError(
            f"Number of columns in file ({len(expressions)}) does not match that of the corresponding table "
            f"({len(names)}), use file format option error_on_column_count_mismatch=false to ignore this error",
            100080,
            "22000",
        )
    return names, expressions, rows


def _matched(copy: Copy, given: Sequence[str]) -> tuple[Sequence[str], list[Expr]]:
    """The columns that have the name of one in the files, or that get metadata, which goes before."""

    def folded(name: str) -> str:
        return name if copy.options.match == "CASE_SENSITIVE" else name.upper()

    sources: dict[str, Expr] = {name: column(one) for name, one in copy.options.metadata.items()}
    found = {folded(name): name for name in given}
    for name in copy.names:
        if name not in sources and (source := found.get(folded(name))) is not None:
            sources[name] = _key(source) if copy.kind == "JSON" else column(source)
    names = [name for name in copy.names if name in sources]
    return names, [sources[name] for name in names]


def _without_alias(node: Expr) -> Expr:
    """An expression of a copy with transformation; `t.$1` is `$1`, because there is only one location."""
    bare = node.this if isinstance(node, exp.Alias) else node

    def stripped(inner: Expr) -> Expr:
        is_position = isinstance(inner, exp.Column) and isinstance(inner.this, exp.Parameter)
        return inner.this if is_position else inner

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


def _table(name: ObjectName) -> exp.Table:
    parts = (name.name, name.schema, name.database)
    this, db, catalog = (exp.to_identifier(part, quoted=True) for part in parts)
    return exp.Table(this=this, db=db, catalog=catalog)


# -- what is told

_TOLD = columns(
    "file status rows_parsed:fixed rows_loaded:fixed error_limit:fixed errors_seen:fixed first_error "
    "first_error_line:fixed first_error_character:fixed first_error_column_name"
)


def _told(copy: Copy, file: Loaded) -> tuple[Any, ...]:
    """The row of a file; files of documents have no characters and columns, and their rows are lines."""
    counted = (file.parsed, file.rows.num_rows, file.limit, len(file.errors))
    start = (copy.place.prefix + file.key, file.word, *counted)
    if not file.errors:
        return (*start, None, None, None, None)
    first = file.errors[0]
    if (where := first.position) is None:
        return (*start, first.sentence, first.row + 1, None, None)
    return (*start, first.sentence, where.line, where.character, first.column)


def _passed_over(copy: Copy, key: str) -> tuple[Any, ...]:
    loaded = "File was loaded before."
    return (copy.place.prefix + key, "LOAD_SKIPPED", 0, 0, None, 1, loaded, None, None, None)


def _not_there(copy: Copy, name: str) -> tuple[Any, ...]:
    sentence = f"{_not_found(copy, name)} {_CAUSES}"
    return (copy.place.prefix + name, "LOAD_FAILED", 0, 0, 1, 1, sentence, None, None, None)


# -- VALIDATION_MODE

ERRORS = columns(
    "ERROR FILE LINE:fixed CHARACTER:fixed BYTE_OFFSET:fixed CATEGORY CODE:fixed SQL_STATE COLUMN_NAME "
    "ROW_NUMBER:fixed ROW_START_LINE:fixed REJECTED_RECORD"
)


def _validated(
    account: Account, session: Session, copy: Copy, keys: Sequence[str], missing: Sequence[str]
) -> Result:
    """The first rows as they would be loaded, or the errors of all rows; nothing is loaded."""
    asked = copy.options.validation
    assert asked is not None
    if asked.rows is None and not asked.again and "FORCE" not in copy.options.flags:
        digests = {key: md5(copy.place.file(key)) for key in keys}
        keys, _ = _without_loaded(session, copy, keys, digests)
    keys = _within(copy.options.size_limit, copy.place, keys)
    if asked.rows is not None:
        if missing:
            raise SqlError(f"{_not_found(copy, missing[0])} {_DELETED}", 91016, "22000")
        return _first_rows(account, session, copy, keys, asked.rows)
    rows = [row for key in keys for row in error_rows(account, session, copy, key)]
    for name in missing:
        sentence = f"{_not_found(copy, name)} {_CAUSES}"
        rows.append((sentence, name, None, None, None, "other", 100112, "22000", None, 0, 0, None))
    return table(ERRORS, rows, SELECT)


def _first_rows(account: Account, session: Session, copy: Copy, keys: Sequence[str], count: int) -> Result:
    """The first rows with the types of the table; raises SqlError if one of them does not fit."""
    if not keys:
        return Result(tuple(Column(name) for name in copy.names))
    read, left = _read(account, copy, keys), count
    for key, part, wrong in read.parts:
        early = [one for one in _errors(account, session, copy, read.targets, part, wrong) if one.row < left]
        if early:
            [first] = row_errors.placed(early[:1], copy.place.file(key), copy.csv)
            raise row_errors.aborting(first, key)
        left -= min(left, part.num_rows)
    shown = [
        exp.alias_(
            exp.Cast(this=one.source.copy(), to=exp.DataType.build(one.kind, dialect="duckdb")),
            one.name,
            quoted=True,
        )
        for one in read.targets
    ]
    query = exp.select(*shown).from_(exp.to_table(STAGED)).limit(count)
    return account.run_tree(session, query, staged={STAGED: read.rows})


def error_rows(account: Account, session: Session, copy: Copy, key: str) -> list[tuple[Any, ...]]:
    """A row for each error of a file; only a record of a CSV file has a place in it."""
    read = _read(account, copy, [key])
    [(_, part, wrong)] = read.parts
    errors = _errors(account, session, copy, read.targets, part, wrong)
    found = []
    for one in row_errors.placed(errors, copy.place.file(key), copy.csv):
        where, number = one.position, one.row + 1
        place = (number, None, None) if where is None else (where.line, where.character, where.offset)
        start, record = (number, None) if where is None else (where.record_line, where.record)
        what = (one.category, one.code, one.sqlstate, one.column)
        found.append((one.sentence, key, *place, *what, number, start, record))
    return found
