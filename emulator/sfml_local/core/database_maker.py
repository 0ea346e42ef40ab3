"""Makes DuckDB files, each completely or not at all; what it has made lately it makes again as a copy."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import duckdb
from fakesnow import info_schema
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show

from sfml_local.core.database_files import wal_of
from sfml_local.grammar.quoting import duckdb_identifier, duckdb_literal

KEPT = 8
"""Contents of files, a quarter of a megabyte each, that are kept for copies."""


def global_sql() -> str:
    """fakesnow's tables and views in its database for data about all databases."""
    return f"{info_schema.fs_global_creation_sql()};{show.fs_global_creation_sql()}"


def at_once(sql: str) -> str:
    """Statements as one transaction: DuckDB would wait for the disk after each of them."""
    return f"BEGIN;{sql};COMMIT"


class DatabaseMaker:
    """Makes files in a DuckDB instance of its own, as starting one takes longer than making a file.

    In the instance that uses them, DETACH returns while others still look at the list of databases, and the file
    would be written after it has got its name.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._contents: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def create(self, file: Path, name: str, sql: str, *, durable: bool = True) -> bool:
        """Make the file of the database `name`, with what `sql` creates in it, unless it is there.

        DuckDB refuses to open the file of a database whose creation was cut off, so it is made under another name.
        """
        if file.exists():
            return False
        part = file.with_name(f"{file.name}.part")
        for old in (part, wal_of(part), wal_of(file)):
            old.unlink(missing_ok=True)
        with self._lock:
            self._write(part, name, sql)
        if durable:
            _keep_through_a_power_cut(part)
        part.replace(file)
        return True

    def _write(self, part: Path, name: str, sql: str) -> None:
        if (content := self._contents.get((name, sql))) is not None:
            part.write_bytes(content)
        else:
            self._make(part, name, sql)
            self._contents[name, sql] = part.read_bytes()
        self._contents.move_to_end((name, sql))
        if len(self._contents) > KEPT:
            self._contents.popitem(last=False)

    def _make(self, part: Path, name: str, sql: str) -> None:
        quoted = duckdb_identifier(name)
        try:
            duck = self._instance(name)
            duck.execute(f"ATTACH {duckdb_literal(str(part))} AS {quoted};{at_once(sql)}")
            duck.execute(f"DETACH {quoted}")
        except duckdb.Error:
            self.end_instance()
            raise

    def _instance(self, name: str) -> duckdb.DuckDBPyConnection:
        """The instance, with an empty database about all databases, to which definitions in the others refer."""
        if self._duck is None:
            self._duck = duckdb.connect(config={"threads": 1, "fsync_mode": "NONE"})
        about_all = duckdb_identifier(GLOBAL_DATABASE_NAME)
        if name == GLOBAL_DATABASE_NAME:
            self._duck.execute(f"DETACH DATABASE IF EXISTS {about_all}")
        elif not self._duck.execute(_ATTACHED, [GLOBAL_DATABASE_NAME]).fetchone():
            self._duck.execute(f"ATTACH ':memory:' AS {about_all};{at_once(global_sql())}")
        return self._duck

    def end_instance(self) -> None:
        """End the instance, which may be of no use any more after a failure; the next file starts another."""
        if self._duck is not None:
            self._duck.close()
            self._duck = None


_ATTACHED = "SELECT 1 FROM duckdb_databases() WHERE database_name = ?"


def _keep_through_a_power_cut(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


MAKER = DatabaseMaker()
"""The one of the process, which its accounts share."""
