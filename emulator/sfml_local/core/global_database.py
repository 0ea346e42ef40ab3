"""fakesnow's database for data about all databases, in its own file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from fakesnow import info_schema
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show

from sfml_local.core import database_files, set_aside
from sfml_local.core.errors import LocalFileError
from sfml_local.grammar.quoting import duckdb_literal

if TYPE_CHECKING:
    from sfml_local.core.notices import Notices


def open_global(
    notices: Notices, duck: duckdb.DuckDBPyConnection, folder: Path, maker: database_files.DatabaseMaker
) -> None:
    """Attach the file for data about all databases; a damaged one is replaced."""
    file = folder / set_aside.GLOBAL_FILE
    if database_files.has_damaged_log(file):
        notices.add(set_aside.put_log_aside(database_files.wal_of(file)))
    try:
        _attach_global(duck, file, maker)
    except duckdb.Error as error:
        if (trouble := database_files.passing_trouble(file)) is not None:
            raise LocalFileError(f"{file} cannot be opened: {trouble}") from error
        duck.execute(f"DETACH DATABASE IF EXISTS {GLOBAL_DATABASE_NAME}")
        notices.add(f"{file.name} is damaged, put aside as {set_aside.put_aside(file)}: {error}")
        _attach_global(duck, file, maker)


def _attach_global(duck: duckdb.DuckDBPyConnection, file: Path, maker: database_files.DatabaseMaker) -> None:
    maker.create(file)
    duck.execute(f"ATTACH {duckdb_literal(str(file))} AS {GLOBAL_DATABASE_NAME}")
    duck.execute(info_schema.fs_global_creation_sql())
    duck.execute(show.fs_global_creation_sql())
