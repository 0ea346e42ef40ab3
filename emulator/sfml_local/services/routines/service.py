"""Named procedures and functions: kept, shown, called, and used in queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.services.routines import functions, python_functions
from sfml_local.services.routines import sql as statements
from sfml_local.services.routines.store import SCHEMA

if TYPE_CHECKING:
    from sfml_local.core.account import Account

__all__ = ["AROUND", "HANDLERS", "READ_ONLY", "REWRITES", "SCHEMA"]

HANDLERS = statements.HANDLERS
READ_ONLY = statements.READ_ONLY
REWRITES = (functions.user_functions,)
AROUND = (functions.running,)
SCHEMA_DROPPED = statements.SCHEMA_DROPPED
SESSION_CLOSED = statements.SESSION_CLOSED
STOP = functions.STOP


def START(account: Account) -> None:
    statements.START(account)
    python_functions.register(account)
