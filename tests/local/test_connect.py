"""Snowflake's clients connect to the local server and run a statement."""

from __future__ import annotations

import pytest
import snowflake.connector
from snowflake.connector import platform_detection
from snowflake.snowpark import Session

from sfml.graph.model import Target
from sfml.snowflake.connection import open_local
from sfml_local.http.app import LocalServer


def test_connector_runs_a_query(connection: snowflake.connector.SnowflakeConnection) -> None:
    assert connection.cursor().execute("SELECT 1, 'a'").fetchall() == [(1, "a")]


def test_snowpark_runs_a_query(session: Session) -> None:
    assert session.sql("SELECT 1 AS A").collect()[0].A == 1


def test_a_wrong_password_is_refused(server: LocalServer) -> None:
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="Incorrect username or password"):
        snowflake.connector.connect(**server.connect_args(password="guess"))


def test_no_cloud_is_asked_where_the_machine_is(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.delenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", raising=False)
    for name in ("is_ec2_instance", "is_azure_vm", "is_gce_vm"):
        monkeypatch.setattr(platform_detection, name, lambda *arguments: asked.append(arguments))
    platform_detection.detect_platforms.cache_clear()
    target = Target("local", "local", "SFML", "PUBLIC", "LOCAL_WH")
    open_local(server.connect_args(), target).close()
    snowflake.connector.connect(**server.connect_args()).close()
    assert not asked
    as_usual = server.connect_args(platform_detection_timeout_seconds=None)
    snowflake.connector.connect(**as_usual).close()
    assert len(asked) == 3, "the connector itself asks elsewhere now"
