"""The pytest plugin with the fixture `local_snowflake`. Snowflake's packages are imported only when it is used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sfml.testing.local_snowflake import LocalSnowflake, SharedServer

# snowflake.core sends even loopback calls through a proxy, whatever NO_PROXY says.
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def pytest_configure(config: pytest.Config) -> None:
    # DuckDB warns at every statement about the way in which fakesnow reads rows.
    config.addinivalue_line("filterwarnings", "ignore:Arrow output on a DB-API result:UserWarning")


@pytest.fixture(scope="session")
def local_snowflake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    """The local Snowflake of the test session, in a temporary folder."""
    if find_spec("fakesnow") is None:
        pytest.fail(
            'the local Snowflake is not installed: pip install "sfml-snowflake[local]"', pytrace=False
        )
    from sfml.testing.local_snowflake import SharedServer

    server = SharedServer(tmp_path_factory.mktemp("local-snowflake")).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def local_snowflake(
    local_snowflake_server: SharedServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalSnowflake]:
    """A local Snowflake with a new database for the test, connections to it, a clock and fault rules."""
    from sfml.testing.local_snowflake import LocalSnowflake

    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
    local = LocalSnowflake(local_snowflake_server)
    try:
        yield local
    finally:
        local.close()
