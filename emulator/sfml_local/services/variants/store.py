"""Rows of the columns of tables and views that are declared as ARRAY or OBJECT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.core.result import Types

if TYPE_CHECKING:
    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS semi_structured (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    "column" TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (database, schema, name, "column")
);
"""


def types_of(account: Account, name: ObjectName) -> Types:
    """The declared types of a table's or view's columns."""
    rows = account.store.rows(
        'SELECT "column", type FROM semi_structured WHERE database = ? AND schema = ? AND name = ?',
        name.parts,
    )
    return {row["column"]: row["type"] for row in rows}


def save(account: Account, name: ObjectName, types: Types) -> None:
    """Replace the declared types of a table's or view's columns."""
    key = name.parts
    with account.store.transaction() as connection:
        connection.execute("DELETE FROM semi_structured WHERE database = ? AND schema = ? AND name = ?", key)
        connection.executemany(
            "INSERT INTO semi_structured VALUES (?, ?, ?, ?, ?)",
            [(*key, column, type_) for column, type_ in types.items()],
        )


def schema_dropped(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM semi_structured WHERE database = ? AND schema = ?", (database, schema))
