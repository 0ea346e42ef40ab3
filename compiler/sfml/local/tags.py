"""Tags as objects: created, shown and dropped. What is tagged keeps its tags itself, also those never created.

https://docs.snowflake.com/en/sql-reference/sql/create-tag
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml.grammar import tags as grammar
from sfml.local.databases import missing
from sfml.local.errors import SqlError, already_exists, does_not_exist
from sfml.local.likeness import like
from sfml.local.names import ObjectName, resolve, resolve_schema
from sfml.local.result import Column, Result, status, table

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session

SCHEMA = """
CREATE TABLE IF NOT EXISTS tags (
  database TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  allowed TEXT NOT NULL,
  comment TEXT NOT NULL,
  owner TEXT NOT NULL,
  created_on TEXT NOT NULL,
  PRIMARY KEY (database, schema, name)
);
"""

OF_THE_FEATURE_STORE = "SNOWML_FEATURE_"
"""How the names of the tags begin that a Feature Store makes first of all."""

INSTEAD = {
    "MODEL MONITOR": "query its predictions instead",
    "DYNAMIC TABLE": "use a task on a stream, or a view",
    "DYNAMIC ICEBERG TABLE": "use a task on a stream, or a view",
    "ONLINE FEATURE TABLE": "use a table",
}


def absent(account: Account, session: Session, statement: grammar.Absent) -> Result:
    raise _refused(f"{statement.kind}S", INSTEAD[statement.kind])


def _refused(what: str, instead: str) -> SqlError:
    return SqlError(f"Unsupported feature: the local server has no {what}; {instead}.", 2, "0A000")


def create(account: Account, session: Session, statement: grammar.CreateTag) -> Result:
    name = resolve(statement.name, session)
    if name.name.startswith(OF_THE_FEATURE_STORE):
        raise _refused("Feature Store", "keep features in tables, and training sets in Datasets")
    if not account.engine.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", f"{name.database}.{name.schema}")
    with account.store.transaction() as connection:
        if find(account, name) is not None and not statement.or_replace:
            if statement.if_not_exists:
                return status(f"{name.name} already exists, statement succeeded.")
            raise already_exists(name)
        connection.execute(
            "INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(name.database, name.schema, name.name, json.dumps(statement.allowed), statement.comment),
                *(session.role, account.clock().isoformat()),
            ),
        )
    return status(f"Tag {name.name} successfully created.")


def drop(account: Account, session: Session, statement: grammar.DropTag) -> Result:
    name = resolve(statement.name, session)
    if find(account, name) is None:
        return missing("Tag", name.fqn(), statement.if_exists)
    account.store.execute(
        "DELETE FROM tags WHERE database = ? AND schema = ? AND name = ?",
        (name.database, name.schema, name.name),
    )
    return status(f"{name.name} successfully dropped.")


def find(account: Account, name: ObjectName) -> Any:
    return account.store.row(
        "SELECT * FROM tags WHERE database = ? AND schema = ? AND name = ?",
        (name.database, name.schema, name.name),
    )


def check_value(account: Account, name: ObjectName, value: str) -> None:
    """Refuse a value that is too long, or that the tag, where it was created, does not allow."""
    if len(value) > 256:
        raise SqlError("SQL compilation error:\nTag value is longer than 256 characters.", 391801, "22023")
    row = find(account, name)
    allowed = json.loads(row["allowed"]) if row is not None else []
    if allowed and value not in allowed:
        raise SqlError(
            f"SQL compilation error:\nTag value '{value}' is not an allowed value of tag {name}.",
            391801,
            "22023",
        )


def show(account: Account, session: Session, statement: grammar.ShowTags) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-tags"""
    columns = (
        Column("created_on", "timestamp_ltz"),
        *("name", "database_name", "schema_name", "owner", "comment", "allowed_values", "owner_role_type"),
    )
    rows = []
    for row in account.store.rows("SELECT * FROM tags ORDER BY database, schema, name"):
        if like(statement.like, row["name"]) and _in_scope(row, session, statement):
            allowed = row["allowed"] if row["allowed"] != "[]" else None
            rows.append(
                (
                    *(datetime.fromisoformat(row["created_on"]), row["name"], row["database"], row["schema"]),
                    *(row["owner"], row["comment"], allowed, "ROLE"),
                )
            )
    return table(columns, rows)


def _in_scope(row: Any, session: Session, statement: grammar.ShowTags) -> bool:
    match statement.scope:
        case "ACCOUNT":
            return True
        case "DATABASE":
            return bool(row["database"] == (statement.within.last if statement.within else session.database))
        case _:
            return (row["database"], row["schema"]) == resolve_schema(statement.within, session)


def SCHEMA_DROPPED(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM tags WHERE database = ? AND schema = ?", (database, schema))


HANDLERS = {
    grammar.CreateTag: create,
    grammar.DropTag: drop,
    grammar.ShowTags: show,
    grammar.Absent: absent,
}
READ_ONLY = frozenset({grammar.ShowTags})
