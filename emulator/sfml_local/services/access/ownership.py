"""GRANT OWNERSHIP for kinds of objects whose service supports it (`Kind`).

https://docs.snowflake.com/en/sql-reference/sql/grant-ownership
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sfml_local.core.account import Account
from sfml_local.core.errors import does_not_exist
from sfml_local.core.session import Session
from sfml_local.grammar.tokens import Name


def is_owned(account: Account, kind: str) -> bool:
    """Whether objects of this kind have an owner here; for others, only the grant is stored."""
    return kind in account.kinds and account.kinds[kind].give is not None


def give(account: Account, session: Session, kind: str, written: Name, role: str) -> None:
    """Make a role the owner of an existing object."""
    change = account.kinds[kind].give if kind in account.kinds else None
    if change is None:
        return
    if owner_of(account, session, kind, written) is None:
        raise does_not_exist(kind.capitalize(), ".".join(written.parts))
    change(account, session, written, role)


def give_all(account: Account, session: Session, kind: str, names: Sequence[Name], role: str) -> None:
    """Make a role the owner of objects of a kind that has owners, at once."""
    together = account.kinds[kind].give_all
    if together is not None:
        together(account, session, names, role)
        return
    for name in names:
        give(account, session, kind, name, role)


_TAKEN_FOR_GRANTED = frozenset({"WAREHOUSE", "COMPUTE POOL", "ROLE", "TAG", "USER"})
"""Kinds of which any name counts as existing."""


def demand(account: Account, session: Session, kind: str, written: Name, shown: str) -> None:
    """Refuse a grant on an object that does not exist, of a kind whose objects are known here."""
    if kind in _TAKEN_FOR_GRANTED or not is_owned(account, kind):
        return
    if owner_of(account, session, kind, written) is None:
        raise does_not_exist(kind.capitalize(), shown)


def owner_of(account: Account, session: Session, kind: str, written: Name) -> tuple[datetime, str] | None:
    """When the object was created, and its owner; None if it does not exist, or if nothing is known."""
    ask = account.kinds[kind].owner_of if kind in account.kinds else None
    return None if ask is None else ask(account, session, written)
