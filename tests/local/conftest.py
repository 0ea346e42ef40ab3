"""A real local Snowflake in threads of the test process, and connections to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """One server for the tests of a module."""
    with LocalServer(tmp_path_factory.mktemp("local") / "account") as server:
        yield server


@pytest.fixture
def connection(server: LocalServer) -> Iterator[SnowflakeConnection]:
    import snowflake.connector

    with snowflake.connector.connect(**server.connect_args()) as connection:
        yield connection


@pytest.fixture
def session(server: LocalServer) -> Iterator[Session]:
    from snowflake.snowpark import Session

    with Session.builder.configs(server.connect_args()).create() as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh folder for a server of its own."""
    return tmp_path / "local"
