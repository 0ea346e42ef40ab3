"""Streams on tables: what has changed since somebody last consumed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.services.streams import following, store
from sfml_local.services.streams import sql as statements

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.names import ObjectName


def is_followed(account: Account, table: ObjectName) -> bool:
    """Whether a stream follows the table, which turns its change tracking on."""
    return bool(store.on_table(account.store, table))


SCHEMA = store.SCHEMA
HANDLERS = statements.HANDLERS
READ_ONLY = statements.READ_ONLY
SYSTEM_FUNCTIONS = {"SYSTEM$STREAM_HAS_DATA": statements.stream_has_data}
REWRITES = (following.stream_tables,)
AROUND = (following.following,)
SCHEMA_DROPPED = statements.schema_dropped
