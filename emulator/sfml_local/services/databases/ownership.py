"""The owners of databases and schemas."""

from __future__ import annotations

from datetime import datetime

from sfml_local.core.account import Account, Kind
from sfml_local.core.names import resolve_schema
from sfml_local.core.session import Session
from sfml_local.grammar.tokens import Name
from sfml_local.services.databases import store


def kind(word: str) -> Kind:
    """DATABASE or SCHEMA."""

    def place(session: Session, written: Name) -> tuple[str, str]:
        return (written.last, "") if word == "DATABASE" else resolve_schema(written, session)

    def owner_of(account: Account, session: Session, written: Name) -> tuple[datetime, str] | None:
        database, schema = place(session, written)
        is_there = account.engine.has_database(database) and (
            not schema or account.engine.has_schema(database, schema)
        )
        return store.noted(account, database, schema)[:2] if is_there else None

    def give(account: Account, session: Session, written: Name, role: str) -> None:
        store.set_owner(account, *place(session, written), role)

    return Kind(owner_of=owner_of, give=give)
