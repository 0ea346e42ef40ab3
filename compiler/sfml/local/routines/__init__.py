"""Named procedures and functions: kept, shown, called, and used in queries."""

from __future__ import annotations

from sfml.local.routines import functions, statements
from sfml.local.routines.store import SCHEMA

__all__ = ["AROUND", "HANDLERS", "READ_ONLY", "REWRITES", "SCHEMA"]

HANDLERS = statements.HANDLERS
READ_ONLY = statements.READ_ONLY
REWRITES = (functions.user_functions,)
AROUND = (functions.running,)
SCHEMA_DROPPED = statements.SCHEMA_DROPPED
SESSION_CLOSED = statements.SESSION_CLOSED
START = statements.START
STOP = functions.STOP
