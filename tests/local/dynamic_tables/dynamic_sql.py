"""An account with a clock that stands still, for the tests of dynamic tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sfml_local.core.account import Account
from sfml_local.core.clock import ManualClock
from sfml_local.registry import open_account

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Sql:
    """An account with a clock that stands still, and a session of it; `start` is when the test began."""

    def __init__(self, account: Account, clock: ManualClock) -> None:
        self.account, self.clock, self.start = account, clock, clock()
        self.session = self.account.sessions.open(database="SFML", schema="PUBLIC")

    def __call__(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.account.execute(self.session, statement).dicts()]

    def dicts(self, statement: str) -> list[dict[str, Any]]:
        return self.account.execute(self.session, statement).dicts()

    def shown(self, name: str = "D") -> dict[str, Any]:
        (row,) = self.dicts(f"SHOW DYNAMIC TABLES LIKE '{name}'")
        return row

    def history(self, *columns: str, name: str = "d") -> list[tuple[Any, ...]]:
        """The refreshes of a table, the first one first."""
        latest_first = self(
            f"SELECT {', '.join(columns)} FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLE_REFRESH_HISTORY("
            f"NAME => '{name}'))"
        )
        return latest_first[::-1]


def started(folder: Path) -> Sql:
    clock = ManualClock(START)
    account = open_account(folder, clock=clock)
    account.start()
    return Sql(account, clock)


def create(name: str, query: str, lag: str = "'1 minute'", more: str = "") -> str:
    return f"CREATE DYNAMIC TABLE {name} TARGET_LAG = {lag} WAREHOUSE = w {more} AS {query}"


COUNTED = create("d", "SELECT a, COUNT(*) AS n FROM t GROUP BY a")
