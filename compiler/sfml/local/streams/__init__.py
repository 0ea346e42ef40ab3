"""Streams on tables: what has changed since somebody last consumed it."""

from __future__ import annotations

from sfml.local.streams import following, statements, store

SCHEMA = store.SCHEMA
HANDLERS = statements.HANDLERS
READ_ONLY = statements.READ_ONLY
SYSTEM_FUNCTIONS = {"SYSTEM$STREAM_HAS_DATA": statements.stream_has_data}
REWRITES = (following.stream_tables,)
AROUND = (following.following,)
SCHEMA_DROPPED = statements.schema_dropped
