"""Users as objects: what becomes of their roles and tags, and that none of them logs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sfml_local.http.app import LocalServer

Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def ask(server: LocalServer) -> Iterator[Ask]:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    yield lambda sql: server.account.execute(session, sql).dicts()
    for name in ("u1", "u2"):
        server.account.execute(session, f"DROP USER IF EXISTS {name}")
    server.account.sessions.close(session)


def test_roles_and_tags_follow_a_name(ask: Ask) -> None:
    for sql in (
        "CREATE OR REPLACE TAG team",
        "CREATE OR REPLACE ROLE of_u1",
        "CREATE USER u1 COMMENT = 'c' TAG (team = 'a')",
        "GRANT ROLE of_u1 TO USER u1",
        "ALTER USER u1 RENAME TO u2",
    ):
        ask(sql)
    assert ask("SHOW USERS LIKE 'U1'") == []
    assert [row["comment"] for row in ask("SHOW USERS LIKE 'U2'")] == ["c"]
    assert [row["name"] for row in ask("SHOW GRANTS TO USER u2")] == ["OF_U1"]
    assert ask("SELECT SYSTEM$GET_TAG('team', 'u2', 'USER') AS V") == [{"V": "a"}]
    ask("CREATE USER IF NOT EXISTS u2 TAG (team = 'b')")
    assert ask("SELECT SYSTEM$GET_TAG('team', 'u2', 'USER') AS V") == [{"V": "a"}]
    ask("CREATE USER IF NOT EXISTS u1 TAG (team = 'b')")
    assert ask("SELECT SYSTEM$GET_TAG('team', 'u1', 'USER') AS V") == [{"V": "b"}]
    ask("CREATE OR REPLACE USER u2")
    assert ask("SELECT SYSTEM$GET_TAG('team', 'u2', 'USER') AS V") == [{"V": None}]


def test_a_user_gets_another_owner(ask: Ask) -> None:
    ask("CREATE OR REPLACE ROLE of_u1")
    ask("CREATE USER u1")
    ask("GRANT OWNERSHIP ON USER u1 TO ROLE of_u1")
    assert [row["owner"] for row in ask("SHOW USERS LIKE 'U1'")] == ["OF_U1"]
    ask("GRANT MONITOR ON USER never_made TO ROLE of_u1")


def test_a_user_that_was_created_is_no_login(ask: Ask) -> None:
    ask("CREATE USER u1 PASSWORD = 'secret' DISABLED = TRUE")
    [row] = ask("SHOW USERS LIKE 'U1'")
    assert (row["has_password"], row["disabled"]) == ("true", "true")
    assert ask("SELECT CURRENT_USER() AS U") == [{"U": "SFML"}]
    assert "secret" not in str(ask("DESCRIBE USER u1"))
