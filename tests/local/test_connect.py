"""Snowflake's clients connect to the local server and run a statement."""

from __future__ import annotations

import pytest
import snowflake.connector
from snowflake.snowpark import Session

from sfml.local.app import LocalServer


def test_connector_runs_a_query(connection: snowflake.connector.SnowflakeConnection) -> None:
    assert connection.cursor().execute("SELECT 1, 'a'").fetchall() == [(1, "a")]


def test_snowpark_runs_a_query(session: Session) -> None:
    assert session.sql("SELECT 1 AS A").collect()[0].A == 1


def test_a_wrong_password_is_refused(server: LocalServer) -> None:
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="Incorrect username or password"):
        snowflake.connector.connect(**server.connect_args(password="guess"))
