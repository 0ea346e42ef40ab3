"""DESCRIBE TABLE and VIEW."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.result import DESCRIBE, Result, table
from sfml_local.core.stored_types import shown_type
from sfml_local.grammar.databases import DescribeTable
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.objects import store as records
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
    told = semi_structured.types_of(account, session, name)
    keyed = _keyed(account, name)
    rows = [
        (
            *(column, shown_type(told.get(column), stored, length), "COLUMN"),
            *("Y" if nullable else "N", default),
            *("Y" if column in keyed[kind] else "N" for kind in ("PRIMARY KEY", "UNIQUE")),
            *(None, None, comment, None, None),
        )
        for column, stored, length, nullable, default, comment in shown
    ]
    return table(TABLE_COLUMNS, rows, DESCRIBE)


def _keyed(account: Account, name: ObjectName) -> dict[str, set[str]]:
    """The columns of a table's keys, by the kind of key."""
    found: dict[str, set[str]] = {"PRIMARY KEY": set(), "UNIQUE": set(), "FOREIGN KEY": set()}
    record = records.find(account, name)
    for key in record.keys if record else ():
        found[key.kind].update(key.columns)
    return found
