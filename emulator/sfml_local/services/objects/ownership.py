"""The owner of a table or view; one without a record belongs to the current role."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sfml_local.core.account import Account, Kind
from sfml_local.core.names import resolve
from sfml_local.core.session import Session
from sfml_local.grammar.tokens import Name
from sfml_local.services.objects import store as records


def owner_of(account: Account, session: Session, written: Name) -> tuple[datetime, str] | None:
    """When the table was created, and its owner."""
    name = resolve(written, session)
    record = records.find(account, name)
    if record is not None:
        return record.created_on, record.owner
    return (account.clock(), session.role) if account.engine.columns(session, name) else None


def kind(word: str) -> Kind:
    """TABLE or VIEW."""

    def give(account: Account, session: Session, written: Name, role: str) -> None:
        name = resolve(written, session)
        record = records.find(account, name) or records.Record(name, word, account.clock(), role)
        records.save(account, replace(record, owner=role))

    return Kind(owner_of=owner_of, give=give)
