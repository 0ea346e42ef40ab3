"""fakesnow's database for data about all databases, in its own file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from fakesnow.instance import GLOBAL_DATABASE_NAME

from sfml_local.core import database_files, set_aside
from sfml_local.core.database_maker import MAKER, at_once, global_sql
from sfml_local.core.errors import LocalFileError
from sfml_local.grammar.quoting import duckdb_literal

if TYPE_CHECKING:
    from sfml_local.core.notices import Notices


def open_global(notices: Notices, duck: duckdb.DuckDBPyConnection, folder: Path, *, durable: bool) -> None:
    """Attach the file for data about all databases; a damaged one is replaced."""
    file = folder / set_aside.GLOBAL_FILE
    if database_files.has_damaged_log(file):
        notices.add(set_aside.put_log_aside(database_files.wal_of(file)))
    try:
        _attach_global(duck, file, durable=durable)
    except duckdb.Error as error:
        if (trouble := database_files.passing_trouble(file)) is not None:
            raise LocalFileError(f"{file} cannot be opened: {trouble}") from error
        duck.execute(f"DETACH DATABASE IF EXISTS {GLOBAL_DATABASE_NAME}")
        notices.add(f"{file.name} is damaged, put aside as {set_aside.put_aside(file)}: {error}")
        _attach_global(duck, file, durable=durable)


def _attach_global(duck: duckdb.DuckDBPyConnection, file: Path, *, durable: bool) -> None:
    is_new = MAKER.create(file, GLOBAL_DATABASE_NAME, global_sql(), durable=durable)
    duck.execute(f"ATTACH {duckdb_literal(str(file))} AS {GLOBAL_DATABASE_NAME}")
    if not is_new:
        with duck.cursor() as own:  # it takes an open transaction along where one fails
            own.execute(at_once(global_sql()))
