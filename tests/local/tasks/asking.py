"""Statements on an account without HTTP in front of it, and a few questions about runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sfml_local.core.account import Account
from sfml_local.core.session import Session
from sfml_local.services.tasks.execution import runner_of


class Sql:
    """`sql("…")` runs a statement and answers its rows as mappings; a few questions about runs besides."""

    def __init__(self, account: Account, schema: str = "PUBLIC") -> None:
        self.account = account
        self.session: Session = account.sessions.open(database="SFML", schema=schema)

    def __call__(self, statement: str) -> list[dict[str, Any]]:
        return self.account.execute(self.session, statement).dicts()

    def run(self, root: str, how: str = "") -> dict[str, str]:
        """Execute a root task and answer task → state once nothing of it runs any more."""
        self(f"EXECUTE TASK {root} {how}")
        self.settled()
        return self.states()

    def settled(self, seconds: float = 20) -> None:
        """Wait until no graph run executes or waits."""
        runner_of(self.account).settle(seconds)

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.01)

    def history(self, **where: Any) -> list[dict[str, Any]]:
        """The rows of TASK_HISTORY in the order in which the tasks began."""
        rows = self(
            "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1000,"
            f" DATABASE_NAME => 'SFML', SCHEMA_NAME => '{self.session.schema}'))"
        )
        kept = [row for row in rows if all(row[key] == value for key, value in where.items())]
        return list(reversed(kept))

    def states(self) -> dict[str, str]:
        """Task → state in the latest attempt of the latest run begun; tasks without a row are missing."""
        rows = [row for row in self.history() if row["STATE"] != "SCHEDULED"]
        last = max((row["RUN_ID"], row["GRAPH_RUN_GROUP_ID"]) for row in rows)[1]
        of_group = [row for row in rows if row["GRAPH_RUN_GROUP_ID"] == last]
        attempt = max(row["ATTEMPT_NUMBER"] for row in of_group)
        return {row["NAME"]: row["STATE"] for row in of_group if row["ATTEMPT_NUMBER"] == attempt}

    def graph(self, *statements: str, resume: bool = True) -> None:
        """Create tasks, each given without CREATE TASK, and resume all but the first."""
        for n, statement in enumerate(statements):
            self(f"CREATE TASK {statement}")
            if n and resume:
                self(f"ALTER TASK {statement.split()[0]} RESUME")


def times(
    sql: Sql, state: str | None = "SUCCEEDED", name: str = "R", scheduled_from: str = "SCHEDULE"
) -> list[datetime]:
    """For when the runs of a task were scheduled, in order."""
    rows = sql.history(NAME=name, SCHEDULED_FROM=scheduled_from)
    return sorted(r["SCHEDULED_TIME"].astimezone(UTC) for r in rows if state in (None, r["STATE"]))
