"""What rows of the evidence say that no other test tries, from `behaviours.yaml`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_account_facts import check, placed
from yaml_files import read_yaml

from sfml_local.core.errors import SqlError
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer
from sfml_local.services.jobs.request import read_request

BEHAVIOURS: dict[str, list[Any]] = read_yaml(Path(__file__).with_name("behaviours.yaml"))


@pytest.fixture
def session(server: LocalServer) -> Iterator[Session]:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    yield session
    server.account.sessions.close(session)


@pytest.mark.parametrize("what", BEHAVIOURS)
def test_it_is_as_its_row_says(server: LocalServer, session: Session, what: str) -> None:
    account = server.account
    for fact in BEHAVIOURS[what]:
        account.execute(session, "CREATE OR REPLACE SCHEMA SFML.FACT")
        for statement in fact.get("setup", ()):
            account.execute(session, placed(statement))
        check(account, session, fact)
        account.execute(session, "ROLLBACK")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR REPLACE TABLE {}.t (a INT)",
        "CREATE TEMPORARY TABLE {}.t (a INT)",
        "CREATE TABLE IF NOT EXISTS {}.t AS SELECT 1 AS a",
        "CREATE VIEW {}.t AS SELECT 1 AS a",
        "CREATE SEQUENCE {}.t",
        "ALTER TABLE IF EXISTS {0}.t RENAME TO {0}.u",
        "ALTER TABLE IF EXISTS {}.t ADD COLUMN c INT",
        "ALTER TABLE IF EXISTS {}.t DROP COLUMN c",
        "ALTER TABLE IF EXISTS {}.t CLUSTER BY (a)",
        "TRUNCATE TABLE IF EXISTS {}.t",
        "DROP TABLE IF EXISTS {}.t",
    ],
)
def test_a_place_that_is_not_there_is_named(server: LocalServer, session: Session, statement: str) -> None:
    for place, words in (("nowhere.s", "Database 'NOWHERE'"), ("SFML.nowhere", "Schema 'SFML.NOWHERE'")):
        with pytest.raises(SqlError, match=f"{words} does not exist or not authorized"):
            server.account.execute(session, statement.format(place))


def test_a_secrets_value_is_in_no_file(server: LocalServer, session: Session) -> None:
    server.account.execute(
        session, "CREATE SECRET hidden TYPE = GENERIC_STRING SECRET_STRING = 'nobody-may-read-this'"
    )
    files = [path for path in server.account.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"nobody-may-read-this" in path.read_bytes()]


def test_a_pool_that_nobody_made_has_nodes_for_each_core(server: LocalServer, session: Session) -> None:
    [pool] = server.account.execute(session, "SHOW COMPUTE POOLS LIKE 'NOBODY_MADE_IT'").dicts()
    assert int(pool["max_nodes"]) == max(8, 2 * (os.cpu_count() or 1))


def test_the_log_of_a_job_tells_that_integrations_restrict_nothing() -> None:
    spec = {"ARGS": ["bash", "/mnt/startup.sh", "main.py"], "STAGE_PATH": "@jobs/a"}
    options = {"EXTERNAL_ACCESS_INTEGRATIONS": ["OUTSIDE"]}
    request = read_request(("J", "P", json.dumps(spec), json.dumps(options)))
    assert request.notes == ("EXTERNAL_ACCESS_INTEGRATIONS (OUTSIDE) restrict nothing here",)
