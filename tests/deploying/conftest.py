"""One server for the whole folder, whose calls can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from carrying import account
from small import PROJECT, SPEC, Small

from sfml.operations.target_account import TargetAccount
from sfml.testing.local_snowflake import LocalSnowflake
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults


@pytest.fixture(scope="session")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("deploying"), faults=faults) as server:
        yield server


@pytest.fixture(scope="session")
def connected(server: LocalServer) -> Iterator[TargetAccount]:
    with account(server.connect_args()) as connected:
        yield connected


@pytest.fixture(autouse=True)
def _without_rules(faults: Faults) -> Iterator[None]:
    faults.clear()
    yield
    faults.clear()


@pytest.fixture
def small(local_snowflake: LocalSnowflake, tmp_path: Path) -> Iterator[Small]:
    (tmp_path / "specs").mkdir()
    (tmp_path / "steps").mkdir()
    (tmp_path / "sfml.yaml").write_text(
        PROJECT.replace("default: true", f"default: true, database: {local_snowflake.database}"),
        encoding="utf-8",
    )
    (tmp_path / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    with local_snowflake.serving(tmp_path):
        small = Small(tmp_path, local_snowflake)
        yield small
        for held in small.held:
            held.let_go()


@pytest.fixture
def settles_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever breaks a lease wait for no time: nobody is alive who had it. `test_lease.py` tests the wait."""
    monkeypatch.setattr("sfml.operations.held_lease.SETTLED", 0.0)
