"""`SELECT a, b FROM TABLE(d.INFORMATION_SCHEMA.TASK_HISTORY(x => 1))`, answered without sqlglot and DuckDB.

Whoever follows a run asks so several times a second, and the table function itself takes a tenth of the time that its
translation takes. Whatever is written differently, or fails, is left to the translation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sfml_local.core.arguments import Args
from sfml_local.core.arrow import as_table, columns_of
from sfml_local.core.expressions import settings
from sfml_local.core.json_layout import JSON_TYPES
from sfml_local.core.queries import Queries
from sfml_local.core.result import SELECT, TOLD_APART, ArrowRows, ColumnFacts, Result, told
from sfml_local.core.transactions import is_open

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d:\d\d"
_ARGUMENT = re.compile(
    rf"\s*(?P<name>{_WORD})\s*=>\s*"
    rf"(?:'(?P<text>[^'\\]*)'|(?P<number>\d{{1,18}})|TO_TIMESTAMP_LTZ\('(?P<moment>{_MOMENT})'\))\s*(?P<more>,|$)",
    re.ASCII,
)
_READING = re.compile(
    rf"SELECT\s+(?P<columns>\*|{_WORD}(?:,\s*{_WORD})*)\s+FROM\s+TABLE\("
    rf"(?P<place>(?:{_WORD}|\"[^\".]+\")\.)?INFORMATION_SCHEMA\.(?P<function>{_WORD})"
    r"\((?P<arguments>[^()]*(?:\([^()]*\)[^()]*)*)\)\)",
    re.ASCII,
)


def read(account: Account, session: Session, sql: str) -> Result | None:
    """The answer to a plain reading of a table function; None if it is none, or has to be translated."""
    found = _READING.fullmatch(sql)
    if found is None or is_open(session) or not _has_place(account, session, found["place"]):
        return None
    function = account.table_functions.get(found["function"])
    arguments = _arguments(found["arguments"])
    if function is None or arguments is None:
        return None
    account.part(Queries).check(account.query_id)
    whole = function(account, session, Args((), arguments))
    return _projected(whole, _names(found["columns"], whole), settings.text(session, "TIMEZONE"))


def _names(written: str, whole: Result) -> Sequence[str]:
    return whole.names() if written == "*" else [name.strip().upper() for name in written.split(",")]


def _has_place(account: Account, session: Session, place: str | None) -> bool:
    """Whether the database is there in whose INFORMATION_SCHEMA the function is."""
    written = place and place[:-1]
    name = session.database if not written else written[1:-1] if written[0] == '"' else written.upper()
    return name is not None and account.engine.has_database(name)


def _arguments(text: str) -> Mapping[str, Any] | None:
    """The named arguments, each a plain value; None if one is anything else."""
    values: dict[str, Any] = {}
    at, is_ended = 0, not text
    while not is_ended:
        found = _ARGUMENT.match(text, at)
        if found is None:
            return None
        values[found["name"].upper()] = _value(found)
        at, is_ended = found.end(), not found["more"]
    return values


def _value(found: re.Match[str]) -> Any:
    if found["number"] is not None:
        return int(found["number"])
    return found["text"] if found["moment"] is None else datetime.fromisoformat(found["moment"])


def _projected(whole: Result, names: Sequence[str], zone: str) -> Result | None:
    """These columns, as DuckDB would answer them; None if there is no such column, or one comes twice."""
    places = {column.name: at for at, column in enumerate(whole.columns)}
    if len(set(names)) < len(names) or not places.keys() >= set(names):
        return None
    columns = tuple(whole.columns[places[name]] for name in names)
    rows = [tuple(row[places[name]] for name in names) for row in whole.rows]
    table = _answered(as_table(Result(columns, rows)), zone)
    types = ["JSON" if column.type in JSON_TYPES else "" for column in columns]
    facts = {column.name: ColumnFacts(column.type) for column in columns if column.type in TOLD_APART}
    return told(Result(columns_of(table, types), ArrowRows(table), SELECT), facts)


def _answered(table: pa.Table, zone: str) -> pa.Table:
    """The table as DuckDB gives it back: moments are in the session's zone, and JSON is text."""
    kinds = [_kind_answered(field.type, zone) for field in table.schema]
    arrays = [array.cast(kind) for array, kind in zip(table.columns, kinds, strict=True)]
    return pa.Table.from_arrays(arrays, names=table.column_names)


def _kind_answered(kind: pa.DataType, zone: str) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp("us", zone)
    return pa.string() if kind == pa.json_() else kind
