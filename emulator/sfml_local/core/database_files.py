"""The DuckDB file of each database; no name leads out of the folder.

Only DROP DATABASE deletes files: a file that the account's metadata does not name may be younger than the
metadata, and counts as a database.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb

from sfml_local.core.log_records import goes_on_after_a_break
from sfml_local.core.store import Store
from sfml_local.grammar.quoting import duckdb_literal

DEFAULT_SCHEMA = "PUBLIC"
"""The schema that every new database has."""

DROPPED = ".dropped"
"""The ending of a file's name while its database is being dropped."""

PROBED = ".probed"
"""The ending of a second name of a file, under which DuckDB finds no log of it."""

LEAST_ROOM = 2**20
"""Bytes without which DuckDB may be unable to open a file that is sound."""

LONGEST = 180
"""The most characters of a file's name; file systems allow 255 bytes, endings included."""


def file_of(folder: Path, database: str) -> Path:
    """The file of a database: its name, with characters other than letters, digits, `_`, `-`, `$` percent-encoded."""
    name = re.sub(r"[.~]", lambda found: f"%{ord(found[0]):02X}", quote(database, safe="$"))
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 33]}~{hashlib.sha256(database.encode()).hexdigest()[:32]}"
    return folder / f"{name}.db"


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """The databases at a server's start: those with a file, those of them that the metadata does not name,
    those without a file, and files whose database is unknown."""

    databases: tuple[str, ...]
    adopted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    nameless: tuple[Path, ...] = ()


def known(store: Store, folder: Path) -> KnownFiles:
    """The databases of an account at a server's start; completes interrupted drops, removes half-created files."""
    for left in folder.glob(f"*.db{DROPPED}"):
        _end_drop(store, left)
    for half in (*folder.glob("*.db.part"), *folder.glob("*.db.part.wal"), *folder.glob(f"*.db{PROBED}")):
        half.unlink()
    noted = {row["database"] for row in store.rows("SELECT database FROM containers WHERE schema = ''")}
    files = set(folder.glob("*.db"))
    named = {file_of(folder, database): database for database in noted}
    others = files - named.keys()
    # A long name is cut, so its file shows only the beginning.
    adopted = {name for file in others if file_of(folder, name := unquote(file.stem)) == file}
    nameless = others - {file_of(folder, name) for name in adopted}
    present = {database for file, database in named.items() if file in files}
    return KnownFiles(
        databases=tuple(sorted(present | adopted)),
        adopted=tuple(sorted(adopted)),
        missing=tuple(sorted(noted - present)),
        nameless=tuple(sorted(nameless)),
    )


def begin_drop(file: Path) -> None:
    """Mark the file of a database as dropped; from here on it is dropped even if the server dies."""
    file.replace(file.with_name(file.name + DROPPED))


def undo_drop(file: Path) -> None:
    """Remove the mark from the file of a database that is still open."""
    file.with_name(file.name + DROPPED).replace(file)


def end_drop(file: Path) -> None:
    """Delete a file that is marked, and its log."""
    wal_of(file).unlink(missing_ok=True)
    file.with_name(file.name + DROPPED).unlink(missing_ok=True)


def _end_drop(store: Store, left: Path) -> None:
    file = left.with_name(left.name.removesuffix(DROPPED))
    for row in store.rows("SELECT database FROM containers WHERE schema = ''"):
        if file_of(file.parent, row["database"]) == file and not file.exists():
            store.execute("DELETE FROM containers WHERE database = ?", (row["database"],))
    if not file.exists():
        wal_of(file).unlink(missing_ok=True)
    left.unlink()


def passing_trouble(file: Path) -> str | None:
    """Why an undamaged file may not open at the moment; None if there is no such reason, so it must be damaged."""
    if shutil.disk_usage(file.parent).free < LEAST_ROOM:
        return "the disk is full"
    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError as error:
        return str(error.strerror)
    with contextlib.closing(os.fdopen(descriptor, "rb")):
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return "another process has it open"
    return None


def has_damaged_log(file: Path) -> bool:
    """Whether the file of a killed server is sound, and its log, with the latest changes, is not.

    DuckDB refuses to open a file whose log is damaged, except if the damage is at the log's beginning or in the length
    of a record: then it ignores the log from there on, and overwrites it at the next change.
    """
    log = wal_of(file)
    if not file.exists() or not log.exists() or log.stat().st_size == 0:
        return False
    if (replayed := _replayed(file)) is not None:
        number, _, unit = replayed.partition(" ")
        read = int(number) if unit == _EXACT else None
        return read == 0 or goes_on_after_a_break(log, read)
    probed = file.with_name(file.name + PROBED)
    probed.unlink(missing_ok=True)
    probed.hardlink_to(file)
    try:
        return _replayed(probed) is not None
    finally:
        probed.unlink()


_EXACT = "bytes"
"""The unit in which DuckDB tells exactly how much of a log it has read: below 1 KiB."""


def _replayed(file: Path) -> str | None:
    """How much DuckDB reads of the file's log, in its own words; None if it does not open the file."""
    with contextlib.closing(duckdb.connect(config={"threads": 1})) as duck:
        try:
            duck.execute(f"ATTACH {duckdb_literal(str(file))} AS probed (READ_ONLY)")
        except duckdb.Error:
            return None
        size = duck.execute(
            "SELECT wal_size FROM pragma_database_size() WHERE database_name = 'probed'"
        ).fetchone()
        return str(size[0]) if size else None


def wal_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
