"""Behaviours that Snowflake documents and that are tried nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sfml.semantics import limits
from sfml_local.core.errors import SqlError
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer
from sfml_local.services.tasks import rules


@pytest.fixture
def session(server: LocalServer) -> Iterator[Session]:
    session = server.account.sessions.open(database="SFML")
    run(server, session, "CREATE OR REPLACE SCHEMA documented")
    yield session
    server.account.sessions.close(session)


def run(server: LocalServer, session: Session, sql: str) -> list[dict[str, Any]]:
    return server.account.execute(session, sql).dicts()


def test_graphs_have_limits(server: LocalServer, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are the documented ones; what they do is tried with smaller ones."""
    numbers = (limits.MAX_TASKS_PER_GRAPH, limits.MAX_PREDECESSORS, limits.MAX_CHILDREN)
    assert numbers == (1000, 100, 100)
    assert numbers == (rules.MAX_TASKS_PER_GRAPH, rules.MAX_PREDECESSORS, rules.MAX_CHILDREN)
    for name in ("MAX_TASKS_PER_GRAPH", "MAX_PREDECESSORS", "MAX_CHILDREN"):
        monkeypatch.setattr(rules, name, {"MAX_TASKS_PER_GRAPH": 4}.get(name, 2))
    run(server, session, "CREATE TASK r AS SELECT 1")
    run(server, session, "CREATE TASK a AFTER r AS SELECT 1")
    run(server, session, "CREATE TASK b AFTER r AS SELECT 1")
    with pytest.raises(SqlError, match="cannot have more than 2 children"):
        run(server, session, "CREATE TASK c AFTER r AS SELECT 1")
    run(server, session, "CREATE TASK c AFTER a, b AS SELECT 1")
    with pytest.raises(SqlError, match="cannot have more than 2 predecessors"):
        run(server, session, "CREATE TASK d AFTER a, b, c AS SELECT 1")
    run(server, session, "CREATE TASK d AFTER c AS SELECT 1")
    with pytest.raises(SqlError, match="more than 4 tasks"):
        run(server, session, "ALTER TASK r RESUME")
    assert {row["state"] for row in run(server, session, "SHOW TASKS")} == {"suspended"}


def test_grants_come_and_go(server: LocalServer, session: Session) -> None:
    def granted(to: str) -> list[tuple[str, str, str]]:
        rows = run(server, session, f"SHOW GRANTS TO {to}")
        return [
            (row.get("privilege", ""), row.get("granted_on", ""), row.get("name") or row["role"])
            for row in rows
        ]

    run(server, session, "CREATE OR REPLACE ROLE reader")
    run(server, session, "CREATE OR REPLACE ROLE owner")
    run(server, session, "GRANT USAGE ON SCHEMA documented TO ROLE reader")
    run(server, session, "GRANT ROLE reader TO ROLE owner")
    assert ("USAGE", "ROLE", "READER") in granted("ROLE owner")
    assert [(privilege, on) for privilege, on, _ in granted("ROLE reader")] == [("USAGE", "SCHEMA")]
    run(server, session, "REVOKE USAGE ON SCHEMA documented FROM ROLE reader")
    run(server, session, "REVOKE ROLE reader FROM ROLE owner")
    assert granted("ROLE reader") == []
    assert granted("ROLE owner") == []
    run(server, session, "GRANT ROLE reader TO USER somebody")
    assert [name for *_, name in granted("USER somebody")] == ["READER"]


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("SHOW INTEGRATIONS", "name type category enabled comment created_on"),
        (
            "SHOW SECRETS",
            "created_on name schema_name database_name owner comment secret_type oauth_scopes owner_role_type",
        ),
        (
            "SHOW IMAGE REPOSITORIES",
            "created_on name database_name schema_name repository_url owner owner_role_type comment encryption"
            " privatelink_repository_url",
        ),
    ],
)
def test_columns_of_what_access_needs(
    server: LocalServer, session: Session, statement: str, columns: str
) -> None:
    """The first ones, which clients read."""
    assert " ".join(server.account.execute(session, statement).names()) == columns
