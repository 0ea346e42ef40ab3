"""Rows of stages and of file formats; the files of a stage are in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS stages (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    folder TEXT NOT NULL UNIQUE,
    created_on TEXT NOT NULL,
    owner TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    encryption TEXT NOT NULL DEFAULT 'SNOWFLAKE_FULL',
    directory INTEGER NOT NULL DEFAULT 0,  -- 1 with a directory, 2 with one that AUTO_REFRESH was said of
    session INTEGER,  -- of a temporary stage
    PRIMARY KEY (database, schema, name)
);
CREATE TABLE IF NOT EXISTS file_formats (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    options TEXT NOT NULL,
    session INTEGER,  -- of a temporary file format
    PRIMARY KEY (database, schema, name)
);
CREATE TABLE IF NOT EXISTS stage_formats (
    folder TEXT PRIMARY KEY,  -- of the stage
    format TEXT NOT NULL
);
"""

_ONE = "database = ? AND schema = ? AND name = ?"


# -- stages


def find(account: Account, name: ObjectName) -> Row | None:
    return account.store.row(f"SELECT * FROM stages WHERE {_ONE}", name.parts)


def every(account: Account) -> list[Row]:
    """All stages, by name."""
    return account.store.rows("SELECT * FROM stages ORDER BY database, schema, name")


def in_schema(account: Account, database: str, schema: str) -> list[Row]:
    """The stages of a schema, by name."""
    return account.store.rows(
        "SELECT * FROM stages WHERE database = ? AND schema = ? ORDER BY name", (database, schema)
    )


def temporary(account: Account, session: int | None = None) -> list[Row]:
    """The temporary stages of a session, or of all."""
    return account.store.rows(
        "SELECT * FROM stages WHERE session = ?"
        if session is not None
        else "SELECT * FROM stages WHERE session IS NOT NULL",
        () if session is None else (session,),
    )


def add(
    account: Account,
    name: ObjectName,
    folder: str,
    *,
    owner: str,
    comment: str,
    encryption: str,
    directory: int,
    session: int | None,
) -> None:
    """Store a stage that is created now; `session` is that of a temporary one."""
    account.store.execute(
        "INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(*name.parts, folder, account.clock().isoformat(), owner, comment),
            *(encryption, directory, session),
        ),
    )


def change(account: Account, name: ObjectName, *, comment: str, directory: int) -> None:
    account.store.execute(
        f"UPDATE stages SET comment = ?, directory = ? WHERE {_ONE}",
        (comment, directory, *name.parts),
    )


def rename(account: Account, name: ObjectName, new: ObjectName) -> None:
    account.store.execute(
        f"UPDATE stages SET database = ?, schema = ?, name = ? WHERE {_ONE}", (*new.parts, *name.parts)
    )


def remove(account: Account, name: ObjectName, folder: str) -> None:
    """Remove a stage's rows, and not its folder."""
    account.store.execute(f"DELETE FROM stages WHERE {_ONE}", name.parts)
    set_format_of_stage(account, folder, None)


def format_of_stage(account: Account, folder: str) -> Any:
    """The FILE_FORMAT of the stage with this folder, or None."""
    text = account.store.value("SELECT format FROM stage_formats WHERE folder = ?", (folder,))
    return None if text is None else json.loads(text)


def set_format_of_stage(account: Account, folder: str, given: Any) -> None:
    """Replace the FILE_FORMAT of the stage with this folder; None removes it."""
    account.store.execute("DELETE FROM stage_formats WHERE folder = ?", (folder,))
    if given is not None:
        account.store.execute("INSERT INTO stage_formats VALUES (?, ?)", (folder, json.dumps(given)))


# -- file formats


def find_format(account: Account, name: ObjectName) -> dict[str, Any] | None:
    """The options of a file format."""
    text = account.store.value(f"SELECT options FROM file_formats WHERE {_ONE}", name.parts)
    return None if text is None else dict(json.loads(text))


def every_format(account: Account) -> list[tuple[ObjectName, dict[str, Any]]]:
    """All file formats with their options, by name."""
    rows = account.store.rows("SELECT * FROM file_formats ORDER BY database, schema, name")
    return [
        (ObjectName(row["database"], row["schema"], row["name"]), json.loads(row["options"])) for row in rows
    ]


def save_format(account: Account, name: ObjectName, options: Mapping[str, Any], session: int | None) -> None:
    """Store a file format, or replace it; `session` is that of a temporary one."""
    account.store.execute(
        "INSERT OR REPLACE INTO file_formats VALUES (?, ?, ?, ?, ?)",
        (*name.parts, json.dumps(dict(options)), session),
    )


def session_of_format(account: Account, name: ObjectName) -> int | None:
    """The session of a temporary file format, None for others."""
    found: int | None = account.store.value(f"SELECT session FROM file_formats WHERE {_ONE}", name.parts)
    return found


def remove_format(account: Account, name: ObjectName) -> None:
    account.store.execute(f"DELETE FROM file_formats WHERE {_ONE}", name.parts)


def remove_formats(account: Account, database: str, schema: str) -> None:
    """Remove the file formats of a schema."""
    account.store.execute("DELETE FROM file_formats WHERE database = ? AND schema = ?", (database, schema))


def remove_temporary_formats(account: Account, session: int | None = None) -> None:
    """Remove the temporary file formats of a session, or of all."""
    if session is None:
        account.store.execute("DELETE FROM file_formats WHERE session IS NOT NULL")
    else:
        account.store.execute("DELETE FROM file_formats WHERE session = ?", (session,))
