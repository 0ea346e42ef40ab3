"""Where a SHOW looks, and checks that databases and schemas exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, does_not_exist, no_current_database
from sfml_local.core.names import ObjectName, resolve_schema
from sfml_local.core.unknown_references import UnknownRelation, written_name
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.tokens import Name

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

Missing = Callable[[str, str], SqlError]
"""The refusal of a kind of object, Database or Schema, with this name."""


@dataclass(frozen=True, slots=True)
class Area:
    """A schema, a database, or the whole account."""

    database: str | None = None
    schema: str | None = None

    def has(self, database: str, schema: str) -> bool:
        """Whether a schema lies in it."""
        return self.database in (None, database) and self.schema in (None, schema)


def cannot_be_performed(kind: str, name: str) -> SqlError:
    """The refusal of SHOW TABLES, VIEWS, STAGES and FILE FORMATS for a missing place."""
    return SqlError(
        "SQL compilation error:\nObject does not exist, or operation cannot be performed.", 2043, "02000"
    )


def area_of(
    account: Account,
    session: Session,
    listing: Listing,
    *,
    unsaid: str | None = None,
    command: str = "SHOW",
    missing: Missing = does_not_exist,
) -> Area:
    """Where a SHOW looks; refuses missing places.

    Without IN, that is what the session is in: its schema, else its database, else the account. For some kinds it is
    `unsaid`, DATABASE, if the session has a database.
    """
    within, scope = listing.within, listing.scope
    if scope is None and session.database is None:
        return Area()
    if scope is None:
        scope = unsaid or ("DATABASE" if session.schema is None else "SCHEMA")
    if scope == "ACCOUNT":
        return Area()
    if scope == "DATABASE":
        database = within.last if within else session.database
        if database is None:
            raise no_current_database(command)
        _demand_database(account, database, missing)
        return Area(database)
    database, schema = resolve_schema(within, session)
    _demand(account, database, schema, missing)
    return Area(database, schema)


def demand_schema(account: Account, name: ObjectName) -> None:
    """Refuse a missing database or schema of an object; IF EXISTS applies to the object only."""
    _demand(account, name.database, name.schema, does_not_exist)


def demand_scope(account: Account, session: Session, scope: str, within: Name | None) -> None:
    """Refuse a database or schema that does not exist."""
    if scope == "DATABASE" and within is not None:
        _demand_database(account, within.last, does_not_exist)
    else:
        _demand(account, *resolve_schema(within, session), does_not_exist)


def _demand(account: Account, database: str, schema: str, missing: Missing) -> None:
    _demand_database(account, database, missing)
    if not account.engine.has_schema(database, schema):
        raise missing("Schema", f"{quoted_if_needed(database)}.{quoted_if_needed(schema)}")


def _demand_database(account: Account, database: str, missing: Missing) -> None:
    if not account.engine.has_database(database):
        raise missing("Database", quoted_if_needed(database))


def missing_place(error: UnknownRelation, account: Account, session: Session, sql: str) -> SqlError:
    """The error of a missing database or schema, which accounts look for first; else with the name as written."""
    *places, last = written_name(error.name, sql)
    if not places:
        return error
    if len(places) < 2 and session.database is not None:
        places = [session.database, *places]
    database, schema = places if len(places) == 2 else ("SNOWFLAKE", places[0])
    if database != "SNOWFLAKE" and not account.engine.has_database(database):
        return does_not_exist("Database", database)
    if database != "SNOWFLAKE" and not account.engine.has_schema(database, schema):
        return does_not_exist("Schema", f"{database}.{schema}")
    return UnknownRelation(".".join([*places, last]))
