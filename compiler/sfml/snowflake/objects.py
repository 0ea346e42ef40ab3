"""What must exist around a graph: the database, the schema and the stage that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.errors import ConflictingState
from sfml.graph.model import Target
from sfml.quoting import identifier, literal, qualified, raw
from sfml.snowflake.refusals import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def use_schema(connection: SnowflakeConnection, target: Target) -> None:
    """Make the target's schema the session's; a local target's is created, an account's must be there."""
    schema = qualified(target.database, target.schema)
    with translated(role=target.owner_role), connection.cursor() as cursor:
        if target.is_local:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {identifier(target.database)}")
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        else:
            _require_schema(connection, target)
        cursor.execute(f"USE SCHEMA {schema}")


def create_stage(connection: SnowflakeConnection, target: Target) -> None:
    """Create the stage that holds code and records, unless it is there.

    Server-side encryption lets jobs mount it: https://docs.snowflake.com/en/sql-reference/sql/create-stage
    """
    stage = qualified(target.database, target.schema, target.stage)
    with translated(role=target.owner_role), connection.cursor() as cursor:
        cursor.execute(f"CREATE STAGE IF NOT EXISTS {stage} ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE')")


def has_stage(connection: SnowflakeConnection, target: Target) -> bool:
    schema = qualified(target.database, target.schema)
    with translated(role=target.owner_role), connection.cursor() as cursor:
        rows = cursor.execute(f"SHOW STAGES LIKE {literal(raw(target.stage))} IN SCHEMA {schema}").fetchall()
    return any(row[1] == raw(target.stage) for row in rows)


def _require_schema(connection: SnowflakeConnection, target: Target) -> None:
    pattern = literal(raw(target.schema))
    with connection.cursor() as cursor:
        databases = cursor.execute(f"SHOW DATABASES LIKE {literal(raw(target.database))}").fetchall()
        if not any(row[1] == raw(target.database) for row in databases):
            raise ConflictingState(
                f"database {target.database} of target `{target.name}` does not exist, or the role cannot see it",
                help=f"CREATE DATABASE {identifier(target.database)}",
            )
        database = identifier(target.database)
        schemas = cursor.execute(f"SHOW SCHEMAS LIKE {pattern} IN DATABASE {database}").fetchall()
        if not any(row[1] == raw(target.schema) for row in schemas):
            raise ConflictingState(
                f"schema {target.database}.{target.schema} does not exist, or the role cannot see it",
                help=f"CREATE SCHEMA {qualified(target.database, target.schema)}",
            )
