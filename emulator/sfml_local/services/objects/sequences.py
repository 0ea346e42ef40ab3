"""ALTER and DESCRIBE SEQUENCE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sfml_local.core.errors import does_not_exist, not_emulated
from sfml_local.core.names import resolve
from sfml_local.core.places import Area
from sfml_local.core.result import DESCRIBE, Result, status
from sfml_local.grammar.sequences import AlterSequence, DescribeSequence
from sfml_local.grammar.shows import Listing
from sfml_local.services.objects import show
from sfml_local.services.objects import store as records
from sfml_local.services.objects.store import Record

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def alter(account: Account, session: Session, statement: AlterSequence) -> Result:
    """SET of the comment and the order; DuckDB can change neither the step nor the name of a sequence."""
    name = resolve(statement.name, session)
    if not account.engine.has_sequence(session, name):
        if statement.if_exists:
            return status()
        raise does_not_exist("Sequence", name)
    if statement.unsupported is not None:
        raise not_emulated(f"ALTER SEQUENCE {name} {statement.unsupported}")
    record = records.find(account, name) or Record(name, "SEQUENCE", account.clock(), session.role)
    set_ = {"ORDERED": statement.ordered, "COMMENT": statement.comment}
    details = {**record.details, **{key: value for key, value in set_.items() if value is not None}}
    records.save(account, replace(record, details=details))
    return status()


def describe(account: Account, session: Session, statement: DescribeSequence) -> Result:
    """The row of SHOW SEQUENCES."""
    name = resolve(statement.name, session)
    found = show.sequences(account, Area(name.database, name.schema), Listing())
    rows = [row for row in found.rows if row[0] == name.name]
    if not rows:
        raise does_not_exist("Sequence", name)
    return replace(found, rows=tuple(rows), statement_type_id=DESCRIBE)
