"""Tables, views and sequences as objects: shown, described, written back; their keys and properties."""

from __future__ import annotations

from typing import Any

from sfml_local.services.objects import altering, ddl, declared, relations, show
from sfml_local.services.objects import store as records

SCHEMA = records.SCHEMA
HANDLERS: dict[Any, Any] = {**show.HANDLERS, **altering.HANDLERS}
READ_ONLY = show.READ_ONLY
SYSTEM_FUNCTIONS = ddl.SYSTEM_FUNCTIONS
RELATIONS = relations.RELATIONS
FIRST_REWRITES = (declared.declarations,)
