"""Opens what an account has on the disk when its server starts: what is damaged keeps nothing else from opening."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from fakesnow import info_schema
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show

from sfml.base.quoting import duckdb_literal
from sfml_local.core import database_files, set_aside
from sfml_local.core.errors import LocalFileError, SqlError

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.engine import Engine


def open_global(account: Account, duck: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Attach the file of what spans databases; a damaged one gets a successor."""
    file = folder / set_aside.GLOBAL_FILE
    try:
        _attach_global(duck, file)
    except duckdb.Error as error:
        if (trouble := database_files.passing_trouble(file)) is not None:
            raise LocalFileError(f"{file} cannot be opened: {trouble}") from error
        duck.execute(f"DETACH DATABASE IF EXISTS {GLOBAL_DATABASE_NAME}")
        account.notice(f"{file.name} is damaged, put aside as {set_aside.put_aside(file)}: {error}")
        _attach_global(duck, file)


def _attach_global(duck: duckdb.DuckDBPyConnection, file: Path) -> None:
    database_files.create(file)
    duck.execute(f"ATTACH {duckdb_literal(str(file))} AS {GLOBAL_DATABASE_NAME}")
    duck.execute(info_schema.fs_global_creation_sql())
    duck.execute(show.fs_global_creation_sql())


def open_databases(account: Account, engine: Engine) -> None:
    """Attach each database; one that cannot be opened keeps no other from it."""
    known = database_files.known(account.store, engine.folder)
    for database in known.adopted:
        account.notice(
            f"database {database} has a file that account.sqlite does not name: it is taken over", shown=True
        )
    for database in known.missing:
        account.notice(f"database {database} has no file: it is forgotten")
        account.store.execute("DELETE FROM containers WHERE database = ?", (database,))
    for file in known.nameless:
        account.notice(
            f"{file} is left alone: it has no name that CREATE DATABASE gives, or is cut of a long one, with"
            " which CREATE DATABASE opens it",
            shown=True,
        )
    for database in known.databases:
        try:
            engine.attach(database)
        except SqlError as error:
            _leave_out(account, engine, database, error)


def _leave_out(account: Account, engine: Engine, database: str, error: SqlError) -> None:
    """Go on without a database: its file is put aside when it is damaged, and else left for a later start."""
    file = database_files.file_of(engine.folder, database)
    reason: str | None = error.message
    if isinstance(error.__cause__, duckdb.Error):  # and not a name that DuckDB or fakesnow cannot take
        engine.detach(database)
        reason = database_files.passing_trouble(file)
    if reason is None:
        aside = set_aside.put_aside(file)
        account.notice(f"database {database} is damaged, put aside as {aside}: {error.message}")
        return
    engine.unavailable[database] = reason
    account.notice(
        f"database {database} cannot be opened: {reason}. Its file is {file}; stop and start the server"
        " to try it again",
        shown=True,
    )
