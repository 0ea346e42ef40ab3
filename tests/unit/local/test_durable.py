"""A server waits for the disk, unless its setting or the tests that it serves say that it need not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.testing.local_snowflake import SharedServer
from sfml_local.core.local_account import LocalAccount
from sfml_local.core.settings import Settings, read
from sfml_local.registry import open_account


def waits(account: LocalAccount) -> tuple[str, int]:
    """How DuckDB and SQLite wait for the disk; SQLite's NORMAL is 1, and its OFF is 0."""
    [(duck,)] = account.engine.rows("SELECT current_setting('fsync_mode')")
    return duck, account.store.value("PRAGMA synchronous")


@pytest.mark.parametrize(
    ("given", "found"), [({}, ("STANDARD", 1)), ({"SFML_LOCAL_DURABLE": "0"}, ("NONE", 0))]
)
def test_a_server_waits_for_the_disk_unless_told_not_to(
    tmp_path: Path, given: dict[str, str], found: tuple[str, int]
) -> None:
    account = open_account(tmp_path, settings=read(given))
    try:
        assert waits(account) == found
    finally:
        account.close()


def test_the_server_of_tests_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFML_LOCAL_DURABLE")
    assert read().durable == Settings().durable == 1
    server = SharedServer(tmp_path).start()
    try:
        assert waits(server.local.account) == ("NONE", 0)
    finally:
        server.stop()
