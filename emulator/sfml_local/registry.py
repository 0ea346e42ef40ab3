"""Which module answers which statement, function and address: one visible list of families."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from sfml_local.core.family import (
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
from sfml_local.services.access import sql as access
from sfml_local.services.compute import rest as compute_rest
from sfml_local.services.compute import sql as compute_sql
from sfml_local.services.databases import containers
from sfml_local.services.databases import rest as databases_rest
from sfml_local.services.databases import sql as databases
from sfml_local.services.datasets import sql as datasets
from sfml_local.services.jobs import sql as jobs
from sfml_local.services.models import service as models
from sfml_local.services.notifications import outbox as notifications
from sfml_local.services.objects import rest as objects_rest
from sfml_local.services.objects import service as objects
from sfml_local.services.objects import sql as tables
from sfml_local.services.routines import calls, procedures, scripting
from sfml_local.services.routines import service as routines
from sfml_local.services.session import sql as session_sql
from sfml_local.services.session import waiting
from sfml_local.services.stages import (
    copying,
    file_formats,
    load_history,
    presigned,
    schema_inference,
    staged_queries,
    unloading,
)
from sfml_local.services.stages import rest as stages_rest
from sfml_local.services.stages import sql as stages
from sfml_local.services.streams import service as streams
from sfml_local.services.tags import sql as tags
from sfml_local.services.tags import tagging
from sfml_local.services.tasks import service as tasks
from sfml_local.services.telemetry import events, log_keeping
from sfml_local.services.variants import semi_structured

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
