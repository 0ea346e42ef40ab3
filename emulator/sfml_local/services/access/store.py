"""Rows of named objects (roles, integrations, secrets, image repositories, network rules) and of grants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfml_local.grammar.quoting import quoted_if_needed

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS named_objects (
    kind TEXT NOT NULL,
    database TEXT NOT NULL DEFAULT '',
    schema TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    type TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_on TEXT NOT NULL,
    comment TEXT NOT NULL,
    PRIMARY KEY (kind, database, schema, name)
);
CREATE TABLE IF NOT EXISTS named_properties (
    kind TEXT NOT NULL,
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    kept TEXT NOT NULL,  -- a JSON object, by upper-case name
    PRIMARY KEY (kind, database, schema, name)
);
CREATE TABLE IF NOT EXISTS grants (
    privilege TEXT NOT NULL,
    granted_on TEXT NOT NULL,
    name TEXT NOT NULL,
    granted_to TEXT NOT NULL,
    grantee TEXT NOT NULL,
    with_option INTEGER NOT NULL,
    granted_by TEXT NOT NULL,
    created_on TEXT NOT NULL,
    PRIMARY KEY (privilege, granted_on, name, granted_to, grantee)
);
"""

Place = tuple[str, str, str]
"""Database, schema and name of a named object; objects of the account have no database and schema."""

Granted = tuple[str, str, str, str, str]
"""Privilege, kind of object, its name, kind of grantee, its name."""

FUTURE = "FUTURE "
"""How the kind of object begins of a grant on objects that are yet to come."""

_ONE = "kind = ? AND database = ? AND schema = ? AND name = ?"


# -- named objects


def save(
    account: Account, kind: str, place: Place, *, category: str, type: str, owner: str, comment: str
) -> None:
    """Store an object that is created now, or replaced."""
    account.store.execute(
        "INSERT OR REPLACE INTO named_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, *place, category, type, owner, account.clock().isoformat(), comment),
    )


def set_comment(account: Account, kind: str, place: Place, comment: str) -> None:
    account.store.execute(f"UPDATE named_objects SET comment = ? WHERE {_ONE}", (comment, kind, *place))


def rename(account: Account, kind: str, name: str, new: str) -> None:
    """Give an object of the account another name, which is free; grants to it stay its own."""
    for relation in ("named_objects", "named_properties"):
        account.store.execute(
            f"UPDATE {relation} SET name = ? WHERE kind = ? AND name = ? AND database = ''", (new, kind, name)
        )
    account.store.execute(
        "UPDATE grants SET grantee = ? WHERE granted_to = ? AND grantee = ?", (new, kind, name)
    )


def keep_properties(account: Account, kind: str, place: Place, kept: Mapping[str, Any]) -> None:
    """Store what an object's statement said of it, in place of what was stored."""
    account.store.execute(
        "INSERT OR REPLACE INTO named_properties VALUES (?, ?, ?, ?, ?)",
        (kind, *place, json.dumps(dict(kept))),
    )


def properties(account: Account, kind: str, place: Place) -> dict[str, Any]:
    text = account.store.value(f"SELECT kept FROM named_properties WHERE {_ONE}", (kind, *place))
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def remove(account: Account, kind: str, place: Place) -> None:
    account.store.execute(f"DELETE FROM named_objects WHERE {_ONE}", (kind, *place))
    account.store.execute(f"DELETE FROM named_properties WHERE {_ONE}", (kind, *place))


def find(account: Account, kind: str, place: Place) -> Row | None:
    return account.store.row(f"SELECT * FROM named_objects WHERE {_ONE}", (kind, *place))


def exists(account: Account, kind: str, place: Place) -> bool:
    return find(account, kind, place) is not None


def of_kind(account: Account, kind: str) -> list[Row]:
    """The objects of a kind, by name."""
    return account.store.rows("SELECT * FROM named_objects WHERE kind = ? ORDER BY name", (kind,))


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """Remove a schema's objects, and what was granted on it and on what it held."""
    for table in ("named_objects", "named_properties"):
        account.store.execute(f"DELETE FROM {table} WHERE database = ? AND schema = ?", (database, schema))
    place = ".".join(quoted_if_needed(part) for part in (database, schema))
    account.store.execute(
        "DELETE FROM grants WHERE name = ? AND granted_on = 'SCHEMA' OR substr(name, 1, ?) = ?",
        (place, len(place) + 1, f"{place}."),
    )


def object_dropped(account: Account, kind: str, name: str) -> None:
    """Remove what was granted on an object."""
    forget_grants_on(account, (kind.replace(" ", "_"),), name)


def object_renamed(account: Account, kind: str, name: str, new: str) -> None:
    move_grants_on(account, (kind.replace(" ", "_"),), name, new)


# -- grants


def grant(account: Account, granted: Granted, *, with_option: bool, granted_by: str) -> None:
    account.store.execute(
        "INSERT OR REPLACE INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*granted, int(with_option), granted_by, account.clock().isoformat()),
    )


def revoke(account: Account, granted: Granted) -> None:
    account.store.execute(
        "DELETE FROM grants WHERE privilege = ? AND granted_on = ? AND name = ? AND granted_to = ?"
        " AND grantee = ?",
        granted,
    )


def revoke_option(account: Account, granted: Granted) -> None:
    """Take away that the grantee may pass the privilege on."""
    account.store.execute(
        "UPDATE grants SET with_option = 0 WHERE privilege = ? AND granted_on = ? AND name = ? AND granted_to = ?"
        " AND grantee = ?",
        granted,
    )


def forget_role(account: Account, name: str) -> None:
    """Remove what was granted to a role, and that it was granted."""
    account.store.execute("DELETE FROM grants WHERE granted_to = 'ROLE' AND grantee = ?", (name,))
    account.store.execute("DELETE FROM grants WHERE granted_on = 'ROLE' AND name = ?", (name,))


def forget_grants_on(account: Account, kinds: Sequence[str], name: str) -> None:
    """Remove what was granted on an object that goes; `name` is as SHOW GRANTS shows it."""
    marks = ", ".join("?" * len(kinds))
    account.store.execute(f"DELETE FROM grants WHERE granted_on IN ({marks}) AND name = ?", (*kinds, name))


def move_grants_on(account: Account, kinds: Sequence[str], name: str, new: str) -> None:
    """Keep what was granted on an object that gets a new name."""
    marks = ", ".join("?" * len(kinds))
    account.store.execute(
        f"UPDATE OR REPLACE grants SET name = ? WHERE granted_on IN ({marks}) AND name = ?",
        (new, *kinds, name),
    )


def is_granted(account: Account, role: str) -> bool:
    """Whether a role was granted anything, or to anybody."""
    row = account.store.row(
        "SELECT 1 FROM grants WHERE (granted_to = 'ROLE' AND grantee = ?) OR (granted_on = 'ROLE' AND name = ?)",
        (role, role),
    )
    return row is not None


def granted_to(account: Account, kind: str, name: str) -> list[Row]:
    """The grants to a role or user on what is there, by kind and name of the object."""
    return account.store.rows(
        "SELECT * FROM grants WHERE granted_to = ? AND grantee = ? AND granted_on NOT LIKE ?"
        " ORDER BY granted_on, name, privilege",
        (kind, name, f"{FUTURE}%"),
    )


def granted_on(account: Account, kind: str, name: str) -> list[Row]:
    """The grants on an object, by grantee."""
    return account.store.rows(
        "SELECT * FROM grants WHERE granted_on = ? AND name = ? ORDER BY granted_to, grantee, privilege",
        (kind, name),
    )


def granted_in_future(account: Account) -> list[Row]:
    """The grants on what is yet to come, by name."""
    return account.store.rows(
        "SELECT * FROM grants WHERE granted_on LIKE ? ORDER BY name, privilege, grantee", (f"{FUTURE}%",)
    )


def grantees(account: Account, kind: str) -> list[str]:
    """The roles or users that were granted something."""
    rows = account.store.rows("SELECT DISTINCT grantee FROM grants WHERE granted_to = ?", (kind,))
    return [row["grantee"] for row in rows]
