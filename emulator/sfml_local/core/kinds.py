"""Kinds of objects whose owner is a column of a table of theirs in the account's SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sfml_local.core.account import Account, Kind
from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.session import Session
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name, parse_name

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


# -- GET_DDL

Statement = Callable[[Account, ObjectName, bool], str | None]
"""The statement that makes an object, with its full name or not; None if it is not there."""
Names = Callable[[Account, str, str], Sequence[ObjectName]]
"""The objects of a schema by name."""


def described(kind: Kind, word: str, statement: Statement, names: Names) -> Kind:
    """A kind whose objects GET_DDL describes, one by one and with their schema; `word` is what errors call it."""

    def ddl(account: Account, session: Session, text: str, qualified: bool) -> str:
        name = resolve(text, session)
        found = statement(account, name, qualified)
        if found is None:
            raise ddl_missing(word, text, name)
        return found

    def of_schema(
        account: Account, session: Session, place: tuple[str, str], qualified: bool
    ) -> Sequence[str]:
        found = (statement(account, name, qualified) for name in names(account, *place))
        return [one for one in found if one is not None]

    return replace(kind, ddl=ddl, ddl_of_schema=of_schema)


def ddl_name(name: ObjectName, qualified: bool) -> str:
    """The name that a statement of GET_DDL gives its object."""
    return name.fqn() if qualified else quoted_if_needed(name.name)


def ddl_missing(word: str, text: str, name: ObjectName) -> SqlError:
    """GET_DDL of what is not there: an account shows the name in full where a schema was named."""
    is_bare = len(parse_name(text).parts) == 1
    return does_not_exist(word, quoted_if_needed(name.name) if is_bare else name.fqn())


def of_account(table: str, kind: str) -> Kind:
    """The same for objects of the account, in a table of several kinds."""
    return kept_in(table, "kind = ? AND name = ?", lambda session, name: (kind, name.last))
