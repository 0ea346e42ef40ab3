"""Directory tables: the files of a stage as they were when it was last refreshed, which streams on it follow.

Queries of DIRECTORY(@stage) read the files themselves. https://docs.snowflake.com/en/user-guide/data-load-dirtables
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.result import ColumnFacts, Result, columns, table
from sfml_local.grammar.quoting import duckdb_identifier
from sfml_local.services.stages import store
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.stage_functions import file_row, no_directory
from sfml_local.services.streams import changes
from sfml_local.services.streams import store as streams
from sfml_local.services.streams.following import recorded
from sfml_local.services.variants import store as column_facts

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session
    from sfml_local.grammar.tokens import Name

_COLUMNS = {
    "RELATIVE_PATH": "VARCHAR",
    "SIZE": "BIGINT",
    "LAST_MODIFIED": "TIMESTAMPTZ",
    "MD5": "VARCHAR",
    "ETAG": "VARCHAR",
    "FILE_URL": "VARCHAR",
}
_SHOWN = columns("file status description")
_TOLD = {
    "REGISTERED_NEW": "File registered successfully.",
    "REGISTERED_UPDATE": "File registered (updated) successfully.",
    "UNREGISTERED": "File unregistered successfully.",
}


def followed(account: Account, session: Session, name: Name) -> ObjectName:
    """The table of the files that a stage had at its last refresh; refuses a stage without a directory."""
    full = resolve(name, session)
    row = store.find(account, full)
    if row is None:
        raise does_not_exist("Stage", full.fqn())
    if not row["directory"]:
        raise no_directory(full)
    return _made(account, full.database, row["folder"])


def _table(database: str, folder: str) -> ObjectName:
    return ObjectName(database, changes.PLACE, f"_sfml_directory_{folder}")


def _made(account: Account, database: str, folder: str) -> ObjectName:
    name = _table(database, folder)
    described = ", ".join(f"{duckdb_identifier(column)} {kind}" for column, kind in _COLUMNS.items())
    account.engine.rows(f"CREATE TABLE IF NOT EXISTS {changes.table_of(name)} ({described})")
    column_facts.save(account, name, {"LAST_MODIFIED": ColumnFacts(kind="timestamp_ltz")})
    return name


def refresh(account: Account, session: Session, name: ObjectName, row: Row, path: str) -> Result:
    """ALTER STAGE … REFRESH: register the files below a path as they are now, and tell what is new of them.

    https://docs.snowflake.com/en/sql-reference/sql/alter-stage
    """
    place = _made(account, name.database, row["folder"])
    files = locate(account, session, f"@{name.fqn()}/{path}")
    found = {key: file_row(account, files, name, key) for key in files.paths()}
    with recorded(account, session, place):
        known = _known(session, place, path)
        status = _compared(known, found)
        _write(session, place, status, found)
    return table(_SHOWN, [(key, word, _TOLD[word]) for key, word in sorted(status.items())])


def _known(session: Session, place: ObjectName, path: str) -> dict[str, tuple[Any, ...]]:
    rows = session.rows(
        f"SELECT RELATIVE_PATH, SIZE, MD5 FROM {changes.table_of(place)} WHERE starts_with(RELATIVE_PATH, ?)",
        [path],
    )
    return {key: (size, digest) for key, size, digest in rows}


def _compared(known: Mapping[str, tuple[Any, ...]], found: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
    """What a refresh says of each file that is new, changed or gone."""
    told = dict.fromkeys(known.keys() - found.keys(), "UNREGISTERED")
    for key, (_, size, _, digest, *_) in found.items():
        if key not in known:
            told[key] = "REGISTERED_NEW"
        elif known[key] != (size, digest):
            told[key] = "REGISTERED_UPDATE"
    return told


def _write(
    session: Session, place: ObjectName, status: Mapping[str, str], found: Mapping[str, tuple[Any, ...]]
) -> None:
    """Write what has changed; a changed file keeps its row."""
    target, names = changes.table_of(place), list(_COLUMNS)
    by_word = {word: [key for key, told in status.items() if told == word] for word in _TOLD}
    if gone := by_word["UNREGISTERED"]:
        session.rows(f"DELETE FROM {target} WHERE list_contains(?, RELATIVE_PATH)", [gone])
    if changed := by_word["REGISTERED_UPDATE"]:
        new = ", ".join(f"{name} = n.{name}" for name in names[1:])
        rows, values = _rows(found[key] for key in changed)
        same = f"{target}.RELATIVE_PATH = n.RELATIVE_PATH"
        session.rows(f"UPDATE {target} SET {new} FROM ({rows}) n WHERE {same}", values)
    if added := by_word["REGISTERED_NEW"]:
        rows, values = _rows(found[key] for key in added)
        session.rows(f"INSERT INTO {target} {rows}", values)


def _rows(rows: Iterable[tuple[Any, ...]]) -> tuple[str, list[list[str]]]:
    """A query for rows of the table, and its values: one list of texts for each column."""
    read = ", ".join(f"unnest(?::VARCHAR[])::{kind} AS {name}" for name, kind in _COLUMNS.items())
    return f"SELECT {read}", [[str(value) for value in column] for column in zip(*rows, strict=True)]


def forget(account: Account, name: ObjectName, folder: str) -> None:
    """Drop the table of a stage that goes; streams on it become stale."""
    gone = _table(name.database, folder)
    streams.make_stale(account.store, gone)
    if account.engine.has_database(name.database):
        account.engine.rows(f"DROP TABLE IF EXISTS {changes.table_of(gone)}")
    column_facts.save(account, gone, {})
