"""The time of each table's last change, for LAST_ALTERED, and its number of changes, for refreshes.

A row outlives its table, so that a new table with the same name continues the count.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.names import ObjectName
from sfml_local.core.rewriting import Rewriting
from sfml_local.core.temporaries import full_name, target_of
from sfml_local.core.transactions import is_open

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS table_changes (
    name TEXT PRIMARY KEY,
    changed_on TEXT NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
"""

_CHANGING = (
    *(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable),
    *(exp.Create, exp.Drop, exp.Alter),
)
_ENDING = (exp.Commit, exp.Rollback)


@dataclass(frozen=True, slots=True)
class Change:
    """The latest change of a table; `version` counts its changes."""

    changed_on: datetime
    version: int


def note(account: Account, names: Iterable[ObjectName]) -> None:
    """Count a change of these tables, now."""
    moment = account.clock().isoformat()
    with account.store.transaction() as connection:
        connection.executemany(
            "INSERT INTO table_changes VALUES (?, ?, 1)"
            " ON CONFLICT (name) DO UPDATE SET changed_on = excluded.changed_on, version = version + 1",
            [(name.fqn(), moment) for name in names],
        )


def every(account: Account) -> dict[str, Change]:
    """The latest changes by full name."""
    rows = account.store.rows("SELECT * FROM table_changes")
    return {
        row["name"]: Change(datetime.fromisoformat(row["changed_on"]), int(row["version"])) for row in rows
    }


def versions(account: Account, names: Iterable[ObjectName]) -> dict[str, int]:
    """The number of changes of each of these tables; 0 for unknown ones."""
    found = {}
    for name in names:
        value = account.store.value("SELECT version FROM table_changes WHERE name = ?", (name.fqn(),))
        found[name.fqn()] = int(value or 0)
    return found


@contextlib.contextmanager
def noting(tree: Expr, rewriting: Rewriting) -> Iterator[None]:
    """Around a statement: counts its changes once they are committed."""
    session = rewriting.session
    if isinstance(tree, _CHANGING):
        yield
        target = next(tree.find_all(exp.Table), None) if isinstance(tree, exp.Drop) else target_of(tree)
        if target is not None and target.catalog != "temp":
            name = full_name(target, session)
            if name is not None and name not in session.temporaries:
                session.changed.add(name)
        settle(rewriting.account, session)
    elif isinstance(tree, _ENDING):
        yield
        if isinstance(tree, exp.Rollback):
            session.changed.clear()
        settle(rewriting.account, session)
    else:
        yield


def settle(account: Account, session: Session) -> None:
    """Count the changes of a session, unless its transaction is still open."""
    if session.changed and not is_open(session):
        names, session.changed = session.changed, set()
        note(account, names)
