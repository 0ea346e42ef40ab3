"""Comments of tables and lengths of text columns in memory; `table_notes` changes them together with the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    import duckdb

_PLACE = "_fs_global._fs_information_schema"
COMMENTS = f"{_PLACE}._fs_tables_ext"
LENGTHS = f"{_PLACE}._fs_columns_ext"


class NotedTables:
    """What the two tables hold, in memory: nearly every statement asks for it, and few tables have any."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self.comments: dict[ObjectName, str] = {}
        self.lengths: dict[ObjectName, dict[str, int]] = {}
        for *place, comment in duck.execute(f"SELECT * FROM {COMMENTS}").fetchall():
            self.comments[ObjectName(*place)] = comment
        for *place, column, length, _ in duck.execute(f"SELECT * FROM {LENGTHS}").fetchall():
            self.lengths.setdefault(ObjectName(*place), {})[column] = length
