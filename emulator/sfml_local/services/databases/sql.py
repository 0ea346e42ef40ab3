"""Databases and schemas: files and DuckDB schemas, and Snowflake's metadata about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml_local.core.database_files import DEFAULT_SCHEMA
from sfml_local.core.errors import SqlError, already_exists, does_not_exist, no_current_database, not_emulated
from sfml_local.core.likeness import selected
from sfml_local.core.names import resolve_schema
from sfml_local.core.places import area_of, cannot_be_performed
from sfml_local.core.result import Column, Result, status, table
from sfml_local.grammar.databases import Alter, Create, Drop, Kind, ShowDatabases, ShowSchemas
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name
from sfml_local.services.databases import properties, store

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session


def create(account: Account, session: Session, statement: Create) -> Result:
    """CREATE DATABASE or SCHEMA, which becomes the session's current one."""
    properties.checked(statement.kind, statement.options)
    with account.engine.changing:
        carry_out = create_database if statement.kind == "DATABASE" else create_schema
        return carry_out(account, session, statement)


def create_database(account: Account, session: Session, statement: Create) -> Result:
    name = single(statement.name)
    engine = account.engine
    if engine.has_database(name):
        if statement.if_not_exists:
            return status(f"{name} already exists, statement succeeded.")
        if not statement.or_replace:
            raise already_exists(name)
        drop_database(account, name)
    engine.attach(name)
    if not engine.has_schema(name, DEFAULT_SCHEMA):  # it exists if the file did
        engine.create_schema(name, DEFAULT_SCHEMA)
    store.note(account, name, "", session.role, statement.comment)
    store.note(account, name, DEFAULT_SCHEMA, session.role, "")
    store.save_properties(account, name, "", statement.options)
    engine.use(session, name, DEFAULT_SCHEMA)
    return status(f"Database {name} successfully created.")


def create_schema(account: Account, session: Session, statement: Create) -> Result:
    database, name = resolve_schema(statement.name, session)
    engine = account.engine
    if not engine.has_database(database):
        raise does_not_exist("Database", database)
    if engine.has_schema(database, name):
        if statement.if_not_exists:
            return status(f"{name} already exists, statement succeeded.")
        if not statement.or_replace:
            raise already_exists(statement.name)
        drop_schema(account, database, name)
    engine.create_schema(database, name)
    store.note(account, database, name, session.role, statement.comment)
    store.save_properties(account, database, name, statement.options)
    engine.use(session, database, name)
    return status(f"Schema {name} successfully created.")


def drop(account: Account, session: Session, statement: Drop) -> Result:
    with account.engine.changing:
        return _drop(account, session, statement)


def _drop(account: Account, session: Session, statement: Drop) -> Result:
    if statement.kind == "DATABASE":
        name = single(statement.name)
        if not account.engine.has_database(name):
            return missing("Database", name, statement.if_exists)
        drop_database(account, name)
        return status(f"{name} successfully dropped.")
    database, schema = resolve_schema(statement.name, session)
    if not account.engine.has_database(database):
        raise does_not_exist("Database", quoted_if_needed(database))
    if not account.engine.has_schema(database, schema):
        return missing("Schema", f"{database}.{schema}", statement.if_exists)
    drop_schema(account, database, schema)
    return status(f"{schema} successfully dropped.")


def missing(kind: str, name: str, fine: bool) -> Result:
    """The answer to DROP of what is not there, which IF EXISTS makes `fine`; `name` is as refusals show it."""
    if not fine:
        raise does_not_exist(kind, name)
    last = _LAST_PART.search(name)
    return status(f"Drop statement executed successfully ({last[0] if last else name} already dropped).")


_LAST_PART = re.compile(r'("(?:[^"]|"")*"|[^."]*)$')


def drop_database(account: Account, name: str) -> None:
    for schema in account.engine.schemas(name):
        account.schema_dropped(name, schema)
    account.leave(name)
    account.engine.begin_drop(name)
    store.forget_database(account, name)
    account.engine.end_drop(name)
    account.object_dropped("DATABASE", quoted_if_needed(name))


def drop_schema(account: Account, database: str, schema: str) -> None:
    account.schema_dropped(database, schema)
    account.leave(database, schema)
    account.engine.drop_schema(database, schema)
    store.forget(account, database, schema)


def single(name: Name) -> str:
    if len(name.parts) > 1:
        raise SqlError(f"SQL compilation error:\ninvalid name '{'.'.join(name.parts)}'", 1003, "42000")
    return name.last


def existing(
    account: Account, session: Session, kind: Kind, name: Name | None, if_exists: bool
) -> tuple[str, str] | None:
    """(database, schema) of a database or schema, without a schema for a database; None if IF EXISTS is given."""
    engine = account.engine
    if name is None:
        name = _current(session, kind)
    if kind == "DATABASE":
        database, schema = name.last, ""
        exists = engine.has_database(database) and len(name.parts) == 1
    else:
        database, schema = resolve_schema(name, session)
        exists = engine.has_database(database) and schema in engine.schemas(database)
    if exists:
        return database, schema
    if if_exists:
        return None
    raise does_not_exist(kind.capitalize(), ".".join(name.parts))


def _current(session: Session, kind: Kind) -> Name:
    """The name of the session's own database or schema."""
    if session.database is None:
        raise no_current_database()
    if kind == "DATABASE":
        return Name((session.database,))
    return Name(resolve_schema(None, session))


def alter(account: Account, session: Session, statement: Alter) -> Result:
    """ALTER DATABASE and SCHEMA … SET and UNSET."""
    place = existing(account, session, statement.kind, statement.name, statement.if_exists)
    if place is None:
        return status()
    if statement.other in ("ENABLE MANAGED ACCESS", "DISABLE MANAGED ACCESS"):
        statement = Alter(
            statement.kind,
            statement.name,
            {"MANAGED ACCESS": True} if statement.other.startswith("ENABLE") else {},
            () if statement.other.startswith("ENABLE") else ("MANAGED ACCESS",),
        )
    elif statement.other:
        raise not_emulated(f"ALTER {statement.kind} … {statement.other}")
    given = dict(statement.set)
    comment = given.pop("COMMENT", None)
    if "COMMENT" in statement.unset:
        comment = ""
    properties.demand_known(statement.kind, (key for key in statement.unset if key != "COMMENT"))
    kept = {**store.properties(account, *place), **properties.checked(statement.kind, given)}
    for key in statement.unset:
        kept.pop(key, None)
    with account.store.transaction():
        store.save_properties(account, *place, kept)
        if comment is not None:
            store.set_comment(account, *place, str(comment))
    return status()


# -- SHOW and DESCRIBE --------------------------------------------------------------------------------------

CREATED_ON = Column("created_on", "timestamp_ltz")
_TERSE = (CREATED_ON, *map(Column, ("name", "kind", "database_name", "schema_name")))
DATABASE_COLUMNS = (
    CREATED_ON,
    *map(Column, ("name", "is_default", "is_current", "origin", "owner", "comment", "options")),
    *map(Column, ("retention_time", "kind", "owner_role_type", "object_visibility")),
    *map(Column, ("data_quality_monitoring_settings", "resharing_settings")),
)
SCHEMA_COLUMNS = (
    CREATED_ON,
    *map(Column, ("name", "is_default", "is_current", "database_name", "owner", "comment", "options")),
    *map(Column, ("retention_time", "owner_role_type", "classification_profile_database")),
    *map(
        Column, ("classification_profile_schema", "classification_profile", "object_visibility", "is_nested")
    ),
)


def show_databases(account: Account, session: Session, statement: ShowDatabases) -> Result:
    listing = statement.listing
    rows: list[tuple[Any, ...]] = []
    for name in selected(account.engine.databases(), str, listing):
        created, owner, comment = store.noted(account, name)
        current = "Y" if name == session.database else "N"
        if listing.terse:
            rows.append((created, name, "STANDARD", None, None))
            continue
        given = store.properties(account, name)
        rows.append(
            (
                *(created, name, "N", current, "", owner, comment, _options(given), _retention(given)),
                *("STANDARD", "ROLE", None, None, None),
            )
        )
    return table(_TERSE if listing.terse else DATABASE_COLUMNS, rows)


def _options(given: Mapping[str, Any]) -> str:
    """The text in SHOW's column `options`."""
    return ", ".join(key for key in ("TRANSIENT", "MANAGED ACCESS") if given.get(key))


def _retention(given: Mapping[str, Any]) -> str:
    return str(given.get("DATA_RETENTION_TIME_IN_DAYS", 1))


def show_schemas(account: Account, session: Session, statement: ShowSchemas) -> Result:
    engine, listing = account.engine, statement.listing
    within = replace(listing, scope=listing.scope or "DATABASE")
    area = area_of(account, session, within, command="SHOW SCHEMAS", missing=cannot_be_performed)
    databases = engine.databases() if area.database is None else (area.database,)
    places = [(one, name) for one in databases for name in (*engine.schemas(one), "INFORMATION_SCHEMA")]
    kept = set(selected((name for _, name in places), str, listing))
    rows = [
        _schema_row(account, session, *place, terse=listing.terse) for place in places if place[1] in kept
    ]
    return table(_TERSE if listing.terse else SCHEMA_COLUMNS, rows)


def _schema_row(
    account: Account, session: Session, database: str, name: str, *, terse: bool
) -> tuple[Any, ...]:
    created, owner, comment = store.noted(account, database, name)
    if terse:
        return created, name, None, database, None
    current = "Y" if (database, name) == (session.database, session.schema) else "N"
    role_type = "ROLE" if owner else ""
    if name == "INFORMATION_SCHEMA":
        comment = "Views describing the contents of schemas in this database"
    own = store.properties(account, database, name)
    return (
        *(created, name, "N", current, database, owner, comment, _options(own)),
        *(_retention(store.effective(account, database, name)), role_type),
        *(None, None, None, None, "false"),
    )


HANDLERS: Handlers = {
    Alter: alter,
    Create: create,
    Drop: drop,
    ShowDatabases: show_databases,
    ShowSchemas: show_schemas,
}
READ_ONLY = frozenset({ShowDatabases, ShowSchemas})
