"""Selects the schema, and creates the stage, of a target; drops tables and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.base.errors import AccountError, MissingSchema
from sfml.base.quoting import identifier, literal, qualified, raw
from sfml.graph.model import Target
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def use_schema(connection: SnowflakeConnection, target: Target) -> None:
    """Set the session's schema. A local target's schema is created; raises `MissingSchema` if an account lacks it."""
    if (connection.database, connection.schema) == (raw(target.database), raw(target.schema)):
        return  # the login has set them: it leaves out a database or schema that does not exist
    schema = qualified(target.database, target.schema)
    if target.is_local:
        rows(connection, f"CREATE DATABASE IF NOT EXISTS {identifier(target.database)}")
        rows(connection, f"CREATE SCHEMA IF NOT EXISTS {schema}")
    try:
        rows(connection, f"USE SCHEMA {schema}", role=target.owner_role)
    except AccountError:
        # Finding out which one is missing costs two more calls, so it is done only after a failure.
        if not target.is_local:
            require_schema(connection, target)
        raise


def create_stage(connection: SnowflakeConnection, target: Target) -> None:
    """Create the stage for code and records, if it does not exist.

    Server-side encryption lets jobs mount it: https://docs.snowflake.com/en/sql-reference/sql/create-stage
    """
    stage = qualified(target.database, target.schema, target.stage)
    rows(
        connection,
        f"CREATE STAGE IF NOT EXISTS {stage} ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE')",
        role=target.owner_role,
    )


def drop_object(connection: SnowflakeConnection, target: Target, kind: str, name: str) -> None:
    """Drop a TABLE or MODEL if it exists; `name` is already quoted for SQL."""
    rows(connection, f"DROP {kind} IF EXISTS {name}", role=target.owner_role)


def has_stage(connection: SnowflakeConnection, target: Target) -> bool:
    """Whether the stage exists and is visible to the role."""
    schema = qualified(target.database, target.schema)
    return _is_shown(
        connection, target, f"STAGES LIKE {_pattern(target.stage)} IN SCHEMA {schema}", target.stage
    )


def require_schema(connection: SnowflakeConnection, target: Target) -> None:
    """Raise `MissingSchema` if the target's database or schema does not exist, or the role cannot see it."""
    database = identifier(target.database)
    if not _is_shown(connection, target, f"DATABASES LIKE {_pattern(target.database)}", target.database):
        raise MissingSchema(
            f"database {target.database} of target `{target.name}` does not exist, or the role cannot see it",
            help=f"CREATE DATABASE {database}",
        )
    what = f"SCHEMAS LIKE {_pattern(target.schema)} IN DATABASE {database}"
    if not _is_shown(connection, target, what, target.schema):
        raise missing_schema(target)


def missing_schema(target: Target) -> MissingSchema:
    """The error for a schema that is not in its database."""
    return MissingSchema(
        f"schema {target.database}.{target.schema} does not exist, or the role cannot see it",
        help=f"CREATE SCHEMA {qualified(target.database, target.schema)}",
    )


def _is_shown(connection: SnowflakeConnection, target: Target, what: str, name: str) -> bool:
    """Whether SHOW lists exactly this name; LIKE alone treats `_` as a wildcard and ignores case."""
    shown = rows(connection, f"SHOW {what}", role=target.owner_role)
    return any(row[1] == raw(name) for row in shown)


def _pattern(name: str) -> str:
    return literal(raw(name))
