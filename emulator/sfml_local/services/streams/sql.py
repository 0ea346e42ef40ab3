"""CREATE, ALTER, DROP, DESCRIBE and SHOW STREAM, and SYSTEM$STREAM_HAS_DATA."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, already_exists, does_not_exist, invalid_value, not_emulated
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of, demand_schema
from sfml_local.core.result import DESCRIBE, SHOW, Column, Result, status, table
from sfml_local.core.transactions import commit_open
from sfml_local.grammar import streams as grammar
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.streams import changes, store
from sfml_local.services.streams.following import stale
from sfml_local.services.streams.store import Stream

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session


def fetch(account: Account, name: ObjectName) -> Stream:
    stream = store.find(account.store, name)
    if stream is None:
        raise does_not_exist("Stream", name.fqn())
    return stream


_FLAGS = ("APPEND_ONLY", "INSERT_ONLY", "SHOW_INITIAL_ROWS")


def _check_options(given: Mapping[str, Any]) -> None:
    for key, value in given.items():
        if key not in (*_FLAGS, "COMMENT"):
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for 'STREAM'", 1420, "42601")
        if not isinstance(value, bool if key in _FLAGS else str):
            raise invalid_value(value, key)


def create(account: Account, session: Session, statement: grammar.CreateStream) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/create-stream"""
    name = resolve(statement.name, session)
    _check_options(statement.options)
    if statement.on not in ("TABLE", "DYNAMIC TABLE") or statement.unsupported:
        what = statement.unsupported or f"ON {statement.on}"
        raise not_emulated(f"CREATE STREAM {name.fqn()} {what}", "streams follow tables, from now on")
    base = resolve(statement.source, session)
    if not account.engine.has_database(name.database) or not account.engine.has_schema(*_schema(name)):
        raise does_not_exist("Schema", ".".join(quoted_if_needed(part) for part in _schema(name)))
    old = store.find(account.store, name)
    if old is not None and statement.if_not_exists:
        return status(f"{name.name} already exists, statement succeeded.")
    if old is not None and not statement.or_replace:
        raise already_exists(name.fqn())
    _demand_table(account, session, name, base)
    commit_open(session)
    stream = Stream(
        id=uuid.uuid4().hex,
        name=name,
        base=base,
        append_only=statement.append_only,
        owner=session.role,
        created_on=account.clock(),
        comment=statement.comment,
    )
    changes.create(
        account.engine.rows,
        stream,
        next(account.part(changes.ChangeNumbers).next),
        initial_rows=statement.show_initial_rows,
    )
    with account.store.transaction():
        if old is not None:
            store.remove(account.store, old)
            if not statement.copy_grants:
                account.object_dropped("STREAM", name.fqn())
        store.add(account.store, stream)
    if old is not None:
        _drop_changes(account, old)
    account.attention.set()
    return status(f"Stream {name.name} successfully created.")


def _schema(name: ObjectName) -> tuple[str, str]:
    return name.database, name.schema


def _demand_table(account: Account, session: Session, name: ObjectName, base: ObjectName) -> None:
    if base in session.temporaries:
        raise not_emulated(f"CREATE STREAM {name.fqn()} on a temporary table")
    if changes.base_columns(account.engine.rows, name):
        raise already_exists(name.fqn())
    if not changes.base_columns(account.engine.rows, base):
        if account.engine.columns(session, base):
            raise not_emulated(f"CREATE STREAM {name.fqn()} on a view")
        raise does_not_exist("Table", base.fqn())
    if base.database != name.database:
        raise not_emulated(f"CREATE STREAM {name.fqn()} on a table of another database")


def _drop_changes(account: Account, stream: Stream) -> None:
    if account.engine.has_database(stream.name.database):
        changes.drop(account.engine.rows, stream)


def alter(account: Account, session: Session, statement: grammar.AlterStream) -> Result:
    name = resolve(statement.name, session)
    if statement.unsupported is not None:
        raise not_emulated(f"ALTER STREAM {name.fqn()} {statement.unsupported}")
    if statement.if_exists and store.find(account.store, name) is None:
        return status("Statement executed successfully.")
    store.set_comment(account.store, fetch(account, name), statement.comment)
    return status("Statement executed successfully.")


def drop(account: Account, session: Session, statement: grammar.DropStream) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    if statement.if_exists and store.find(account.store, name) is None:
        return status(f"Drop statement executed successfully ({name.name} already dropped).")
    stream = fetch(account, name)
    commit_open(session)
    store.remove(account.store, stream)
    account.object_dropped("STREAM", name.fqn())
    _drop_changes(account, stream)
    return status(f"{name.name} successfully dropped.")


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """Drop the streams of a dropped schema; streams of other schemas on its tables become stale."""
    for stream in store.everywhere(account.store, database):
        if stream.name.schema == schema:
            store.remove(account.store, stream)
            _drop_changes(account, stream)
        elif stream.base.schema == schema:
            store.make_stale(account.store, stream.base)


# -- SHOW, DESCRIBE

COLUMNS = tuple(
    Column(name, "timestamp_ltz" if name in ("created_on", "stale_after") else "text")
    for name in (
        *("created_on", "name", "database_name", "schema_name", "owner", "comment", "table_name"),
        *("source_type", "base_tables", "type", "stale", "mode", "stale_after", "invalid_reason"),
        "owner_role_type",
    )
)
_TERSE = (
    Column("created_on", "timestamp_ltz"),
    *map(Column, ("name", "kind", "database_name", "schema_name", "tableOn")),
)


_DROPPED = "No privilege or table dropped"
"""What an account shows in place of the name of a table that is not there."""


def _values(account: Account, stream: Stream) -> tuple[Any, ...]:
    is_dropped = stream.stale and not changes.base_columns(account.engine.rows, stream.base)
    return (
        stream.created_on,
        stream.name.name,
        stream.name.database,
        stream.name.schema,
        stream.owner,
        stream.comment or "",
        _DROPPED if is_dropped else stream.base.fqn(),
        "Table",
        _DROPPED if is_dropped else stream.base.fqn(),
        "DELTA",
        str(stream.stale).lower(),
        "APPEND_ONLY" if stream.append_only else "DEFAULT",
        None,
        "Base table was dropped or replaced" if stream.stale else "N/A",
        "ROLE",
    )


def show(account: Account, session: Session, statement: grammar.ShowStreams) -> Result:
    area = area_of(account, session, statement.listing)
    found = selected(
        store.everywhere(account.store, area.database, area.schema),
        lambda stream: stream.name.name,
        statement.listing,
    )
    if not statement.listing.terse:
        return table(COLUMNS, [_values(account, stream) for stream in found], SHOW)
    rows = [(s.created_on, s.name.name, "DELTA", s.name.database, s.name.schema, s.base.name) for s in found]
    return table(_TERSE, rows, SHOW)


def describe(account: Account, session: Session, statement: grammar.DescribeStream) -> Result:
    stream = fetch(account, resolve(statement.name, session))
    return table(COLUMNS, [_values(account, stream)], DESCRIBE)


# -- SYSTEM$STREAM_HAS_DATA


def stream_has_data(account: Account, session: Session, arguments: tuple[Any, ...]) -> bool:
    """Whether the stream has committed changes.

    Never true without changes here, which Snowflake does not guarantee.
    https://docs.snowflake.com/en/sql-reference/functions/system_stream_has_data
    """
    if len(arguments) != 1 or arguments[0] is None:
        raise SqlError(
            "SQL compilation error:\nnot enough arguments for function [SYSTEM$STREAM_HAS_DATA], expected 1, "
            f"got {len(arguments)}",
            938,
            "22023",
        )
    stream = fetch(account, resolve(str(arguments[0]), session))
    if stream.stale:
        raise stale(stream)
    query = changes.contents(account.engine.rows, stream)
    return bool(account.engine.rows(f"SELECT 1 FROM ({query}) LIMIT 1"))


HANDLERS: Handlers = {
    grammar.CreateStream: create,
    grammar.AlterStream: alter,
    grammar.DropStream: drop,
    grammar.DescribeStream: describe,
    grammar.ShowStreams: show,
}
READ_ONLY = frozenset({grammar.DescribeStream, grammar.ShowStreams})
