"""Damaged files of an account: renamed, kept beside their places, and reported until the user deletes them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from sfml_local.core import private_files

MARK = ".damaged-"
DATABASES = "databases"
ORPHANS = "orphans"
"""The folder for files that the account's metadata does not name; the metadata may be older than the files."""

METADATA_FILE, GLOBAL_FILE = "account.sqlite", "global.db"

_LOST = {
    METADATA_FILE: "tables are there, but tasks, stages, models and runs are no longer known: apply and seed again",
    GLOBAL_FILE: "lengths of text columns, comments and file formats that were set are no longer known",
}


def put_aside(file: Path, *, logs: tuple[str, ...] = (".wal",)) -> Path:
    """Rename a file and its logs, which have its name with an ending; returns its new path."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%f")
    target = file.with_name(f"{file.name}{MARK}{now}")
    # Rename the logs first: a file without its log is not damaged, but a log without its file is lost.
    for ending in logs:
        log = file.with_name(file.name + ending)
        if log.exists():
            log.replace(target.with_name(target.name + ending))
    file.replace(target)
    return target


def put_log_aside(log: Path) -> str:
    """Rename the damaged log of a DuckDB file; returns a sentence about it."""
    return _log_notice(put_aside(log, logs=()))


def keep_orphan(account: Path, folder: Path) -> Path:
    """Move a folder that the metadata does not name; returns its new path."""
    private_files.make_folder(account / ORPHANS)
    target = account / ORPHANS / f"{folder.parent.name}-{folder.name}"
    folder.replace(target)
    return target


def notices(folder: Path) -> tuple[str, ...]:
    """A sentence for each damaged file in an account's folder."""
    return tuple(_notice(file) for file in sorted(_files(folder)))


def _files(folder: Path) -> Iterator[Path]:
    for place in (folder, folder / DATABASES):
        for file in place.glob(f"*{MARK}*"):
            if file.name.rpartition(MARK)[2].isalnum():  # and none of its logs
                yield file


def _log_notice(log: Path) -> str:
    name = log.name.rpartition(MARK)[0].removesuffix(".wal")
    what = f"database {unquote(name.removesuffix('.db'))}" if log.parent.name == DATABASES else name
    return (
        f"the log of {what} was damaged while no server ran: its file is open without the changes that were only in"
        f" the log, which is kept as {log}. Delete the log to end this notice"
    )


def _notice(file: Path) -> str:
    name = file.name.rpartition(MARK)[0]
    if name.endswith(".wal"):
        return _log_notice(file)
    if file.parent.name == DATABASES:
        what, lost = f"database {unquote(name.removesuffix('.db'))}", "its tables are in that file alone"
    else:
        what, lost = name, _LOST.get(name, "")
    return (
        f"{what} could not be opened: its file is kept as {file}; {lost}. "
        f"Rename it back to {name} to try it again, with the server stopped, or delete it to end this notice"
    )
