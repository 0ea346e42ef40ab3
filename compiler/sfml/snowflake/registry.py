"""Lists the versions of a model and sets its default, by SQL, so that no client of the registry is imported.

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
    model_versions = (
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
    return tuple(sorted(model_versions, key=lambda version: version.created_at))


def set_default(connection: SnowflakeConnection, target: Target, model: str, version: str) -> None:
    """Make a version the default: https://docs.snowflake.com/en/sql-reference/sql/alter-model"""
    name = model_in_full(target, model)
    rows(
        connection, f"ALTER MODEL {name} SET DEFAULT_VERSION = {identifier(version)}", role=target.owner_role
    )


def _json(text: Any, empty: Any) -> Any:
    """The parsed JSON of a text column; `empty` if it is not JSON, or of another type."""
    try:
        value = json.loads(text) if isinstance(text, str) and text else empty
    except ValueError:
        return empty
    return value if isinstance(value, type(empty)) else empty
