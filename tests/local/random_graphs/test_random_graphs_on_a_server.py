"""A few random graphs built, run and retried on a server, against the same small model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from graph_model import Drawn, Member, graph_outcome, graphs, outcomes
from hypothesis import HealthCheck, Phase, given
from property_settings import examples

from sfml_local.http.app import LocalServer

GRAPHS = 12


@pytest.fixture(scope="module")
def cursor(server: LocalServer) -> Iterator[Any]:
    import snowflake.connector
    from snowflake.connector import DictCursor

    with snowflake.connector.connect(**server.connect_args()) as connection:
        yield connection.cursor(DictCursor)


def ask(cursor: Any, statement: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = cursor.execute(statement).fetchall()
    return rows


def create(cursor: Any, member: Member, extra: str = "") -> None:
    """How a task ends is a row of the table `fails`: a retry ends otherwise without changing the graph."""
    after = f" AFTER {', '.join(member.after)}" if member.after else ""
    condition = {"true": "1 = 1", "false": "1 = 2"}.get(
        member.when or "", f"SYSTEM$PREDECESSORS_STATE('{member.when}')"
    )
    when = f" WHEN {condition}" if member.when else ""
    body = (
        f"BEGIN LET n INT; SELECT COUNT(*) INTO :n FROM fails WHERE name = '{member.name}';"
        " IF (n > 0) THEN SELECT no_such_column FROM fails; END IF; END"
    )
    ask(cursor, f"CREATE OR REPLACE TASK {member.name}{extra}{after}{when} AS {body}")


def run(cursor: Any, drawn: Drawn, attempt: int, how: str) -> tuple[dict[str, str], str | None]:
    members = (*drawn.members, *([drawn.finalizer] if drawn.finalizer else []))
    ask(cursor, "CREATE OR REPLACE TABLE fails (name STRING)")
    for member in members:
        if member.fails[attempt]:
            ask(cursor, f"INSERT INTO fails VALUES ('{member.name}')")
    ask(cursor, f"EXECUTE TASK T0 {how}")
    root_id = ask(cursor, "DESCRIBE TASK T0")[0]["id"]
    deadline = time.monotonic() + 30
    current = "SELECT 1 FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS(ROOT_TASK_NAME => 'T0'))"
    while ask(cursor, f"{current} WHERE ROOT_TASK_ID = '{root_id}'"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    history = ask(
        cursor,
        f"SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(ROOT_TASK_ID => '{root_id}', RESULT_LIMIT => 1000))",
    )
    complete = ask(
        cursor,
        "SELECT STATE FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS(ROOT_TASK_NAME => 'T0'))"
        f" WHERE ROOT_TASK_ID = '{root_id}' AND ATTEMPT_NUMBER = {attempt + 1}",
    )
    came = {row["NAME"]: row["STATE"] for row in history if row["ATTEMPT_NUMBER"] == attempt + 1}
    return came, complete[0]["STATE"] if complete else None


@examples(
    GRAPHS,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(drawn=graphs(largest=7, smallest=3))
def test_a_server_comes_to_what_the_model_says(
    tried: dict[str, Counter[str]], cursor: Any, drawn: Drawn
) -> None:
    counts = tried.setdefault("on a server", Counter())
    for row in ask(cursor, "SHOW TASKS"):
        ask(cursor, f"DROP TASK {row['name']}")
    for member in drawn.members:
        create(cursor, member)
    if drawn.finalizer:
        create(cursor, drawn.finalizer, " FINALIZE = T0")
    for member in (*drawn.members[1:], *([drawn.finalizer] if drawn.finalizer else [])):
        if not member.suspended:
            ask(cursor, f"ALTER TASK {member.name} RESUME")
    expected = outcomes(drawn)
    ended = graph_outcome(expected)
    came, state = run(cursor, drawn, 0, "")
    assert came == expected
    assert state == (None if ended == "SKIPPED" else ended)
    counts["graphs"] += 1
    counts["task runs"] += len(came)
    if ended != "FAILED":
        return
    retried = outcomes(drawn, 1, expected)
    came, state = run(cursor, drawn, 1, "RETRY LAST")
    kept = {name for name, before in expected.items() if before in ("SUCCEEDED", "SKIPPED") and name != "F"}
    assert came == {name: after for name, after in retried.items() if name not in kept}
    assert state == graph_outcome(retried)
    counts["retries"] += 1
