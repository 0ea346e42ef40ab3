"""Kinds of objects whose owner is a column of a table of theirs in the account's SQLite file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sfml_local.core.account import Account, Kind
from sfml_local.core.names import resolve
from sfml_local.core.session import Session
from sfml_local.grammar.tokens import Name

Key = Callable[[Session, Name], tuple[str, ...]]


def kept_in(table: str, where: str, key: Key) -> Kind:
    """A kind kept in a table with the columns `created_on` and `owner`; `where` finds the row of a key."""

    def owner_of(account: Account, session: Session, name: Name) -> tuple[datetime, str] | None:
        row = account.store.row(f"SELECT created_on, owner FROM {table} WHERE {where}", key(session, name))
        return (datetime.fromisoformat(row["created_on"]), row["owner"]) if row else None

    def give(account: Account, session: Session, name: Name, role: str) -> None:
        account.store.execute(f"UPDATE {table} SET owner = ? WHERE {where}", (role, *key(session, name)))

    return Kind(owner_of=owner_of, give=give)


def of_schemas(table: str, where: str = "database = ? AND schema = ? AND name = ?") -> Kind:
    """The same for objects that live in schemas."""

    def key(session: Session, name: Name) -> tuple[str, ...]:
        full = resolve(name, session)
        return full.database, full.schema, full.name

    return kept_in(table, where, key)


def of_account(table: str, kind: str) -> Kind:
    """The same for objects of the account, in a table of several kinds."""
    return kept_in(table, "kind = ? AND name = ?", lambda session, name: (kind, name.last))
