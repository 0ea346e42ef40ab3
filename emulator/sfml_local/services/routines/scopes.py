"""The scope of a transaction: it begins and ends in one procedure or block.

https://docs.snowflake.com/en/sql-reference/transactions#scoped-transactions
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.core.transactions import SCOPED_TRANSACTION, is_open

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


@contextlib.contextmanager
def scope(account: Account, session: Session) -> Iterator[None]:
    """Run a procedure or block in the session: a transaction that it leaves open is rolled back, and it fails."""
    was_open, is_left = is_open(session), False
    session.scope += 1
    try:
        yield
    finally:
        is_left = is_open(session) and not was_open
        try:
            if is_left:
                account.execute(session, "ROLLBACK")
        finally:
            session.scope -= 1
    if is_left:
        raise incomplete()


def incomplete() -> SqlError:
    """90232: its number and state are seen on accounts, in github.com/dbeaver/dbeaver/issues/15803."""
    return SqlError(
        "Stored procedure execution error: Scoped transaction started in stored procedure is incomplete and it"
        " was rolled back.",
        SCOPED_TRANSACTION,
        "25000",
    )
