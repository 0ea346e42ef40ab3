"""Statements and questions about streams, on an account without HTTP in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sfml_local.core.account import Account
from sfml_local.registry import open_account


class StreamSql:
    """`sql("…")` runs a statement and answers its rows; a few questions about streams besides."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.session = account.sessions.open(database="SFML", schema="PUBLIC")

    def __call__(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.account.execute(self.session, statement).dicts()]

    def has_data(self, stream: str = "s") -> bool:
        return bool(self(f"SELECT SYSTEM$STREAM_HAS_DATA('{stream}')")[0][0])


@contextmanager
def started(folder: Path) -> Iterator[Account]:
    account = open_account(folder)
    account.start()
    yield account
    account.close()
