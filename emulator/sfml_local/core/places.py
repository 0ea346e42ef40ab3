"""Checks that databases and schemas exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.names import ObjectName, resolve_schema
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def demand_schema(account: Account, name: ObjectName) -> None:
    """Refuse a missing database or schema of an object; IF EXISTS applies to the object only."""
    if not account.engine.has_database(name.database):
        raise does_not_exist("Database", quoted_if_needed(name.database))
    if not account.engine.has_schema(name.database, name.schema):
        place = f"{quoted_if_needed(name.database)}.{quoted_if_needed(name.schema)}"
        raise does_not_exist("Schema", place)


def demand_listed(account: Account, session: Session, scope: str | None, within: Name | None) -> None:
    """The same refusal with the message of SHOW TABLES, VIEWS, STAGES and FILE FORMATS."""
    try:
        demand_scope(account, session, scope, within)
    except SqlError as error:
        if error.errno != 2003:
            raise
        raise SqlError(
            "SQL compilation error:\nObject does not exist, or operation cannot be performed.", 2043, "02000"
        ) from error


def demand_scope(account: Account, session: Session, scope: str | None, within: Name | None) -> None:
    """Refuse a SHOW in a database or schema that does not exist."""
    engine = account.engine
    if within is None or scope == "ACCOUNT":
        return
    if scope == "DATABASE":
        if not engine.has_database(within.last):
            raise does_not_exist("Database", quoted_if_needed(within.last))
        return
    database, schema = resolve_schema(within, session)
    if not engine.has_database(database):
        raise does_not_exist("Database", quoted_if_needed(database))
    if not engine.has_schema(database, schema):
        raise does_not_exist("Schema", f"{quoted_if_needed(database)}.{quoted_if_needed(schema)}")
