"""What is known of databases and schemas besides their files: when they came, their owners, comments and properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS containers (
    database TEXT NOT NULL,
    schema TEXT NOT NULL DEFAULT '',  -- '' is the database itself
    created_on TEXT NOT NULL,
    owner TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (database, schema)
);
CREATE TABLE IF NOT EXISTS container_properties (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,  -- '' is the database itself
    properties TEXT NOT NULL,
    PRIMARY KEY (database, schema)
);
"""
_PLACE = "database = ? AND schema = ?"


def note(account: Account, database: str, schema: str, owner: str, comment: str) -> None:
    """Store a database or schema that was created now."""
    account.store.execute(
        "INSERT OR REPLACE INTO containers VALUES (?, ?, ?, ?, ?)",
        (database, schema, account.clock().isoformat(), owner, comment),
    )


def noted(account: Account, database: str, schema: str = "") -> tuple[datetime, str, str]:
    """(created on, owner, comment) of a database or schema."""
    row = account.store.row(
        f"SELECT created_on, owner, comment FROM containers WHERE {_PLACE}", (database, schema)
    )
    if row is None:
        return datetime.fromtimestamp(0, UTC), "", ""
    return datetime.fromisoformat(row["created_on"]), row["owner"], row["comment"]


def forget(account: Account, database: str, schema: str) -> None:
    """Forget a schema that is gone; its properties go with what it held."""
    account.store.execute(f"DELETE FROM containers WHERE {_PLACE}", (database, schema))


def forget_database(account: Account, database: str) -> None:
    """Forget a database that is gone, with its schemas."""
    account.store.execute("DELETE FROM containers WHERE database = ?", (database,))
    forget_properties(account, database, "")


def set_comment(account: Account, database: str, schema: str, comment: str) -> None:
    account.store.execute(f"UPDATE containers SET comment = ? WHERE {_PLACE}", (comment, database, schema))


def set_owner(account: Account, database: str, schema: str, role: str) -> None:
    account.store.execute(f"UPDATE containers SET owner = ? WHERE {_PLACE}", (role, database, schema))


def owned_by(account: Account, role: str) -> list[Row]:
    """The rows of the databases and schemas that a role owns, by name."""
    return account.store.rows("SELECT * FROM containers WHERE owner = ? ORDER BY database, schema", (role,))


def properties(account: Account, database: str, schema: str = "") -> dict[str, Any]:
    text = account.store.value(
        f"SELECT properties FROM container_properties WHERE {_PLACE}", (database, schema)
    )
    return dict(json.loads(text)) if text else {}


def effective(account: Account, database: str, schema: str) -> dict[str, Any]:
    """The properties of a schema, with its database's for those that it lacks."""
    return {**properties(account, database), **properties(account, database, schema)}


def save_properties(account: Account, database: str, schema: str, given: Mapping[str, Any]) -> None:
    """Replace its properties by these."""
    forget_properties(account, database, schema)
    if given:
        account.store.execute(
            "INSERT INTO container_properties VALUES (?, ?, ?)", (database, schema, json.dumps(dict(given)))
        )


def forget_properties(account: Account, database: str, schema: str) -> None:
    account.store.execute(f"DELETE FROM container_properties WHERE {_PLACE}", (database, schema))
