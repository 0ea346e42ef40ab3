"""No command leaves a connection or a Snowpark session behind, in its process or on the server."""

from __future__ import annotations

from typing import Any

import pytest
from small import APPLY, Small

from sfml.cli.entry import COMMANDS
from sfml.snowflake.snowpark import snowpark_session
from sfml_local.core.session import Session

SPEC = "specs/small.yaml"
STEP = """from sfml_steps import Context, step


@step
def train(ctx: Context, model_name: str) -> dict[str, int]:
    return {"answer": 1}
"""
JOB = "second: {step: mine.train, with: {model_name: CHURN}, run_on: {pool: LOCAL_POOL, instances: 1}"

WITHOUT_ACCOUNT = {
    "lsp",
    "policies",
    "init",
    "validate",
    "describe",
    "compile",
    "diff",
    "simulate",
    "cost",
    "explain",
    "schema",
}
STEPS = (
    APPLY,
    ("plan", SPEC),
    ("drift", SPEC),
    ("run", SPEC),
    ("run", SPEC, "--only", "first"),
    ("backfill", SPEC, "--status"),
    ("retry", SPEC),
    ("status", SPEC),
    ("history", SPEC),
    ("history", SPEC, "--deployments"),
    ("logs", SPEC),
    ("logs", SPEC, "--follow"),
    ("cancel", SPEC),
    ("suspend", SPEC),
    ("resume", SPEC),
    ("trace", "last", SPEC),
    ("trace", "CHURN@V1", SPEC),
    ("models", "list", SPEC),
    ("models", "show", SPEC),
    ("models", "compare", SPEC),
    ("models", "alias", SPEC, "challenger", "V1"),
    ("models", "promote", SPEC, "V1", "--auto-approve"),
    ("models", "rollback", SPEC, "--auto-approve"),
    ("ui", "--export", "exported"),
    ("seed", SPEC),
    ("doctor", SPEC),
    ("grants", SPEC, "--compare", "SYSADMIN"),
    ("local", "sql", "CREATE TASK SMALL.OTHER SCHEDULE = '60 MINUTES' AS SELECT 1"),
    ("import", "OTHER", "--out", "imported"),
    ("rollback", SPEC, "--auto-approve"),
    ("local", "logs"),
    ("test", SPEC),
    ("destroy", SPEC, "--auto-approve"),
)
"""In this order; those that are refused have connected all the same."""


def client_sessions(small: Small) -> list[Session]:
    sessions = small.local.server.account.sessions
    return [session for session in sessions if session.last_request is not None]


def active_snowpark_sessions() -> set[Any]:
    from snowflake.snowpark import session

    return set(session._active_sessions)


def test_no_command_leaves_a_connection_or_a_session_open(small: Small) -> None:
    assert WITHOUT_ACCOUNT | {step[0] for step in STEPS} | {"conformance"} == set(COMMANDS)
    (small.folder / "steps" / "mine.py").write_text(STEP)
    (small.folder / "orders.csv").write_text("A\n1\n")
    small.edit("second: {sql: 'select 2'", JOB)
    small.edit("graph:", "seeds: {ORDERS: ../orders.csv}\ngraph:")
    before, active = client_sessions(small), active_snowpark_sessions()
    for step in STEPS:
        _, text = small.run(*step)
        left = [session for session in client_sessions(small) if session not in before]
        assert left == [], (step, text)
        assert active_snowpark_sessions() == active, (step, text)


def test_conformance_leaves_no_session_open(small: Small) -> None:
    before = client_sessions(small)
    words = ("--connection", "local", "--database", small.local.database, "--only", "new_tasks_are_suspended")
    done = small.local.sfml("conformance", *words, project=small.folder)
    assert done.code == 0, done.err
    assert client_sessions(small) == before


def test_a_session_leaves_its_connection_open_when_it_ends(small: Small) -> None:
    connection = small.local.connection()
    active = active_snowpark_sessions()
    with pytest.raises(ZeroDivisionError), snowpark_session(connection) as session:
        assert session.sql("SELECT 1 AS A").collect()[0].A == 1
        assert active_snowpark_sessions() == active | {session}
        raise ZeroDivisionError
    assert active_snowpark_sessions() == active
    assert connection.cursor().execute("SELECT 2").fetchone() == (2,)
