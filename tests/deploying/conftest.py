"""One server for the whole folder, whose calls can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from carrying import account

from sfml.cli.opening import Connected
from sfml.local.app import LocalServer
from sfml.local.faults import Faults


@pytest.fixture(scope="session")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("deploying"), faults=faults) as server:
        yield server


@pytest.fixture(scope="session")
def connected(server: LocalServer) -> Iterator[Connected]:
    with account(server.connect_args()) as connected:
        yield connected


@pytest.fixture(autouse=True)
def _without_rules(faults: Faults) -> Iterator[None]:
    faults.clear()
    yield
    faults.clear()
