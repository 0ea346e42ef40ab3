"""SQL takes as many threads as its setting says, and as many as DuckDB finds cores without one."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from sfml_local.core.engine import MOST_THREADS
from sfml_local.core.settings import read
from sfml_local.registry import open_account

CORES = duckdb.connect().execute("SELECT current_setting('threads')").fetchall()[0][0]


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ({}, CORES),
        ({"SFML_LOCAL_THREADS": "0"}, CORES),
        ({"SFML_LOCAL_THREADS": "1"}, 1),
        ({"SFML_LOCAL_THREADS": "3"}, 3),
        ({"SFML_LOCAL_THREADS": "99999999999999999999"}, MOST_THREADS),
        ({"SFML_LOCAL_THREADS": "-1"}, CORES),
    ],
)
def test_sql_takes_the_threads_of_its_setting(tmp_path: Path, given: dict[str, str], threads: int) -> None:
    account = open_account(tmp_path, settings=read(given))
    try:
        assert account.engine.rows("SELECT current_setting('threads')") == [(threads,)]
    finally:
        account.close()
