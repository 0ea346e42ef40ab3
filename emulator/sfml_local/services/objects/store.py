"""Metadata of tables and views: their creator, creation time, statement and keys.

A table from an earlier version has no record; it is shown with the engine's data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlglot.tokens import Token, TokenType

from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Tokens

if TYPE_CHECKING:
    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS table_records (
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_on TEXT NOT NULL,
    owner TEXT NOT NULL,
    written TEXT NOT NULL,
    details TEXT NOT NULL,
    keys TEXT NOT NULL,
    PRIMARY KEY (database, schema, name)
);
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, which is not enforced; `refers_to` is the other table of a foreign key."""

    kind: str
    columns: tuple[str, ...]
    name: str | None = None
    refers_to: str | None = None
    other_columns: tuple[str, ...] = ()
    rely: bool = False
    match: str = "FULL"
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    deferrable: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """`details` are the set properties by upper-case name, including TRANSIENT, SECURE and CLUSTER_BY."""

    name: ObjectName
    kind: str
    created_on: datetime
    owner: str
    written: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()

    @property
    def is_dynamic(self) -> bool:
        """Whether it is a dynamic table, which is a table for the engine."""
        return bool(self.details.get("DYNAMIC"))


def _key_from(values: Mapping[str, Any]) -> Key:
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    fields: dict[str, Any] = {**values, **lists}
    return Key(**fields)


def _record(row: Any) -> Record:
    keys = tuple(_key_from(one) for one in json.loads(row["keys"]))
    return Record(
        ObjectName(row["database"], row["schema"], row["name"]),
        row["kind"],
        datetime.fromisoformat(row["created_on"]),
        row["owner"],
        row["written"],
        json.loads(row["details"]),
        keys,
    )


_OF = "database = ? AND schema = ? AND name = ?"


def _key(name: ObjectName) -> tuple[str, str, str]:
    return name.database, name.schema, name.name


def find(account: Account, name: ObjectName) -> Record | None:
    row = account.store.row(f"SELECT * FROM table_records WHERE {_OF}", _key(name))
    return _record(row) if row else None


def every(account: Account) -> dict[ObjectName, Record]:
    """All records of the account by name."""
    rows = account.store.rows("SELECT * FROM table_records")
    return {record.name: record for record in map(_record, rows)}


def save(account: Account, record: Record) -> None:
    account.store.execute(
        "INSERT OR REPLACE INTO table_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *_key(record.name),
            record.kind,
            record.created_on.isoformat(),
            record.owner,
            record.written,
            json.dumps(dict(record.details)),
            json.dumps([asdict(key) for key in record.keys]),
        ),
    )


def forget(account: Account, name: ObjectName) -> None:
    account.store.execute(f"DELETE FROM table_records WHERE {_OF}", _key(name))


def forget_schema(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM table_records WHERE database = ? AND schema = ?", (database, schema))


def move(account: Account, name: ObjectName, new: ObjectName) -> None:
    record = find(account, name)
    if record is not None:
        forget(account, name)
        save(account, replace(record, name=new))


def rename_column(account: Account, name: ObjectName, column: str, new: str) -> None:
    """Rename a column in keys and in the clustering key."""
    record = find(account, name)
    if record is None:
        return
    keys = tuple(
        replace(key, columns=tuple(new if one == column else one for one in key.columns))
        for key in record.keys
    )
    details = dict(record.details)
    if "CLUSTER_BY" in details:
        details["CLUSTER_BY"] = _with_name(details["CLUSTER_BY"], column, new)
    save(account, replace(record, keys=keys, details=details))


def is_clustered_by(record: Record | None, column: str) -> bool:
    """Whether the clustering key reads a column."""
    clusters = "" if record is None else str(record.details.get("CLUSTER_BY") or "")
    return any(_names(token, column) for token in Tokens(clusters).following())


def _with_name(text: str, column: str, new: str) -> str:
    """Expressions with another name of a column."""
    for token in reversed(Tokens(text).following()):
        if _names(token, column):
            text = f"{text[: token.start]}{quoted_if_needed(new)}{text[token.end + 1 :]}"
    return text


def _names(token: Token, column: str) -> bool:
    if token.token_type is TokenType.IDENTIFIER:
        return token.text == column
    return token.token_type is not TokenType.STRING and token.text.upper() == column


def drop_column(account: Account, name: ObjectName, column: str) -> None:
    """Remove a column with its keys."""
    record = find(account, name)
    if record is not None and record.keys:
        left = tuple(key for key in record.keys if column not in key.columns)
        save(account, replace(record, keys=left))


def constraint_name(record: Record, key: Key) -> str:
    """The key's name, or a generated one, which is always the same for the same key."""
    if key.name:
        return key.name
    import hashlib

    text = "/".join((record.name.fqn(), key.kind, *key.columns)).encode()
    digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
    return f"SYS_CONSTRAINT_{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def keys_of(records: Iterable[Record], kind: str) -> list[tuple[Record, Key]]:
    """The keys of a kind, in order."""
    return [(record, key) for record in records for key in record.keys if key.kind == kind]
