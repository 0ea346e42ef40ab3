"""Opens an account's databases when its server starts; a damaged one does not keep the others from opening."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from sfml_local.core import database_files, set_aside
from sfml_local.core.errors import SqlError

if TYPE_CHECKING:
    from sfml_local.core.engine import Engine
    from sfml_local.core.notices import Notices
    from sfml_local.core.store import Store


def open_databases(engine: Engine, store: Store, notices: Notices) -> None:
    """Attach each database; one that cannot be opened is skipped."""
    known = database_files.known(store, engine.folder)
    for database in known.adopted:
        notices.add(
            f"database {database} has a file that account.sqlite does not name: it is taken over", shown=True
        )
    for database in known.missing:
        notices.add(f"database {database} has no file: it is forgotten")
        store.execute("DELETE FROM containers WHERE database = ?", (database,))
    for file in known.nameless:
        notices.add(
            f"{file} is left alone: it has no name that CREATE DATABASE gives, or is cut of a long one, with"
            " which CREATE DATABASE opens it",
            shown=True,
        )
    for database in known.databases:
        file = database_files.file_of(engine.folder, database)
        if database_files.has_damaged_log(file):
            notices.add(set_aside.put_log_aside(database_files.wal_of(file)))
        try:
            engine.attach(database)
        except SqlError as error:
            _leave_out(engine, notices, database, error)


def _leave_out(engine: Engine, notices: Notices, database: str, error: SqlError) -> None:
    """Continue without a database: its file is moved aside if it is damaged, else left for a later start."""
    file = database_files.file_of(engine.folder, database)
    reason: str | None = error.message
    if isinstance(error.__cause__, duckdb.Error):  # otherwise the name is invalid for DuckDB or fakesnow
        engine.detach(database)
        reason = database_files.passing_trouble(file)
    if reason is None:
        aside = set_aside.put_aside(file)
        notices.add(f"database {database} is damaged, put aside as {aside}: {error.message}")
        return
    engine.unavailable[database] = reason
    notices.add(
        f"database {database} cannot be opened: {reason}. Its file is {file}; stop and start the server"
        " to try it again",
        shown=True,
    )
