"""DESCRIBE TABLE and VIEW."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import ObjectName, resolve, resolve_schema
from sfml_local.core.places import Area
from sfml_local.core.result import DESCRIBE, Column, Result, table
from sfml_local.core.stored_types import shown_type
from sfml_local.grammar.databases import DescribePlace, DescribeTable
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.databases import store as places
from sfml_local.services.objects import store as records
from sfml_local.services.objects.show import identity, known_objects, shown_default
from sfml_local.services.variants import semi_structured

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

TABLE_COLUMNS = (
    *("name", "type", "kind", "null?", "default", "primary key", "unique key", "check", "expression"),
    *("comment", "policy name", "privacy domain"),
)


def describe_table(account: Account, session: Session, statement: DescribeTable) -> Result:
    name = resolve(statement.name, session)
    shown = account.engine.columns(session, name)
    if not shown:
        kind = "Table" if statement.kind == "TABLE" else "View"
        raise does_not_exist(kind, ".".join(quoted_if_needed(part) for part in statement.name.parts))
    told = semi_structured.kinds_of(account, session, name)
    keyed = _keyed(account, name)
    rows = [
        (
            *(column, shown_type(told.get(column), stored, length), "COLUMN"),
            *("Y" if nullable else "N", identity(account, default) or shown_default(default)),
            *("Y" if column in keyed[kind] else "N" for kind in ("PRIMARY KEY", "UNIQUE")),
            *(None, None, comment, None, None),
        )
        for column, stored, length, nullable, default, comment in shown
    ]
    return table(TABLE_COLUMNS, rows, DESCRIBE)


def describe_place(account: Account, session: Session, statement: DescribePlace) -> Result:
    """The schemas of a database, or the tables and views of a schema."""
    engine = account.engine
    database, schema = statement.name.last, ""
    if statement.kind == "SCHEMA":
        database, schema = resolve_schema(statement.name, session)
    if not engine.has_database(database) or (schema and not engine.has_schema(database, schema)):
        raise does_not_exist(statement.kind.capitalize(), ".".join(statement.name.parts))
    if schema:
        known = known_objects(account, Area(database, schema))
        rows = [(one.record.created_on, one.name.name, one.kind) for one in known]
    else:
        rows = [(places.noted(account, database, one)[0], one, "SCHEMA") for one in engine.schemas(database)]
    return table((Column("created_on", "timestamp_ltz"), "name", "kind"), rows, DESCRIBE)


def _keyed(account: Account, name: ObjectName) -> dict[str, set[str]]:
    """The columns of a table's keys, by the kind of key."""
    found: dict[str, set[str]] = {"PRIMARY KEY": set(), "UNIQUE": set(), "FOREIGN KEY": set()}
    record = records.find(account, name)
    for key in record.keys if record else ():
        found[key.kind].update(key.columns)
    return found
