"""Every documented option of a definition is shown, has an effect or is refused, from `documented_options.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_account_facts import check, placed
from yaml_files import read_yaml

from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer

NOT_EMULATED = "not emulated by the local server"
OPTIONS: dict[str, dict[str, Any]] = read_yaml(Path(__file__).with_name("documented_options.yaml"))


def rows() -> Iterator[Any]:
    for kind, options in OPTIONS.items():
        for option, row in options.items():
            yield pytest.param(row, id=f"{kind}: {option}")


@pytest.fixture
def session(server: LocalServer) -> Iterator[Session]:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    yield session
    server.account.sessions.close(session)


@pytest.mark.parametrize("row", list(rows()))
def test_nothing_is_accepted_and_lost(server: LocalServer, session: Session, row: dict[str, Any]) -> None:
    account = server.account
    account.execute(session, "CREATE OR REPLACE SCHEMA SFML.FACT")
    for statement in row.get("do", ()):
        account.execute(session, placed(statement))
    [verdict] = row.keys() & {"shown", "effect", "refused"}
    if verdict == "refused":
        check(account, session, {"sql": row["refused"], "error": row.get("error", NOT_EMULATED)})
    else:
        check(account, session, row[verdict])
