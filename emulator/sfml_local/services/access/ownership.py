"""GRANT OWNERSHIP: objects change hands. A task that changes hands is suspended, as on an account.

https://docs.snowflake.com/en/sql-reference/sql/grant-ownership
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import resolve, resolve_schema
from sfml_local.grammar.tokens import Name

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_STORED: Mapping[str, tuple[str, str, str, str]] = {
    "STAGE": ("stages", "database", "schema", "name"),
    "STREAM": ("streams", "database_name", "schema_name", "name"),
    "TAG": ("tags", "database", "schema", "name"),
}
"""Kinds whose owner is a column of their table: its name, and where the parts of a name are."""

KINDS = frozenset(
    {*_STORED, "TASK", "TABLE", "VIEW", "SCHEMA", "DATABASE", "WAREHOUSE", "COMPUTE POOL", "ROLE"}
)
"""Kinds that have an owner here; of others the grant alone is kept."""


def give(account: Account, session: Session, kind: str, written: Name, role: str) -> None:
    """Make a role the owner of an object, which has to be there."""
    if kind not in KINDS:
        return
    if owner_of(account, session, kind, written) is None:
        raise does_not_exist(kind.capitalize(), ".".join(written.parts))
    if kind == "TASK":
        _give_task(account, session, written, role)
    elif kind in ("TABLE", "VIEW"):
        _give_table(account, session, kind, written, role)
    elif kind == "ROLE":
        _change(
            account, "UPDATE named_objects SET owner = ? WHERE kind = 'ROLE' AND name = ?", role, written.last
        )
    elif kind in ("WAREHOUSE", "COMPUTE POOL"):
        _change(account, "UPDATE compute SET owner = ? WHERE kind = ? AND name = ?", role, kind, written.last)
    elif kind in ("SCHEMA", "DATABASE"):
        place = (written.last, "") if kind == "DATABASE" else resolve_schema(written, session)
        _change(account, "UPDATE containers SET owner = ? WHERE database = ? AND schema = ?", role, *place)
    else:
        table, *columns = _STORED[kind]
        name = resolve(written, session)
        where = " AND ".join(f"{column} = ?" for column in columns)
        sql = f"UPDATE {table} SET owner = ? WHERE {where}"
        _change(account, sql, role, name.database, name.schema, name.name)


def _change(account: Account, sql: str, *parameters: str) -> None:
    account.store.execute(sql, parameters)


def _give_task(account: Account, session: Session, written: Name, role: str) -> None:
    from sfml_local.services.tasks import commands, store

    with account.store.transaction():
        task = commands.fetch(account, resolve(written, session))
        if task.started:
            task = replace(
                task,
                started=False,
                last_suspended_on=account.clock(),
                last_suspended_reason="GRANT_OWNERSHIP_ON_TASK",
            )
        store.save(account.store, replace(task, owner=role))


def _give_table(account: Account, session: Session, kind: str, written: Name, role: str) -> None:
    from sfml_local.services.objects import store as records

    name = resolve(written, session)
    record = records.find(account, name) or records.Record(name, kind, account.clock(), role)
    records.save(account, replace(record, owner=role))


def owner_of(account: Account, session: Session, kind: str, written: Name) -> tuple[datetime, str] | None:
    """When the object was created and the role that owns it; None where it is not there or nothing is known."""
    from sfml_local.services.databases import sql as databases
    from sfml_local.services.objects import store as records
    from sfml_local.services.tasks import store

    if kind == "TASK":
        task = store.find(account.store, resolve(written, session))
        return (task.created_on, task.owner) if task else None
    if kind in ("TABLE", "VIEW"):
        name = resolve(written, session)
        record = records.find(account, name)
        if record is not None:
            return record.created_on, record.owner
        return (account.clock(), session.role) if account.engine.columns(session, name) else None
    if kind in ("SCHEMA", "DATABASE"):
        database, schema = (written.last, "") if kind == "DATABASE" else resolve_schema(written, session)
        is_there = account.engine.has_database(database) and (
            not schema or account.engine.has_schema(database, schema)
        )
        return databases.noted(account, database, schema)[:2] if is_there else None
    return _stored_owner(account, session, kind, written)


def _stored_owner(
    account: Account, session: Session, kind: str, written: Name
) -> tuple[datetime, str] | None:
    if kind in ("WAREHOUSE", "COMPUTE POOL"):
        sql, values = (
            "SELECT created_on, owner FROM compute WHERE kind = ? AND name = ?",
            (kind, written.last),
        )
    elif kind == "ROLE":
        sql, values = (
            "SELECT created_on, owner FROM named_objects WHERE kind = ? AND name = ?",
            (kind, written.last),
        )
    elif kind in _STORED:
        table, *columns = _STORED[kind]
        name = resolve(written, session)
        where = " AND ".join(f"{column} = ?" for column in columns)
        row = account.store.row(
            f"SELECT created_on, owner FROM {table} WHERE {where}", (name.database, name.schema, name.name)
        )
        return (datetime.fromisoformat(row["created_on"]), row["owner"]) if row else None
    else:
        return None
    row = account.store.row(sql, values)
    return (datetime.fromisoformat(row["created_on"]), row["owner"]) if row else None
