"""Rows of staged files that do not fit into the table that they are loaded into, and where in their file they are.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#copy-options-copyoptions
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions import refusals
from sfml_local.services.stages.csv_rows import CsvFile, CsvFormat, Position, read_csv
from sfml_local.services.stages.staged_files import METADATA, NUMBER, column

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

STAGED = "staged"
"""The name under which a statement reads the rows of staged files."""

_HINT = (
    "If you would like to continue loading when an error is encountered, use other values such as 'SKIP_FILE' or "
    "'CONTINUE' for the ON_ERROR option. For more information on loading options, please run 'info loading_data' in "
    "a SQL client."
)

Placing = Callable[[CsvFile, int], Position]
"""Where in a file an error of the row with this number is shown."""


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row, counted from 0, does not fit; `column` is shown as `"TABLE"["COLUMN":1]`."""

    row: int
    sentence: str
    code: int
    sqlstate: str
    column: str
    placing: Placing
    category: str = "conversion"
    position: Position | None = None
    """Its place in a CSV file; None before it is looked for, and in files of documents."""


@dataclass(frozen=True, slots=True)
class Target:
    """A column that is filled from an expression over staged rows; `length` is the most that a text may have."""

    name: str
    kind: str
    source: Expr
    length: int | None = None
    nullable: bool = True


def of_counts(
    table: str, names: Sequence[str], wrong: Mapping[int, int], delimiter: str
) -> Iterator[RowError]:
    """The errors of records that have fewer or more fields than the table has columns."""
    width = len(names)
    for row, fields in wrong.items():
        if row == 0:
            sentence = (
                f"Number of columns in file ({fields}) does not match that of the corresponding table ({width}), use "
                "file format option error_on_column_count_mismatch=false to ignore this error"
            )
            shown = f'"{table}"[{fields}]' if fields > width else _shown(table, names, fields - 1)
            yield RowError(row, sentence, 100080, "22000", shown, CsvFile.after, "parsing")
        elif fields > width:
            sentence = f"Field delimiter '{delimiter}' found while expecting record delimiter '\\n'"
            shown = _shown(table, names, width - 1)
            yield RowError(row, sentence, 100016, "22000", shown, _surplus(width), "parsing")
        else:
            shown = _shown(table, names, fields)
            sentence = f"End of record reached while expected to parse column '{shown}'"
            yield RowError(row, sentence, 100068, "22000", shown, CsvFile.end, "parsing")


def _shown(table: str, names: Sequence[str], index: int) -> str:
    return f'"{table}"["{names[index]}":{index + 1}]'


def _surplus(width: int) -> Placing:
    return lambda file, row: file.surplus(row, width)


def _field(index: int) -> Placing:
    return lambda file, row: file.field(row, index)


# -- values


def of_values(
    account: Account, session: Session, table: str, rows: pa.Table, targets: Sequence[Target], *, every: bool
) -> Iterator[RowError]:
    """The first wrong value of each row; `every` looks at expressions too, and not only at texts of a file."""
    checks = [
        (index, check) for index, target in enumerate(targets) for check in _checks(target, every=every)
    ]
    if not checks or not rows.num_rows:
        return
    names = [one.name for one in targets]
    for number, failed, value in account.run_tree(session, _query(checks), staged={STAGED: rows}).rows:
        index, check = checks[int(failed)]
        refusal = check.refused(str(value))
        yield RowError(
            int(number) - 1,
            refusal.message,
            refusal.errno,
            refusal.sqlstate,
            _shown(table, names, index),
            _field(index),
        )


@dataclass(frozen=True, slots=True)
class _Check:
    """A condition of a value that cannot be stored, the value, and how it is refused."""

    fails: Expr
    value: Expr
    refused: Callable[[str], SqlError]


def _query(checks: Sequence[tuple[int, _Check]]) -> exp.Select:
    """Number, first failing check and its value of each row in which one fails."""
    failed, values = exp.Case(), exp.Case()
    for number, (_, check) in enumerate(checks):
        failed = failed.when(check.fails.copy(), exp.Literal.number(number))
        values = values.when(check.fails.copy(), exp.cast(check.value.copy(), "VARCHAR"))
    return (
        exp.select(column(NUMBER), exp.alias_(failed, "failed"), exp.alias_(values, "wrong_value"))
        .from_(exp.to_table(STAGED))
        .where(exp.or_(*(check.fails.copy() for _, check in checks)))
        .order_by(column(NUMBER))
    )


def _checks(target: Target, *, every: bool) -> Iterator[_Check]:
    source, kind = _conversion(target)
    is_text = isinstance(source, exp.Column) and source.name not in METADATA
    if kind not in ("VARCHAR", "JSON") and (is_text or every):
        fits = exp.TryCast(this=source.copy(), to=exp.DataType.build(kind, dialect="duckdb"))
        fails = exp.and_(source.copy().is_(exp.null()).not_(), fits.is_(exp.null()))
        if not is_text:  # a null of a document is NULL
            fails = exp.and_(fails, exp.cast(source.copy(), "VARCHAR").neq(exp.Literal.string("null")))
        yield _Check(fails, source, _refusing(kind, is_text=is_text))
    if target.length is not None and kind == "VARCHAR" and is_text:
        size = exp.Length(this=exp.cast(source.copy(), "VARCHAR"))
        yield _Check(size > target.length, source, _too_long(target.length))
    if not target.nullable and is_text:
        yield _Check(source.copy().is_(exp.null()), exp.Literal.string(""), _no_null)


def _conversion(target: Target) -> tuple[Expr, str]:
    """The value before its conversion, and the type that it has to have."""
    if isinstance(target.source, exp.Cast):
        return target.source.this, str(target.source.to.sql(dialect="duckdb"))
    return target.source, target.kind


_WORDS = {
    "BOOLEAN": refusals.not_a_boolean,
    "DATE": refusals.not_a_date,
    "TIMESTAMP": refusals.not_a_timestamp,
    "TIME": refusals.not_a_time,
}
_VARIANT_WORDS = {
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIME": "TIME",
    "DOUBLE": "REAL",
}


def _refusing(kind: str, *, is_text: bool) -> Callable[[str], SqlError]:
    if not is_text:
        word = next((word for start, word in _VARIANT_WORDS.items() if kind.startswith(start)), "FIXED")
        return lambda value: _error(refusals.not_a_variant(_document(value), word))
    words = (refusal for start, refusal in _WORDS.items() if kind.startswith(start))
    refusal = next(words, refusals.not_a_number)
    return lambda value: _error(refusal(value))


def _document(value: str) -> str:
    """A value of a document as JSON; a text has lost its quotes by its conversion."""
    try:
        json.loads(value)
    except ValueError:
        return json.dumps(value, ensure_ascii=False)
    return value


def _error(refusal: refusals.Refusal) -> SqlError:
    found = refusals.found(str(refusal))
    assert found is not None
    code, state, sentence = found
    return SqlError(sentence, code, state)


def _too_long(length: int) -> Callable[[str], SqlError]:
    return lambda value: SqlError(
        f"User character length limit ({length}) exceeded by string '{value}'", 100074, "54000"
    )


def _no_null(value: str) -> SqlError:
    return SqlError("NULL result in a non-nullable column", 100072, "22000")


# -- places


def placed(errors: Sequence[RowError], file: Path, how: CsvFormat | None) -> list[RowError]:
    """The errors with their places in a CSV file; without a format they stay as they are."""
    if how is None or not errors:
        return list(errors)
    found = read_csv(file, how)
    return [replace(one, position=one.placing(found, one.row)) for one in errors]


def aborting(error: RowError, file: str) -> SqlError:
    """The error of a statement that ends at the first row that does not fit."""
    number, where = error.row + 1, error.position
    line, character = (number, 0) if where is None else (where.line, where.character)
    starts = f" starts at line {where.record_line}" if where and where.record_line != where.line else ""
    return SqlError(
        f"{error.sentence}\n  File '{file}', line {line}, character {character}\n  Row {number}{starts}, column "
        f"{error.column}\n  {_HINT}",
        error.code,
        error.sqlstate,
    )
