"""Rows of the columns of tables and views of which something is known that DuckDB does not store.

A type is words: `array`, `object` or `timestamp_ltz`, then the length, then `not null`, each only if it is known;
after them `of view` if it is of a view, whose columns have what they had when it was created.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.core.result import ColumnFacts, Types

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


def types_of(account: Account, name: ObjectName, *, of_table: bool = False) -> Types:
    """What is known of a table's or view's columns; with `of_table`, nothing of a view."""
    return {
        column: _facts(words)
        for column, words in _stored(account, name).items()
        if not (of_table and words.endswith(_OF_VIEW))
    }


def _stored(account: Account, name: ObjectName) -> dict[str, str]:
    rows = account.store.rows(
        'SELECT "column", type FROM semi_structured WHERE database = ? AND schema = ? AND name = ?',
        name.parts,
    )
    return {row["column"]: row["type"] for row in rows}


@functools.lru_cache(maxsize=1024)
def _facts(words: str) -> ColumnFacts:
    facts = ColumnFacts()
    words = words.removesuffix(_OF_VIEW).rstrip()
    for word in words.removesuffix(_REQUIRED).split():
        known = {"length": int(word)} if word.isdecimal() else {"kind": word}
        facts = facts._replace(**known)
    return facts._replace(is_required=words.endswith(_REQUIRED))


def _words(facts: ColumnFacts) -> str:
    length = "" if facts.length is None else str(facts.length)
    required = _REQUIRED if facts.is_required else ""
    return " ".join(word for word in (facts.kind, length, required) if word)


_REQUIRED = "not null"
_OF_VIEW = "of view"


def save(account: Account, name: ObjectName, types: Types, *, is_view: bool = False) -> None:
    """Replace what is known of a table's or view's columns."""
    suffix = f" {_OF_VIEW}" if is_view else ""
    known = ((column, _words(facts)) for column, facts in types.items())
    rows = {column: f"{words}{suffix}" for column, words in known if words}
    if rows == _stored(account, name):
        return
    with account.store.transaction() as connection:
        connection.execute(
            "DELETE FROM semi_structured WHERE database = ? AND schema = ? AND name = ?", name.parts
        )
        connection.executemany(
            "INSERT INTO semi_structured VALUES (?, ?, ?, ?, ?)",
            [(*name.parts, column, words) for column, words in rows.items()],
        )


def schema_dropped(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM semi_structured WHERE database = ? AND schema = ?", (database, schema))
