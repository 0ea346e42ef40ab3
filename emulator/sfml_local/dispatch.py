"""Which module answers which statement, function and address: one visible list of families."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from sfml_local import (
    access,
    calls,
    compute_rest,
    compute_sql,
    containers,
    copying,
    databases,
    databases_rest,
    datasets,
    events,
    file_formats,
    jobs,
    load_history,
    log_keeping,
    models,
    notifications,
    objects,
    objects_rest,
    presigned,
    procedures,
    routines,
    schema_inference,
    scripting,
    semi_structured,
    session_sql,
    staged_queries,
    stages,
    stages_rest,
    streams,
    tables,
    tagging,
    tags,
    tasks,
    unloading,
    waiting,
)
from sfml_local.family import (
    Args,
    Around,
    Handler,
    Hook,
    Relation,
    SchemaHook,
    SessionHook,
    SystemFunction,
    TableFunction,
)

__all__ = [
    "FAMILIES",
    "HANDLERS",
    "OPERATIONS",
    "RELATIONS",
    "ROUTES",
    "SYSTEM_FUNCTIONS",
    "TABLE_FUNCTIONS",
    "Args",
]

# A new family is added here and nowhere else; what a family may define is told in `family.py`.
FAMILIES: tuple[ModuleType, ...] = (
    session_sql,
    calls,
    scripting,
    databases,
    containers,
    databases_rest,
    compute_sql,
    compute_rest,
    access,
    stages,
    presigned,
    datasets,
    stages_rest,
    file_formats,
    copying,
    load_history,
    unloading,
    staged_queries,
    schema_inference,
    events,
    log_keeping,
    notifications,
    semi_structured,  # before streams take the place of tables
    streams,
    tables,
    objects,
    waiting,
    tags,
    tagging,
    tasks,
    procedures,
    routines,
    jobs,
    models,
    objects_rest,
)


def _merged(attribute: str) -> dict[Any, Any]:
    merged: dict[Any, Any] = {}
    for family in FAMILIES:
        entries = getattr(family, attribute, {})
        twice = merged.keys() & entries.keys()
        assert not twice, f"{family.__name__}.{attribute} repeats {twice}"
        merged.update(entries)
    return merged


SCHEMAS: tuple[str, ...] = tuple(getattr(family, "SCHEMA", "") for family in FAMILIES)
HANDLERS: Mapping[type, Handler] = _merged("HANDLERS")
READ_ONLY: frozenset[type] = frozenset().union(*(getattr(family, "READ_ONLY", ()) for family in FAMILIES))
SYSTEM_FUNCTIONS: Mapping[str, SystemFunction] = _merged("SYSTEM_FUNCTIONS")
TABLE_FUNCTIONS: Mapping[str, TableFunction] = _merged("TABLE_FUNCTIONS")
RELATIONS: Mapping[str, Relation] = _merged("RELATIONS")
REWRITES: tuple[Any, ...] = tuple(r for family in FAMILIES for r in getattr(family, "REWRITES", ()))
FIRST_REWRITES: tuple[Any, ...] = tuple(
    r for family in FAMILIES for r in getattr(family, "FIRST_REWRITES", ())
)
OPERATIONS: Mapping[str, Any] = _merged("OPERATIONS")
AROUND: tuple[Around, ...] = tuple(around for family in FAMILIES for around in getattr(family, "AROUND", ()))
ROUTES: tuple[Any, ...] = tuple(route for family in FAMILIES for route in getattr(family, "ROUTES", ()))
SCHEMA_DROPPED: tuple[SchemaHook, ...] = tuple(
    family.SCHEMA_DROPPED for family in FAMILIES if hasattr(family, "SCHEMA_DROPPED")
)
SESSION_CLOSED: tuple[SessionHook, ...] = tuple(
    family.SESSION_CLOSED for family in FAMILIES if hasattr(family, "SESSION_CLOSED")
)
STARTS: tuple[Hook, ...] = tuple(family.START for family in FAMILIES if hasattr(family, "START"))
STOPS: tuple[Hook, ...] = tuple(family.STOP for family in FAMILIES if hasattr(family, "STOP"))
