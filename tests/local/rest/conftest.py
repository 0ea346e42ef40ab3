"""A server every REST answer of which is held against Snowflake's specification, and two doors to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from doors import Door, Rest, Sql
from specification import Judge, Recorder

from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    judge = Judge()
    yield judge
    JUDGES.append(judge)


JUDGES: list[Judge] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for judge in JUDGES:
        terminalreporter.write_line(f"REST answers held against Snowflake's specification: {judge}")


@pytest.fixture(scope="session")
def judged_server(tmp_path_factory: pytest.TempPathFactory, judge: Judge) -> Iterator[LocalServer]:
    server = LocalServer(tmp_path_factory.mktemp("judged"))
    server._server.config.app = Recorder(server._server.config.app, judge)
    with server:
        yield server


@pytest.fixture(scope="session")
def judged_connection(judged_server: LocalServer) -> Iterator[SnowflakeConnection]:
    import snowflake.connector

    with snowflake.connector.connect(**judged_server.connect_args()) as connection:
        yield connection


@pytest.fixture(params=[Rest, Sql], ids=["rest", "sql"])
def door(
    request: pytest.FixtureRequest, judged_connection: SnowflakeConnection, judge: Judge
) -> Iterator[Door]:
    """The task resource through REST and through SQL; whatever a test leaves is dropped."""
    yield from _clean(request.param(judged_connection), judge)


@pytest.fixture
def rest(judged_connection: SnowflakeConnection, judge: Judge) -> Iterator[Rest]:
    yield from _clean(Rest(judged_connection), judge)


@pytest.fixture
def sql(judged_connection: SnowflakeConnection, judge: Judge) -> Iterator[Sql]:
    yield from _clean(Sql(judged_connection), judge)


def _clean(door: Any, judge: Judge) -> Iterator[Any]:
    yield door
    door.clear()
    judge.judge()
