"""One session for all jobs of a module: the client keeps it in its definitions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from snowflake.snowpark import Session

from sfml_local.http.app import LocalServer


@pytest.fixture(scope="module")
def shared(server: LocalServer) -> Iterator[Session]:
    with Session.builder.configs(server.connect_args()).create() as session:
        yield session
