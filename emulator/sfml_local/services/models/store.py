"""The registry's rows: models, versions, aliases and tags, in the account's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  database TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  comment TEXT NOT NULL DEFAULT '',
  default_version INTEGER REFERENCES model_versions (id) DEFERRABLE INITIALLY DEFERRED,
  created_on TEXT NOT NULL,
  UNIQUE (database, schema, name)
);
CREATE TABLE IF NOT EXISTS model_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  comment TEXT NOT NULL DEFAULT '',
  metadata TEXT NOT NULL DEFAULT '{}',
  folder TEXT NOT NULL UNIQUE,
  live INTEGER NOT NULL DEFAULT 0,
  created_on TEXT NOT NULL,
  UNIQUE (model, name)
);
CREATE TABLE IF NOT EXISTS model_aliases (
  model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL REFERENCES model_versions (id) ON DELETE CASCADE,
  PRIMARY KEY (model, name)
);
CREATE TABLE IF NOT EXISTS model_tags (
  model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  database TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, database, schema, name)
);
"""

# Aliases that Snowflake maintains.
# https://docs.snowflake.com/en/sql-reference/sql/alter-model-drop-version
SYSTEM_ALIASES = ("DEFAULT", "FIRST", "LAST")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model. Each has its own `folder`, so that a reused name does not show old files."""

    id: int
    name: str
    comment: str
    metadata: str
    folder: Path
    live: bool
    created_on: datetime
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its versions, oldest first."""

    id: int
    name: ObjectName
    owner: str
    comment: str
    default_id: int | None
    created_on: datetime
    versions: tuple[Version, ...]

    @property
    def default(self) -> Version | None:
        return next((version for version in self.versions if version.id == self.default_id), None)

    def version(self, name: str | None) -> Version:
        """The version with this name or alias, or the default one; raises SqlError."""
        found = self.find(name)
        if found is None:
            raise does_not_exist("Version", name or "DEFAULT")
        return found

    def find(self, name: str | None) -> Version | None:
        for version in self.versions:
            if version.name == name:
                return version
        for version in self.versions:
            if name in version.aliases:
                return version
        if name is None or name == "DEFAULT":
            return self.default
        if name in ("FIRST", "LAST") and self.versions:
            return self.versions[0 if name == "FIRST" else -1]
        return None

    def aliases_of(self, version: Version) -> list[str]:
        """The user's aliases of a version, then the system's."""
        system = [alias for alias in SYSTEM_ALIASES if self.find(alias) is version]
        return [*version.aliases, *system]


def find_model(account: Account, name: ObjectName) -> Model | None:
    row = account.store.row(
        "SELECT * FROM models WHERE database = ? AND schema = ? AND name = ?",
        name.parts,
    )
    return None if row is None else _model(account, row)


def get_model(account: Account, name: ObjectName) -> Model:
    model = find_model(account, name)
    if model is None:
        raise does_not_exist("Model", name)
    return model


def all_models(account: Account) -> list[Model]:
    return [
        _model(account, row)
        for row in account.store.rows("SELECT * FROM models ORDER BY database, schema, name")
    ]


def _model(account: Account, row: sqlite3.Row) -> Model:
    aliases: dict[int, list[str]] = {}
    for alias in account.store.rows(
        "SELECT name, version FROM model_aliases WHERE model = ? ORDER BY name", (row["id"],)
    ):
        aliases.setdefault(alias["version"], []).append(alias["name"])
    versions = account.store.rows("SELECT * FROM model_versions WHERE model = ? ORDER BY id", (row["id"],))
    return Model(
        id=row["id"],
        name=ObjectName(row["database"], row["schema"], row["name"]),
        owner=row["owner"],
        comment=row["comment"],
        default_id=row["default_version"],
        created_on=datetime.fromisoformat(row["created_on"]),
        versions=tuple(
            Version(
                id=version["id"],
                name=version["name"],
                comment=version["comment"],
                metadata=version["metadata"],
                folder=account.models_folder / version["folder"],
                live=bool(version["live"]),
                created_on=datetime.fromisoformat(version["created_on"]),
                aliases=tuple(aliases.get(version["id"], ())),
            )
            for version in versions
        ),
    )


def insert_model(store: Store, name: ObjectName, owner: str, created_on: datetime) -> int:
    """Insert a model without versions; returns its id."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO models (database, schema, name, owner, created_on) VALUES (?, ?, ?, ?, ?)",
            (*name.parts, owner, created_on.isoformat()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def insert_version(
    store: Store, model: int, name: str, folder: str, created_on: datetime, *, live: bool
) -> None:
    """Add a version. The first version of a model becomes its default."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO model_versions (model, name, folder, live, created_on) VALUES (?, ?, ?, ?, ?)",
            (model, name, folder, int(live), created_on.isoformat()),
        )
        connection.execute(
            "UPDATE models SET default_version = ? WHERE id = ? AND default_version IS NULL",
            (cursor.lastrowid, model),
        )


def set_alias(store: Store, model: Model, version: Version, alias: str) -> None:
    """Set the alias on this version, and remove it from another one."""
    if alias in SYSTEM_ALIASES or any(other.name == alias for other in model.versions):
        raise SqlError(
            f"SQL compilation error:\nInvalid alias '{alias}': it names a version or is a system alias.",
            1003,
            "42000",
        )
    store.execute(
        "INSERT INTO model_aliases (model, name, version) VALUES (?, ?, ?)"
        " ON CONFLICT (model, name) DO UPDATE SET version = excluded.version",
        (model.id, alias, version.id),
    )


def remove_alias(store: Store, model: Model, alias: str) -> None:
    store.execute("DELETE FROM model_aliases WHERE model = ? AND name = ?", (model.id, alias))


def remove_aliases(store: Store, version: Version) -> None:
    """Remove all aliases of a version."""
    store.execute("DELETE FROM model_aliases WHERE version = ?", (version.id,))


def set_default(store: Store, model: Model, version: Version) -> None:
    store.execute("UPDATE models SET default_version = ? WHERE id = ?", (version.id, model.id))


def set_comment(store: Store, model: Model, comment: str) -> None:
    store.execute("UPDATE models SET comment = ? WHERE id = ?", (comment, model.id))


def rename(store: Store, model: Model, to: ObjectName) -> None:
    store.execute(
        "UPDATE models SET database = ?, schema = ?, name = ? WHERE id = ?",
        (*to.parts, model.id),
    )


def remove(store: Store, model: Model) -> None:
    """Remove a model's rows with its versions, and not its files."""
    with store.transaction() as connection:
        connection.execute("UPDATE models SET default_version = NULL WHERE id = ?", (model.id,))
        connection.execute("DELETE FROM models WHERE id = ?", (model.id,))


def commit_version(store: Store, version: Version, name: str) -> None:
    """Make a live version an ordinary one with this name."""
    store.execute("UPDATE model_versions SET live = 0, name = ? WHERE id = ?", (name, version.id))


def set_metadata(store: Store, version: Version, text: str) -> None:
    store.execute("UPDATE model_versions SET metadata = ? WHERE id = ?", (text, version.id))


def set_version_comment(store: Store, version: Version, comment: str) -> None:
    store.execute("UPDATE model_versions SET comment = ? WHERE id = ?", (comment, version.id))


def remove_version(store: Store, version: Version) -> None:
    store.execute("DELETE FROM model_versions WHERE id = ?", (version.id,))


def folders(store: Store) -> frozenset[str]:
    """The names of the folders of all versions."""
    return frozenset(row["folder"] for row in store.rows("SELECT folder FROM model_versions"))


def set_tags(store: Store, model: Model, tags: Mapping[ObjectName, str]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "INSERT INTO model_tags (model, database, schema, name, value) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            [(model.id, *tag.parts, value) for tag, value in tags.items()],
        )


def unset_tags(store: Store, model: Model, tags: Iterable[ObjectName]) -> None:
    with store.transaction() as connection:
        connection.executemany(
            "DELETE FROM model_tags WHERE model = ? AND database = ? AND schema = ? AND name = ?",
            [(model.id, *tag.parts) for tag in tags],
        )


def tags_of(store: Store, model: Model) -> dict[ObjectName, str]:
    """A model's tags, by name."""
    rows = store.rows("SELECT * FROM model_tags WHERE model = ? ORDER BY name", (model.id,))
    return {ObjectName(row["database"], row["schema"], row["name"]): row["value"] for row in rows}
