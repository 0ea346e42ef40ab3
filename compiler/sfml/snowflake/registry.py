"""Lists the versions of a model, sets its default and aliases, by SQL: no client of the registry is imported.

https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sfml.account.registered import ModelVersion, VersionChange
from sfml.base.errors import AccountError
from sfml.base.quoting import identifier, literal, name_parts, qualified
from sfml.graph.model import Target
from sfml.lower.names import folded_name
from sfml.snowflake.sql import records, rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_NO_SUCH_OBJECT = ("002003", "2003")

_OWN = "sfml"
"""The key of our part of a version's metadata; the registry's client keeps keys that it does not know."""

_CHANGE_KEYS = ("action", "at", "by", "reason", "other", "alias")

CHANGES_KEPT = 20
"""The maximum number of changes that a version's metadata keeps, of its 100 KB."""


def model_in_full(target: Target, model: str) -> str:
    """The model's qualified name, by default in the database and schema of the target."""
    parts = name_parts(model)
    return qualified(*(target.database, target.schema)[: 3 - len(parts)], *parts)


def versions(connection: SnowflakeConnection, target: Target, model: str) -> tuple[ModelVersion, ...]:
    """The versions of a model, oldest first; empty if there is no such model."""
    try:
        shown = records(
            connection,
            f"SHOW VERSIONS IN MODEL {model_in_full(target, model)}",
            role=target.owner_role,
        )
    except AccountError as error:
        if error.code not in _NO_SUCH_OBJECT:
            raise
        return ()
    return tuple(sorted(map(_version, shown), key=lambda version: version.created_at))


def _version(row: Mapping[str, Any]) -> ModelVersion:
    metadata = _mapping(_json(row["metadata"], {}))
    return ModelVersion(
        name=str(row["name"]),
        created_at=row["created_on"],
        is_default=str(row["is_default_version"]).lower() == "true",
        comment=row["comment"] or None,
        aliases=tuple(_json(row["aliases"], [])),
        metrics=_mapping(metadata.get("metrics")),
        changes=tuple(_changes(metadata)),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping; others may write anything into a version's metadata."""
    return value if isinstance(value, dict) else {}


def _changes(metadata: Mapping[str, Any]) -> Iterator[VersionChange]:
    """The readable changes in a version's metadata, which others may write as well."""
    own = metadata.get(_OWN)
    changes = own.get("changes") if isinstance(own, dict) else None
    for one in changes if isinstance(changes, list) else ():
        if isinstance(one, dict):
            texts = {key: str(one[key]) for key in _CHANGE_KEYS if isinstance(one.get(key), str)}
            if {"action", "at", "by"} <= texts.keys():
                yield VersionChange(**texts)


def set_default(connection: SnowflakeConnection, target: Target, model: str, version: str) -> None:
    """Make a version the default: https://docs.snowflake.com/en/sql-reference/sql/alter-model"""
    name = model_in_full(target, model)
    rows(
        connection, f"ALTER MODEL {name} SET DEFAULT_VERSION = {identifier(version)}", role=target.owner_role
    )


def set_alias(connection: SnowflakeConnection, target: Target, model: str, version: str, alias: str) -> None:
    """Give a version an alias that no version has."""
    name = model_in_full(target, model)
    rows(
        connection,
        f"ALTER MODEL {name} VERSION {identifier(version)} SET ALIAS = {identifier(alias)}",
        role=target.owner_role,
    )


def unset_alias(connection: SnowflakeConnection, target: Target, model: str, alias: str) -> None:
    """Take an alias away from the version that has it."""
    name = model_in_full(target, model)
    rows(connection, f"ALTER MODEL {name} VERSION {identifier(alias)} UNSET ALIAS", role=target.owner_role)


def keep_changes(
    connection: SnowflakeConnection, target: Target, model: str, changes: Mapping[str, VersionChange]
) -> None:
    """Add a change to the metadata of each of these versions; everything else in the metadata stays."""
    name = model_in_full(target, model)
    shown = records(connection, f"SHOW VERSIONS IN MODEL {name}", role=target.owner_role)
    metadata = {str(row["name"]): _json(row["metadata"], {}) for row in shown}
    for version, change in changes.items():
        if version not in metadata:
            continue  # it was dropped meanwhile
        earlier = [_change_value(one) for one in _changes(metadata[version])]
        own = metadata[version].get(_OWN)
        kept = {
            **(own if isinstance(own, dict) else {}),
            "changes": [*earlier, _change_value(change)][-CHANGES_KEPT:],
        }
        text = json.dumps({**metadata[version], _OWN: kept}, ensure_ascii=False)
        rows(
            connection,
            f"ALTER MODEL {name} MODIFY VERSION {identifier(folded_name(version))} SET METADATA = {literal(text)}",
            role=target.owner_role,
        )


def _change_value(change: VersionChange) -> dict[str, str]:
    return {key: value for key in _CHANGE_KEYS if (value := getattr(change, key)) is not None}


def _json(text: Any, empty: Any) -> Any:
    """The parsed JSON of a text column; `empty` if it is not JSON, or of another type."""
    try:
        value = json.loads(text) if isinstance(text, str) and text else empty
    except ValueError:
        return empty
    return value if isinstance(value, type(empty)) else empty
