"""An account without HTTP in front of it, and one session in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asking import Sql

from sfml_local.core.account import Account
from sfml_local.registry import open_account


@pytest.fixture(scope="session")
def shared_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = open_account(tmp_path_factory.mktemp("tasks"))
    account.start()
    yield account
    account.close()


@pytest.fixture
def sql(shared_account: Account) -> Iterator[Sql]:
    """Statements in the schema PUBLIC of an account whose tasks and runs are forgotten after the test."""
    sql = Sql(shared_account)
    yield sql
    sql.settled()
    for table in ("tasks", "task_runs", "graph_runs", "notifications", "task_failures"):
        shared_account.store.execute(f"DELETE FROM {table}")
    shared_account.sessions.close(sql.session)
