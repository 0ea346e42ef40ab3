"""Follows the changes of tables: their times are for LAST_ALTERED, their number is for refreshes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.rewriting import Rewriting
from sfml_local.core.temporaries import full_name, target_of
from sfml_local.core.transactions import is_open
from sfml_local.services.objects import change_store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_CHANGING = (
    *(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable),
    *(exp.Create, exp.Drop, exp.Alter),
)
_ENDING = (exp.Commit, exp.Rollback)


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
        change_store.note(account, names)
