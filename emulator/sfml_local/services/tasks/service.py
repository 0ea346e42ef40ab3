"""Tasks and task graphs: kept, run, and their history."""

from __future__ import annotations

from sfml_local.services.tasks import (
    commands,
    contacts,
    functions,
    history,
    rest,
    run_store,
    slot_store,
    sql,
    store,
)
from sfml_local.services.tasks import execution as service

SCHEMA = store.SCHEMA + run_store.SCHEMA + slot_store.SCHEMA
HANDLERS = sql.HANDLERS
READ_ONLY = sql.READ_ONLY
SYSTEM_FUNCTIONS = functions.SYSTEM_FUNCTIONS
TABLE_FUNCTIONS = history.TABLE_FUNCTIONS
RELATIONS = contacts.RELATIONS
OPERATIONS = rest.OPERATIONS
SCHEMA_DROPPED = commands.schema_dropped
START = service.start
STOP = service.stop
