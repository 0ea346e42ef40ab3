"""Rows of tags, and of what is tagged; tasks and models keep their tags themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sfml_local.core.kinds import ddl_name
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import ddl_literal, quoted_if_needed

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

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
CREATE TABLE IF NOT EXISTS tag_propagation (
  tag TEXT PRIMARY KEY,
  propagate TEXT NOT NULL,
  on_conflict TEXT
);
CREATE TABLE IF NOT EXISTS tag_assignments (
    domain TEXT NOT NULL,
    object TEXT NOT NULL,
    "column" TEXT NOT NULL DEFAULT '',
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (domain, object, "column", database, schema, name)
);
"""
Values = dict[ObjectName, str]

_ONE = "database = ? AND schema = ? AND name = ?"
_OF = 'domain = ? AND object = ? AND "column" = ?'


# -- tags


def objects_with(account: Account, tag: str) -> frozenset[str]:
    """The full names of what has a tag of this name, of any schema."""
    rows = account.store.rows("SELECT object FROM tag_assignments WHERE name = ? AND \"column\" = ''", (tag,))
    return frozenset(row["object"] for row in rows)


def find(account: Account, name: ObjectName) -> Row | None:
    return account.store.row(f"SELECT * FROM tags WHERE {_ONE}", name.parts)


def every(account: Account) -> list[Row]:
    """All tags, by name."""
    return account.store.rows("SELECT * FROM tags ORDER BY database, schema, name")


def names(account: Account, database: str, schema: str) -> list[ObjectName]:
    """The tags of a schema, by name."""
    here = "SELECT name FROM tags WHERE database = ? AND schema = ? ORDER BY name"
    return [ObjectName(database, schema, row["name"]) for row in account.store.rows(here, (database, schema))]


def ddl(account: Account, name: ObjectName, qualified: bool) -> str | None:
    """CREATE TAG, with the blanks of an account."""
    row = find(account, name)
    if row is None:
        return None
    allowed = " , ".join(map(ddl_literal, json.loads(row["allowed"])))
    listed = f"  allowed_values  {allowed}" if allowed else ""
    end = f"COMMENT={ddl_literal(row['comment'])}\n" if row["comment"] else ""
    return f"create or replace tag {ddl_name(name, qualified)}{listed} {end};"


def save(account: Account, name: ObjectName, allowed: Sequence[str], comment: str, owner: str) -> None:
    """Store a tag that is created now, or replaced."""
    account.store.execute(
        "INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*name.parts, json.dumps(allowed), comment, owner, account.clock().isoformat()),
    )


def remove(account: Account, name: ObjectName) -> None:
    account.store.execute(f"DELETE FROM tags WHERE {_ONE}", name.parts)


def set_allowed(account: Account, name: ObjectName, values: Sequence[str]) -> None:
    account.store.execute(f"UPDATE tags SET allowed = ? WHERE {_ONE}", (json.dumps(values), *name.parts))


def set_comment(account: Account, name: ObjectName, comment: str) -> None:
    account.store.execute(f"UPDATE tags SET comment = ? WHERE {_ONE}", (comment, *name.parts))


def rename(account: Account, name: ObjectName, new: ObjectName) -> None:
    account.store.execute(
        f"UPDATE tags SET database = ?, schema = ?, name = ? WHERE {_ONE}", (*new.parts, *name.parts)
    )


def propagations(account: Account) -> dict[str, Row]:
    """How tags propagate, by full name."""
    return {row["tag"]: row for row in account.store.rows("SELECT * FROM tag_propagation")}


def set_propagation(account: Account, name: ObjectName, propagate: str, on_conflict: str) -> None:
    """Replace how a tag propagates; empty, it does not."""
    account.store.execute("DELETE FROM tag_propagation WHERE tag = ?", (name.fqn(),))
    if propagate:
        account.store.execute(
            "INSERT INTO tag_propagation VALUES (?, ?, ?)", (name.fqn(), propagate, on_conflict or None)
        )


# -- what is tagged


def assign(
    account: Account, domain: str, key: str, values: Mapping[ObjectName, str], column: str = ""
) -> None:
    with account.store.transaction() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO tag_assignments VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(domain, key, column, *tag.parts, value) for tag, value in values.items()],
        )


def unassign(account: Account, domain: str, key: str, tags: Iterable[ObjectName], column: str = "") -> None:
    for tag in tags:
        account.store.execute(
            f"DELETE FROM tag_assignments WHERE {_OF} AND {_ONE}", (domain, key, column, *tag.parts)
        )


def assigned(account: Account, domain: str, key: str, column: str = "") -> Values:
    rows = account.store.rows(
        f"SELECT * FROM tag_assignments WHERE {_OF} ORDER BY database, schema, name", (domain, key, column)
    )
    return {ObjectName(row["database"], row["schema"], row["name"]): row["value"] for row in rows}


def assigned_to_parts(account: Account, domain: str, key: str) -> dict[str, Values]:
    """The tags set on an object, under "", and on its columns, under their names."""
    rows = account.store.rows(
        'SELECT DISTINCT "column" FROM tag_assignments WHERE domain = ? AND object = ?', (domain, key)
    )
    return {row["column"]: assigned(account, domain, key, row["column"]) for row in rows}


def tagged(account: Account, domain: str, tag: ObjectName) -> dict[str, str]:
    """The value of a tag on each object of a kind that has it, by the object's name; columns aside."""
    rows = account.store.rows(
        f"SELECT * FROM tag_assignments WHERE domain = ? AND \"column\" = '' AND {_ONE} ORDER BY object",
        (domain, *tag.parts),
    )
    return {row["object"]: row["value"] for row in rows}


def forget(account: Account, domain: str, key: str) -> None:
    """Remove the tags of a dropped object."""
    account.store.execute("DELETE FROM tag_assignments WHERE domain = ? AND object = ?", (domain, key))


def move(account: Account, domain: str, key: str, new: str) -> None:
    account.store.execute(
        "UPDATE tag_assignments SET object = ? WHERE domain = ? AND object = ?", (new, domain, key)
    )


def object_dropped(account: Account, kind: str, name: str) -> None:
    forget(account, kind, name)


def object_renamed(account: Account, kind: str, name: str, new: str) -> None:
    move(account, kind, name, new)


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """Remove a schema's tags, and those of what it held."""
    account.store.execute("DELETE FROM tags WHERE database = ? AND schema = ?", (database, schema))
    place = ".".join(quoted_if_needed(part) for part in (database, schema))
    account.store.execute(
        "DELETE FROM tag_assignments WHERE (domain = 'SCHEMA' AND object = ?) OR"
        " (domain IN ('TABLE', 'STAGE', 'STREAM', 'ALERT') AND substr(object, 1, ?) = ?)",
        (place, len(place) + 1, f"{place}."),
    )
