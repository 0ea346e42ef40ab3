"""CREATE, ALTER, DROP, DESCRIBE and SHOW STREAM, and SYSTEM$STREAM_HAS_DATA."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml_local.core.engine import KINDS
from sfml_local.core.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    invalid_value,
    not_emulated,
    wrong_kind,
)
from sfml_local.core.expressions.argument_counts import wrong_count
from sfml_local.core.kinds import ddl_name
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of, demand_schema
from sfml_local.core.result import DESCRIBE, SHOW, Column, Result, status, table
from sfml_local.core.transactions import commit_open
from sfml_local.grammar import streams as grammar
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.streams import changes, store, view_changes
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
            raise _no_property(key)
        if not isinstance(value, bool if key in _FLAGS else str):
            raise invalid_value(value, key)


def _no_property(key: str) -> SqlError:
    return SqlError(f"SQL compilation error:\ninvalid property '{key}' for 'STREAM'", 1420, "42601")


def create(account: Account, session: Session, statement: grammar.CreateStream) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/create-stream"""
    name = resolve(statement.name, session)
    _check_options(statement.options)
    if statement.options.get("INSERT_ONLY") is True and statement.on == "TABLE":
        raise SqlError(
            "Streams of type INSERT_ONLY can only be created on external tables or Iceberg tables with an external "
            "catalog integration.",
            1008,
            "22023",
        )
    if statement.on == "STAGE" and (wrong := statement.options.keys() - {"COMMENT"}):
        raise _no_property(min(wrong))
    if statement.on not in ("TABLE", "DYNAMIC TABLE", "VIEW", "STAGE") or statement.unsupported:
        what = statement.unsupported or f"ON {statement.on}"
        raise not_emulated(
            f"CREATE STREAM {name.fqn()} {what}", "streams follow tables, views and stages, from now on"
        )
    if (told := _already_there(account, name, statement)) is not None:
        return told
    base = _base(account, session, name, statement)
    if statement.at_stream is not None:
        return _at_stream(account, session, statement, base)
    commit_open(session)
    stream = Stream(
        id=uuid.uuid4().hex,
        name=name,
        base=base,
        append_only=statement.append_only,
        owner=session.role,
        created_on=account.clock(),
        comment=statement.comment,
        stage=resolve(statement.source, session).fqn() if statement.on == "STAGE" else None,
    )
    if statement.on == "VIEW":
        stream = view_changes.of_view(account.engine.rows, stream)
    for one in stream.followed:
        changes.create(
            account.engine.rows,
            one,
            next(account.part(changes.ChangeNumbers).next),
            initial_rows=statement.show_initial_rows,
        )
    return _keep(account, stream, copy_grants=statement.copy_grants)


def _at_stream(
    account: Account, session: Session, statement: grammar.CreateStream, base: ObjectName
) -> Result:
    """AT (STREAM => …): a stream at the offset of another one of the same kind on the same table or view."""
    assert statement.at_stream is not None
    source = fetch(account, resolve(statement.at_stream, session))
    name = resolve(statement.name, session)
    if source.stale:
        raise changes.stale(source)
    if (source.base, source.append_only) != (base, statement.append_only) or statement.show_initial_rows:
        raise not_emulated(
            f"CREATE STREAM {name.fqn()} AT (STREAM => '{source.name.fqn()}')",
            "only with the table or view and the APPEND_ONLY of that stream",
        )
    commit_open(session)
    made = _copied(account, source, name, session.role, statement.comment)
    return _keep(account, made, copy_grants=statement.copy_grants)


def _copied(account: Account, source: Stream, name: ObjectName, owner: str, comment: str | None) -> Stream:
    """A stream with the offset of another one, whose changes it has."""
    named = replace(
        source,
        id=uuid.uuid4().hex,
        name=name,
        owner=owner,
        created_on=account.clock(),
        comment=comment,
        legs=(),
    )
    stream = store.with_sources(named, source.tables, source.views) if source.legs else named
    for old, new in zip(source.followed, stream.followed, strict=True):
        changes.copy(account.engine.rows, old, new)
    return stream


def clone(account: Account, session: Session, statement: grammar.CloneStream) -> Result:
    """A stream at the offset of another; https://docs.snowflake.com/en/sql-reference/sql/create-clone."""
    name = resolve(statement.name, session)
    if (told := _already_there(account, name, statement)) is not None:
        return told
    source = fetch(account, resolve(statement.source, session))
    if source.name.database != name.database:
        raise not_emulated(f"CREATE STREAM {name.fqn()} CLONE of a stream of another database")
    _demand_free(account, name)
    commit_open(session)
    stream = _copied(account, source, name, session.role, source.comment)
    return _keep(account, stream, copy_grants=statement.copy_grants)


def _already_there(
    account: Account, name: ObjectName, statement: grammar.CreateStream | grammar.CloneStream
) -> Result | None:
    """The answer if nothing is to be created; an error if the stream's schema is missing, or its name is taken."""
    if not account.engine.has_database(name.database) or not account.engine.has_schema(*_schema(name)):
        raise does_not_exist("Schema", ".".join(quoted_if_needed(part) for part in _schema(name)))
    if store.find(account.store, name) is None:
        return None
    if statement.if_not_exists:
        return status(f"{name.name} already exists, statement succeeded.")
    if not statement.or_replace:
        raise already_exists(statement.name)
    return None


def _keep(account: Account, stream: Stream, *, copy_grants: bool) -> Result:
    """Take the stream in, in place of one with its name."""
    old = store.find(account.store, stream.name)
    with account.store.transaction():
        if old is not None:
            store.remove(account.store, old)
            if not copy_grants:
                account.object_dropped("STREAM", stream.name.fqn())
        store.add(account.store, stream)
    if old is not None:
        _drop_changes(account, old)
    account.attention.set()
    return status(f"Stream {stream.name.name} successfully created.")


def _schema(name: ObjectName) -> tuple[str, str]:
    return name.database, name.schema


def _demand_free(account: Account, name: ObjectName) -> None:
    if account.engine.rows(KINDS, [*name.parts, *name.parts]) == [("TABLE",)]:
        raise already_exists(name.fqn())


def _base(
    account: Account, session: Session, name: ObjectName, statement: grammar.CreateStream
) -> ObjectName:
    """The table or view that the stream follows, which has to be there; of a stage it is the table of its files."""
    base = resolve(statement.source, session)
    if statement.on != "STAGE":
        _demand_source(account, session, name, base, "VIEW" if statement.on == "VIEW" else "TABLE")
        return base
    followed = account.kinds["STAGE"].followed
    assert followed is not None
    _demand_free(account, name)
    if base.database != name.database:
        raise not_emulated(f"CREATE STREAM {name.fqn()} on a stage of another database")
    return followed(account, session, statement.source)


def _demand_source(account: Account, session: Session, name: ObjectName, base: ObjectName, kind: str) -> None:
    if base in session.temporaries:
        raise not_emulated(f"CREATE STREAM {name.fqn()} on a temporary {kind.lower()}")
    _demand_free(account, name)
    actual = account.engine.kind_of(session, base.parts)
    if actual is None:
        raise does_not_exist(kind.capitalize(), base.fqn())
    if actual != kind:
        raise wrong_kind(actual, kind)
    if base.database != name.database:
        raise not_emulated(f"CREATE STREAM {name.fqn()} on a {kind.lower()} of another database")


def _drop_changes(account: Account, stream: Stream) -> None:
    if account.engine.has_database(stream.name.database):
        for one in stream.followed:
            changes.drop(account.engine.rows, one)


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
        else:
            for source in (stream.base, *stream.tables, *stream.views):
                if source.schema == schema:
                    store.make_stale(account.store, source)


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
    return (
        stream.created_on,
        stream.name.name,
        stream.name.database,
        stream.name.schema,
        stream.owner,
        stream.comment or "",
        _shown(account, stream, stream.base),
        stream.kind.capitalize(),
        ",".join(_shown(account, stream, table) for table in stream.tables),
        "DELTA",
        str(stream.stale).lower(),
        "APPEND_ONLY" if stream.append_only else "DEFAULT",
        None,
        "Base table was dropped or replaced" if stream.stale else "N/A",
        "ROLE",
    )


def _shown(account: Account, stream: Stream, source: ObjectName) -> str:
    if stream.stage is not None:
        return _DROPPED if stream.stale else stream.stage
    is_there = not stream.stale or account.engine.rows(KINDS, [*source.parts, *source.parts])
    return source.fqn() if is_there else _DROPPED


def show(account: Account, session: Session, statement: grammar.ShowStreams) -> Result:
    area = area_of(account, session, statement.listing)
    found = selected(
        store.everywhere(account.store, area.database, area.schema),
        lambda stream: stream.name.name,
        statement.listing,
    )
    if not statement.listing.terse:
        return table(COLUMNS, [_values(account, stream) for stream in found], SHOW)
    rows = [(s.created_on, s.name.name, "DELTA", s.name.database, s.name.schema, _last(s)) for s in found]
    return table(_TERSE, rows, SHOW)


def _last(stream: Stream) -> str:
    """The name of what the stream is on, without its place."""
    return parse_name(stream.source).last


def describe(account: Account, session: Session, statement: grammar.DescribeStream) -> Result:
    stream = fetch(account, resolve(statement.name, session))
    return table(COLUMNS, [_values(account, stream)], DESCRIBE)


def ddl(account: Account, name: ObjectName, qualified: bool) -> str | None:
    """CREATE STREAM as an account tells it: without the comment, and with the last part of what it follows."""
    stream = store.find(account.store, name)
    if stream is None:
        return None
    end = " append_only = true" if stream.append_only else ""
    source = quoted_if_needed(_last(stream))
    return f"create or replace stream {ddl_name(name, qualified)} on {stream.kind} {source}{end};"


# -- SYSTEM$STREAM_HAS_DATA


def stream_has_data(account: Account, session: Session, arguments: tuple[Any, ...]) -> bool:
    """Whether the stream has committed changes.

    Never true without changes here, which Snowflake does not guarantee.
    https://docs.snowflake.com/en/sql-reference/functions/system_stream_has_data
    """
    if len(arguments) != 1 or arguments[0] is None:
        raise wrong_count("SYSTEM$STREAM_HAS_DATA", 1, len(arguments))
    stream = fetch(account, resolve(str(arguments[0]), session))
    if stream.stale:
        raise changes.stale(stream)
    run = account.engine.rows
    if not any(changes.are_recorded(run, one) for one in stream.followed):
        return False
    query = (view_changes if stream.legs else changes).contents(run, stream)
    return bool(account.engine.rows(f"SELECT 1 FROM ({query}) LIMIT 1"))


HANDLERS: Handlers = {
    grammar.CreateStream: create,
    grammar.CloneStream: clone,
    grammar.AlterStream: alter,
    grammar.DropStream: drop,
    grammar.DescribeStream: describe,
    grammar.ShowStreams: show,
}
READ_ONLY = frozenset({grammar.DescribeStream, grammar.ShowStreams})
