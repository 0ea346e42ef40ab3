"""Rows of datasets and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  database TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  created_on TEXT NOT NULL,
  UNIQUE (database, schema, name)
);
CREATE TABLE IF NOT EXISTS dataset_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  comment TEXT NOT NULL,
  metadata TEXT NOT NULL,
  folder TEXT NOT NULL UNIQUE,
  created_on TEXT NOT NULL,
  UNIQUE (dataset, name)
);
CREATE TABLE IF NOT EXISTS dataset_queries (
  version INTEGER PRIMARY KEY REFERENCES dataset_versions (id) ON DELETE CASCADE,
  query TEXT NOT NULL,
  database TEXT,
  schema TEXT
);
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    id: int
    name: ObjectName
    owner: str
    created_on: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """`folder` is the name of the folder with its files."""

    id: int
    name: str
    comment: str
    metadata: str
    folder: str
    created_on: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """What a version was made of, and where its names are resolved."""

    query: str
    database: str | None
    schema: str | None


def every(account: Account) -> list[Dataset]:
    """All datasets, by name."""
    return [
        Dataset(
            row["id"],
            ObjectName(row["database"], row["schema"], row["name"]),
            row["owner"],
            datetime.fromisoformat(row["created_on"]),
        )
        for row in account.store.rows("SELECT * FROM datasets ORDER BY database, schema, name")
    ]


def find(account: Account, name: ObjectName) -> Dataset | None:
    return next((dataset for dataset in every(account) if dataset.name == name), None)


def add(account: Account, name: ObjectName, owner: str) -> None:
    account.store.execute(
        "INSERT INTO datasets (database, schema, name, owner, created_on) VALUES (?, ?, ?, ?, ?)",
        (*name.parts, owner, account.clock().isoformat()),
    )


def remove(account: Account, dataset: Dataset) -> list[str]:
    """Remove a dataset's rows; returns the folders of its versions."""
    folders = [version.folder for version in versions(account, dataset)]
    account.store.execute("DELETE FROM datasets WHERE id = ?", (dataset.id,))
    return folders


def versions(account: Account, dataset: Dataset) -> list[Version]:
    """The versions, the oldest first."""
    rows = account.store.rows("SELECT * FROM dataset_versions WHERE dataset = ? ORDER BY id", (dataset.id,))
    return [_version(row) for row in rows]


def _version(row: Row) -> Version:
    created = datetime.fromisoformat(row["created_on"])
    return Version(row["id"], row["name"], row["comment"], row["metadata"], row["folder"], created)


def add_version(
    account: Account, dataset: Dataset, name: str, *, comment: str, metadata: str, folder: str
) -> None:
    account.store.execute(
        "INSERT INTO dataset_versions (dataset, name, comment, metadata, folder, created_on)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (dataset.id, name, comment, metadata, folder, account.clock().isoformat()),
    )


def keep_query(account: Account, dataset: Dataset, name: str, query: Query) -> None:
    """Keep the query of a version that has just been added."""
    (version,) = (one for one in versions(account, dataset) if one.name == name)
    account.store.execute(
        "INSERT INTO dataset_queries VALUES (?, ?, ?, ?)",
        (version.id, query.query, query.database, query.schema),
    )


def query_of(account: Account, version: Version) -> Query | None:
    """The query of a version; None for one that an earlier server has made."""
    row = account.store.row("SELECT * FROM dataset_queries WHERE version = ?", (version.id,))
    return None if row is None else Query(row["query"], row["database"], row["schema"])


def remove_version(account: Account, version: Version) -> None:
    account.store.execute("DELETE FROM dataset_versions WHERE id = ?", (version.id,))


def folders(account: Account) -> frozenset[str]:
    """The folders of all versions."""
    return frozenset(row["folder"] for row in account.store.rows("SELECT folder FROM dataset_versions"))
