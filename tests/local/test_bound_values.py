"""Values that the connector binds on the server, with `paramstyle="qmark"`."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from sfml_local.http.app import LocalServer

NOON = datetime.datetime(2026, 1, 2, 12, 30)
ZONES = ("UTC", "America/Los_Angeles", "Asia/Tokyo")


@pytest.fixture(params=ZONES)
def bound(server: LocalServer, request: pytest.FixtureRequest) -> Iterator[SnowflakeConnection]:
    args = server.connect_args(timezone=request.param, paramstyle="qmark")
    with snowflake.connector.connect(**args) as connection:
        yield connection


def wall(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(tzinfo=None)


@pytest.mark.parametrize("many", [False, True])
def test_a_time_without_a_zone_is_the_same_in_every_session(bound: SnowflakeConnection, many: bool) -> None:
    cursor = bound.cursor()
    cursor.execute("CREATE OR REPLACE TEMP TABLE moments (n TIMESTAMP_NTZ, l TIMESTAMP_LTZ)")
    insert = "INSERT INTO moments VALUES (?, ?)"
    rows: list[Any] = [(NOON, NOON), (NOON, NOON)]
    cursor.executemany(insert, rows) if many else cursor.execute(insert, rows[0])
    for shown in cursor.execute("SELECT n, l FROM moments").fetchall():
        assert [wall(one) for one in shown] == [NOON, NOON]
    assert cursor.execute("SELECT COUNT(*) FROM moments WHERE n = ?", (NOON,)).fetchall() == [(1 + many,)]


def test_its_type_is_that_without_a_zone(bound: SnowflakeConnection) -> None:
    assert bound.cursor().execute("SELECT ?", (NOON,)).fetchall() == [(NOON,)]


def test_a_moment_bound_as_one_in_the_sessions_zone_is_an_instant(bound: SnowflakeConnection) -> None:
    [(shown,)] = bound.cursor().execute("SELECT ?", (("TIMESTAMP_LTZ", NOON),)).fetchall()
    assert shown.astimezone(datetime.UTC) == NOON.replace(tzinfo=datetime.UTC)


def test_a_cursor_knows_the_formats_of_its_answer(bound: SnowflakeConnection) -> None:
    cursor = bound.cursor()
    cursor.execute("ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD.MM.YYYY'")
    cursor.execute("SELECT 1")
    assert cursor.date_output_format == "DD.MM.YYYY"
    assert cursor.timestamp_output_format == "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"
    assert cursor.binary_output_format == "HEX"
