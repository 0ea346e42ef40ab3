"""The options of COPY INTO a table: their values are checked before any file is looked for.

https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#copy-options-copyoptions
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from sfml_local.core.errors import SqlError, invalid_parameter, invalid_value, not_emulated
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.grammar.copying import CopyIntoTable
from sfml_local.grammar.options import written
from sfml_local.services.stages.staged_files import METADATA, kind_of

_FLAGS = (
    *("PURGE", "FORCE", "RETURN_FAILED_ONLY", "ENFORCE_LENGTH", "TRUNCATECOLUMNS", "LOAD_UNCERTAIN_FILES"),
)
_OTHERS = frozenset(
    {"FILE_FORMAT", "ON_ERROR", "MATCH_BY_COLUMN_NAME", "FILES", "PATTERN", "SIZE_LIMIT", "INCLUDE_METADATA"}
)
_ABSENT = frozenset({"FILE_PROCESSOR", "CLUSTER_AT_INGEST_TIME", "LOAD_MODE", "PARTITION_TYPE"})
_ON_ERROR = re.compile(r"CONTINUE|ABORT_STATEMENT|SKIP_FILE|SKIP_FILE_(\d+)(%?)", re.IGNORECASE)
_VALIDATION = re.compile(r"RETURN_(\d+)_ROWS|RETURN_ERRORS|RETURN_ALL_ERRORS", re.IGNORECASE)
_MATCHED = ("CASE_SENSITIVE", "CASE_INSENSITIVE", "NONE")
_ARITHMETIC: Mapping[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


@dataclass(frozen=True, slots=True)
class OnError:
    """What happens at rows that do not fit: `least` or `share` errors skip their file, fewer skip the rows alone."""

    word: str
    least: int = 1
    share: bool = False

    @property
    def aborts(self) -> bool:
        return self.word == "ABORT_STATEMENT"

    def limit(self, rows: int) -> int:
        """How many errors skip a file of so many rows, or end the statement; with CONTINUE all of them."""
        if self.word == "CONTINUE":
            return max(rows, 1)
        return max(self.least * rows // 100, 1) if self.share else self.least

    def skips(self, errors: int, rows: int) -> bool:
        """Whether a file with so many errors is skipped."""
        return self.word == "SKIP_FILE" and errors >= self.limit(rows)


@dataclass(frozen=True, slots=True)
class Validation:
    """Rows are looked at and not loaded: so many of them are shown, or all errors, `again` of loaded files as well."""

    rows: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """`size_limit` is in bytes, 0 for none; `match` is the way of MATCH_BY_COLUMN_NAME, if any.

    `metadata` tells which columns of the table get which metadata of their file.
    """

    on_error: OnError
    flags: frozenset[str]
    size_limit: int = 0
    match: str | None = None
    validation: Validation | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def truncates(self) -> bool:
        return "TRUNCATECOLUMNS" in self.flags


def read(given: Mapping[str, Any]) -> CopyOptions:
    """The options of a statement; raises SqlError for one that there is not, or that has another value."""
    for key, value in given.items():
        if key in _ABSENT:
            raise not_emulated(f"COPY INTO with {key}")
        if key not in _OTHERS and key not in _FLAGS and key != "VALIDATION_MODE":
            raise invalid_parameter(key)
        if key in _FLAGS and not isinstance(value, bool):
            raise invalid_value(written(value), key)
    if given.get("ENFORCE_LENGTH") is True and given.get("TRUNCATECOLUMNS") is True:
        message = "SQL compilation error: conflicting values for copy option 'TRUNCATECOLUMNS'"
        raise SqlError(message, 1003, "42000")
    flags = {name for name in _FLAGS if given.get(name) is True}
    if given.get("ENFORCE_LENGTH") is False:
        flags.add("TRUNCATECOLUMNS")
    return CopyOptions(
        _on_error(given.get("ON_ERROR", "ABORT_STATEMENT")),
        frozenset(flags),
        _size(given.get("SIZE_LIMIT", 0)),
        _matched(given.get("MATCH_BY_COLUMN_NAME", "NONE")),
        _validation(given.get("VALIDATION_MODE")),
        _metadata(given),
    )


def _on_error(value: Any) -> OnError:
    found = _ON_ERROR.fullmatch(str(value))
    if found is None:
        raise invalid_value(written(value), "ON_ERROR")
    if found[1] is None:
        return OnError(str(value).upper())
    return OnError("SKIP_FILE", int(found[1]), bool(found[2]))


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid_value(written(value), "SIZE_LIMIT")
    return value


def _matched(value: Any) -> str | None:
    if str(value).upper() not in _MATCHED:
        raise invalid_value(written(value), "MATCH_BY_COLUMN_NAME")
    return None if str(value).upper() == "NONE" else str(value).upper()


def _validation(value: Any) -> Validation | None:
    if value is None:
        return None
    found = _VALIDATION.fullmatch(str(value))
    if found is None:
        raise invalid_value(written(value), "VALIDATION_MODE")
    if found[1] is not None:
        return Validation(int(found[1]))
    return Validation(again=str(value).upper() == "RETURN_ALL_ERRORS")


def _metadata(given: Mapping[str, Any]) -> Mapping[str, str]:
    """Column → metadata; https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#include-metadata."""
    listed = given.get("INCLUDE_METADATA", {})
    if not isinstance(listed, dict):
        raise invalid_value(written(listed), "INCLUDE_METADATA")
    if listed and _matched(given.get("MATCH_BY_COLUMN_NAME", "NONE")) is None:
        message = "SQL compilation error:\nINCLUDE_METADATA can only be used with MATCH_BY_COLUMN_NAME."
        raise SqlError(message, 1003, "42000")
    for value in listed.values():
        if str(value).upper() not in METADATA:
            raise invalid_value(written(value), "INCLUDE_METADATA")
    return {name: str(value).upper() for name, value in listed.items()}


# -- what the options and the files' format do not allow together


def check(
    statement: CopyIntoTable, options: CopyOptions, settings: dict[str, Any], kinds: Sequence[str]
) -> None:
    """Refuse what accounts refuse without a look at the files; `kinds` are the types of the loaded columns."""
    kind = kind_of(settings)
    if statement.projection is not None:
        if options.validation is not None:
            message = "SQL compilation error:\nVALIDATION_MODE does not support COPY with transform."
            raise SqlError(message, 1003, "42000")
        _check_functions(statement.projection)
    elif options.match is not None:
        if kind == "CSV" and settings.get("PARSE_HEADER") is not True:
            raise SqlError(
                "SQL compilation error: match_by_column_name option is not supported for file format CSV without "
                "PARSE_HEADER = TRUE",
                1003,
                "42000",
            )
    elif kind != "CSV" and not (len(kinds) == 1 and _holds_documents(kinds[0])):
        raise _one_column(kind)


def _holds_documents(kind: str) -> bool:
    return kind == "JSON" or kind.endswith("[]") or kind.startswith(("STRUCT", "MAP"))


def _one_column(kind: str) -> SqlError:
    return SqlError(
        f"SQL compilation error:\n{kind} file format can produce one and only one column of type variant, "
        "object, or array. Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or copy "
        "with transformation.",
        2019,
        "0A000",
    )


def _check_functions(projection: str) -> None:
    """Refuse functions that are recorded as not possible in a copy: UPPER, and arithmetic like `*`.

    https://docs.snowflake.com/en/user-guide/data-load-transform#supported-functions
    """
    for node in parse_one(f"SELECT {projection}").find_all(*_ARITHMETIC, exp.Upper):
        name = _ARITHMETIC.get(type(node), "UPPER")
        raise SqlError(
            f"SQL compilation error:\nFunction '{name}' not supported within a COPY.", 2151, "0A000"
        )
