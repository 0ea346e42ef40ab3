"""The DuckDB file of each database: named so that no name leads out of the folder, and made whole or not at all."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb

from sfml.local.store import Store

LONGEST = 180
"""Characters of a file's name; file systems take 255 bytes, the endings included."""


def file_of(folder: Path, database: str) -> Path:
    """The file of a database: its name, with what is no letter, digit, `_`, `-` or `$` percent-encoded."""
    name = re.sub(r"[.~]", lambda found: f"%{ord(found[0]):02X}", quote(database, safe="$"))
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 33]}~{hashlib.sha256(database.encode()).hexdigest()[:32]}"
    return folder / f"{name}.db"


def known(store: Store, folder: Path) -> tuple[str, ...]:
    """The databases of an account whose server starts; removes the files of those that were dropped or half made."""
    noted = [row["database"] for row in store.rows("SELECT database FROM containers WHERE schema = ''")]
    files = set(folder.glob("*.db"))
    if not noted:  # the metadata is gone: better databases with nothing known about them than none
        return tuple(sorted(unquote(file.stem) for file in files if "~" not in file.stem))
    named = {file_of(folder, database): database for database in noted}
    for file in files - named.keys():
        remove(file)
    for left in folder.glob("*.part*"):
        left.unlink()
    return tuple(sorted(database for file, database in named.items() if file in files))


def create(duck: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Make an empty database file unless it is there.

    DuckDB refuses to open the file of a database whose creation was cut off, so it is made under another name.
    """
    if file.exists():
        return
    part = file.with_name(f"{file.name}.part")
    for old in (part, wal_of(part), wal_of(file)):
        old.unlink(missing_ok=True)
    path = str(part).replace("'", "''")
    duck.execute(f"ATTACH '{path}' AS _sfml_new")
    duck.execute("DETACH _sfml_new")
    part.replace(file)


def remove(file: Path) -> None:
    """Delete a database's file, then what was not yet written into it."""
    file.unlink(missing_ok=True)
    wal_of(file).unlink(missing_ok=True)


def wal_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
