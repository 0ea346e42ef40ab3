"""One account for the tests of a module, and an empty schema with one table for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from dynamic_sql import Sql, started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    sql = started(tmp_path_factory.mktemp("dynamic"))
    yield sql
    sql.account.close()


@pytest.fixture
def sql(shared: Sql) -> Iterator[Sql]:
    """An empty schema with one table, after the history of the test before."""
    shared("CREATE OR REPLACE SCHEMA public")
    shared.clock.advance(timedelta(days=8))
    sql = Sql(shared.account, shared.clock)
    sql("CREATE TABLE t (a INT, b VARCHAR)")
    sql("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    yield sql
    sql.account.sessions.close(sql.session)
