"""Finds the tables, views and dynamic tables that a query names, and the tables below views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.names import Namespace, ObjectName, resolve
from sfml_local.core.rewriting import dotted
from sfml_local.grammar.model_calls import respelled
from sfml_local.grammar.tokens import Name
from sfml_local.services.dynamic_tables.model import Source
from sfml_local.services.objects import store as records
from sfml_local.services.objects.ddl import defining_query
from sfml_local.services.streams import store as streams

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a schema in which names are resolved."""

    database: str | None
    schema: str | None


def sources_of(account: Account, session: Session, query: str, place: Namespace) -> tuple[Source, ...]:
    """The objects that a query names, in order, without duplicates."""
    names = dict.fromkeys(_names(query, place))
    return tuple(Source(name, kind_of(account, session, name)) for name in names)


def _names(query: str, place: Namespace) -> Iterator[ObjectName]:
    try:
        tree = parse_one(respelled(query))
    except (SqlglotError, ValueError):
        return
    common = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        parts = tuple(dotted(part) for part in table.parts)
        if len(parts) == 1 and parts[0].upper() in common:
            continue
        try:
            yield resolve(Name(parts), place)
        except SqlError:
            continue


def kind_of(account: Account, session: Session, name: ObjectName) -> str | None:
    """TABLE, VIEW, DYNAMIC_TABLE or STREAM; None if there is no object with this name."""
    record = records.find(account, name)
    if record is not None and record.is_dynamic:
        return "DYNAMIC_TABLE"
    if streams.exist(account.store) and streams.find(account.store, name) is not None:
        return "STREAM"
    return account.engine.kind_of(session, name.parts)


def base_tables(account: Account, session: Session, sources: tuple[Source, ...]) -> tuple[ObjectName, ...]:
    """The tables and dynamic tables below these sources, also through nested views."""
    found: dict[ObjectName, None] = {}
    waiting, seen = list(sources), set()
    while waiting:
        source = waiting.pop(0)
        if source in seen:
            continue
        seen.add(source)
        if source.kind != "VIEW":
            found[source.name] = None
            continue
        record = records.find(account, source.name)
        if record is not None and record.written:
            place = Place(source.name.database, source.name.schema)
            waiting += sources_of(account, session, defining_query(record.written), place)
    return tuple(found)
