"""Reads and sets which versions of a model there are, by SQL: no client of the registry has to be loaded.

https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sfml.account.registered import ModelVersion
from sfml.base.errors import AccountError
from sfml.base.quoting import identifier, name_parts, qualified
from sfml.graph.model import Target
from sfml.snowflake.sql import records, rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_NO_SUCH_OBJECT = ("002003", "2003")


def model_in_full(target: Target, model: str) -> str:
    """The model with its database and schema, those of the target where the name does not say."""
    parts = name_parts(model)
    return qualified(*(target.database, target.schema)[: 3 - len(parts)], *parts)


def versions(connection: SnowflakeConnection, target: Target, model: str) -> tuple[ModelVersion, ...]:
    """The versions of a model, oldest first; none where there is no such model."""
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
    found = (
        ModelVersion(
            name=str(row["name"]),
            created_at=row["created_on"],
            is_default=str(row["is_default_version"]).lower() == "true",
            comment=row["comment"] or None,
            aliases=tuple(_json(row["aliases"], [])),
            metrics=_json(row["metadata"], {}).get("metrics", {}),
        )
        for row in shown
    )
    return tuple(sorted(found, key=lambda version: version.created_at))


def set_default(connection: SnowflakeConnection, target: Target, model: str, version: str) -> None:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-model"""
    name = model_in_full(target, model)
    rows(
        connection, f"ALTER MODEL {name} SET DEFAULT_VERSION = {identifier(version)}", role=target.owner_role
    )


def _json(text: Any, empty: Any) -> Any:
    """A column that holds JSON as text; what is none is empty."""
    try:
        value = json.loads(text) if isinstance(text, str) and text else empty
    except ValueError:
        return empty
    return value if isinstance(value, type(empty)) else empty
