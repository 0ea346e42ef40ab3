"""The statements about warehouses and compute pools."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError
from sfml_local.core.likeness import selected
from sfml_local.core.result import DESCRIBE, SHOW, Column, Result, status, table
from sfml_local.grammar.compute import Alter, Create, Describe, Drop, Kind, Show
from sfml_local.services.compute import store as compute
from sfml_local.services.compute.store import SCHEMA, Compute, PoolUse
from sfml_local.services.databases.sql import missing, single

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

__all__ = ["HANDLERS", "READ_ONLY", "SCHEMA"]


def create(account: Account, session: Session, statement: Create) -> Result:
    kind, name = statement.kind, single(statement.name)
    if compute.find(account, kind, name) is not None:
        if statement.if_not_exists:
            return status(f"{name} already exists, statement succeeded.")
        if statement.or_alter:
            compute.alter(account, kind, name, statement.options)
            return status(f"{kind.capitalize()} {name} successfully altered.")
    compute.create(account, kind, name, statement.options, session.role, replace_it=statement.or_replace)
    if kind == "WAREHOUSE":
        session.warehouse = name
    return status(f"{kind.capitalize()} {name} successfully created.")


def alter(account: Account, session: Session, statement: Alter) -> Result:
    kind = statement.kind
    name = single(statement.name) if statement.name else session.warehouse
    if name is None:
        raise SqlError("No active warehouse selected in the current session.", 606, "57P03")
    found = compute.find(account, kind, name)
    if found is None and statement.if_exists:
        return status()
    found = found or compute.get(account, kind, name)
    match statement.verb:
        case "SUSPEND" | "RESUME":
            if kind == "WAREHOUSE" and not statement.if_suspended:
                _demand_change(found, statement.verb)
            compute.set_suspended(account, kind, name, statement.verb == "SUSPEND")
        case "RENAME TO":
            assert statement.new_name is not None
            new = single(statement.new_name)
            compute.rename(account, kind, name, new)
            if kind == "WAREHOUSE":
                _follow(account, name, new)
        case "SET":
            compute.alter(account, kind, name, {**found.settings, **statement.options})
        case "UNSET":
            compute.demand_known(kind, statement.unset)
            kept = {key: value for key, value in found.settings.items() if key not in statement.unset}
            compute.alter(account, kind, name, kept | _left_unset(statement.unset))
        case _:  # nothing to do, because no statements or jobs run on it here
            pass
    return status()


def _left_unset(names: tuple[str, ...]) -> dict[str, int]:
    """AUTO_SUSPEND has no default that UNSET restores: such a warehouse does not suspend itself."""
    return {"AUTO_SUSPEND": 0} if "AUTO_SUSPEND" in names else {}


def _follow(account: Account, name: str, new: str | None) -> None:
    """Sessions that use a warehouse use it under its new name, and none once it is dropped."""
    for session in account.sessions:
        if session.warehouse == name:
            session.warehouse = new


def _demand_change(found: Compute, verb: str) -> None:
    """Refuse to suspend a suspended warehouse and to resume a started one."""
    if found.suspended == (verb == "SUSPEND"):
        code = 90064 if found.suspended else 90063
        words = "suspended" if found.suspended else "resumed"
        raise SqlError(f"Invalid state. Warehouse '{found.name}' cannot be {words}.", code, "22000")


def drop(account: Account, session: Session, statement: Drop) -> Result:
    name = single(statement.name)
    if compute.find(account, statement.kind, name) is None:
        return missing(statement.kind.capitalize(), name, statement.if_exists)
    compute.drop(account, statement.kind, name)
    if statement.kind == "WAREHOUSE":
        _follow(account, name, None)
    return status(f"{name} successfully dropped.")


# -- SHOW and DESCRIBE

_TIMES = ("created_on", "resumed_on", "updated_on")


def _columns(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "timestamp_ltz" if name in _TIMES else "text") for name in names.split())


COLUMNS: dict[Kind, tuple[Column, ...]] = {
    "WAREHOUSE": _columns(
        "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default"
        " is_current auto_suspend auto_resume available provisioning quiescing other created_on resumed_on"
        " updated_on owner comment enable_query_acceleration query_acceleration_max_scale_factor"
        " resource_monitor actives pendings failed suspended uuid scaling_policy owner_role_type"
        " resource_constraint generation query_throughput_multiplier max_query_performance_level"
        " disabled_reasons tables"
    ),
    "COMPUTE POOL": _columns(
        "name state min_nodes max_nodes instance_family num_services num_jobs auto_suspend_secs auto_resume"
        " active_nodes idle_nodes target_nodes created_on resumed_on updated_on owner comment is_exclusive"
        " application budget error_code status_message backup_instance_families"
    ),
}


def warehouse_values(session: Session, one: Compute) -> dict[str, Any]:
    """A row of SHOW WAREHOUSES. https://docs.snowflake.com/en/sql-reference/sql/show-warehouses"""
    running = "0" if one.suspended else "1"
    return {
        "name": one.name,
        "state": "SUSPENDED" if one.suspended else "STARTED",
        "type": one.setting("WAREHOUSE_TYPE", "STANDARD"),
        "size": one.setting("WAREHOUSE_SIZE", "X-Small"),
        "min_cluster_count": str(one.setting("MIN_CLUSTER_COUNT", 1)),
        "max_cluster_count": str(one.setting("MAX_CLUSTER_COUNT", 1)),
        "started_clusters": running,
        "running": "0",
        "queued": "0",
        "is_default": "N",
        "is_current": "Y" if session.warehouse == one.name else "N",
        "auto_suspend": str(one.setting("AUTO_SUSPEND", 600)) if one.setting("AUTO_SUSPEND") != 0 else None,
        "auto_resume": _word(one.setting("AUTO_RESUME", True)),
        "available": "" if one.suspended else "100",
        "provisioning": "" if one.suspended else "0",
        "quiescing": "" if one.suspended else "0",
        "other": "" if one.suspended else "0",
        "created_on": one.created_on,
        "resumed_on": one.resumed_on,
        "updated_on": one.updated_on,
        "owner": one.owner,
        "comment": one.setting("COMMENT", ""),
        "enable_query_acceleration": _word(one.setting("ENABLE_QUERY_ACCELERATION", True)),
        "query_acceleration_max_scale_factor": str(one.setting("QUERY_ACCELERATION_MAX_SCALE_FACTOR", 2)),
        "resource_monitor": one.setting("RESOURCE_MONITOR", "null"),
        "actives": running,
        "pendings": "0",
        "failed": "0",
        "suspended": "1" if one.suspended else "0",
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{one.name} {one.created_on.isoformat()}")),
        "scaling_policy": one.setting("SCALING_POLICY", "STANDARD"),
        "owner_role_type": "ROLE",
        "resource_constraint": constraint_of(one),
        "generation": generation_of(one),
        "query_throughput_multiplier": None,
        "max_query_performance_level": None,
        "disabled_reasons": None,
        "tables": None,
    }


def generation_of(one: Compute) -> str | None:
    """The generation of a standard warehouse; None for others."""
    if str(one.setting("WAREHOUSE_TYPE", "STANDARD")).upper() != "STANDARD":
        return None
    return str(one.setting("GENERATION", "2"))


def constraint_of(one: Compute) -> str | None:
    """The resource constraint of a warehouse: its generation, or the memory of a Snowpark-optimized one."""
    generation = generation_of(one)
    set_one = one.setting("RESOURCE_CONSTRAINT")
    if set_one is not None:
        return str(set_one)
    return "MEMORY_16X" if generation is None else f"STANDARD_GEN_{generation}"


def pool_values(account: Account, one: Compute) -> dict[str, Any]:
    """A row of SHOW COMPUTE POOLS. https://docs.snowflake.com/en/sql-reference/sql/show-compute-pools"""
    jobs, busy = account.part(PoolUse).answer(account, one.name)
    state = "SUSPENDED" if one.suspended else "ACTIVE" if jobs else "IDLE"
    most, least = int(one.setting("MAX_NODES", 1)), int(one.setting("MIN_NODES", 1))
    active = min(most, busy)
    nodes = 0 if one.suspended else max(least, active)
    return {
        "name": one.name,
        "state": state,
        "min_nodes": str(one.setting("MIN_NODES", 1)),
        "max_nodes": str(one.setting("MAX_NODES", 1)),
        "instance_family": one.setting("INSTANCE_FAMILY", "CPU_X64_S"),
        "num_services": "0",
        "num_jobs": str(jobs),
        "auto_suspend_secs": str(one.setting("AUTO_SUSPEND_SECS", 3600)),
        "auto_resume": _word(one.setting("AUTO_RESUME", True)),
        "active_nodes": str(active),
        "idle_nodes": str(nodes - active),
        "target_nodes": str(nodes),
        "created_on": one.created_on,
        "resumed_on": one.resumed_on,
        "updated_on": one.updated_on,
        "owner": one.owner,
        "comment": one.setting("COMMENT"),
        "is_exclusive": "false",
        "application": None,
        "budget": None,
        "error_code": "",
        "status_message": "",
        "backup_instance_families": _listed(one.setting("BACKUP_INSTANCE_FAMILIES")),
    }


def _listed(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _word(value: bool) -> str:
    return str(value).lower()


def show(account: Account, session: Session, statement: Show) -> Result:
    kind, listing = statement.kind, statement.listing
    kept = selected(
        [*compute.everything(account, kind), *_taken_for_granted(account, session, statement)],
        lambda one: one.name,
        listing,
    )
    return table(COLUMNS[kind], [_row(account, session, one) for one in kept], SHOW)


def _taken_for_granted(account: Account, session: Session, statement: Show) -> list[Compute]:
    """Computes that count as existing: the session's own warehouse, and the pool that an ML Job looks up by name."""
    if account.settings.refuses_unknown_compute:
        return []
    now = account.clock()
    if statement.kind == "WAREHOUSE":
        current = session.warehouse
        if current is None or compute.find(account, "WAREHOUSE", current) is not None:
            return []
        return [Compute("WAREHOUSE", current, {}, session.role, now, now, now)]
    name = (statement.listing.like or "").replace("\\", "").upper()
    if not name or "%" in name or compute.find(account, statement.kind, name) is not None:
        return []
    return [Compute(statement.kind, name, compute.DEFAULT_NODES, session.role, now, now, now)]


def _row(account: Account, session: Session, one: Compute) -> list[Any]:
    values = warehouse_values(session, one) if one.kind == "WAREHOUSE" else pool_values(account, one)
    return [values[column.name] for column in COLUMNS[one.kind]]


def describe(account: Account, session: Session, statement: Describe) -> Result:
    one = compute.get(account, statement.kind, single(statement.name))
    if statement.kind == "COMPUTE POOL":
        return table(COLUMNS[one.kind], [_row(account, session, one)], DESCRIBE)
    columns = (Column("created_on", "timestamp_ltz"), "name", "kind")
    return table(columns, [(one.created_on, one.name, one.kind)], DESCRIBE)


HANDLERS: Handlers = {Create: create, Alter: alter, Drop: drop, Show: show, Describe: describe}
READ_ONLY = frozenset({Show, Describe})
