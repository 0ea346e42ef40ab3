"""Warehouses and compute pools in Snowflake's REST API.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/warehouse · /compute-pool
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sfml_local.core.rest_call import Call, Handler, Json, Operations, bad_request, done, name_in
from sfml_local.grammar.compute import Kind
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.compute import store as compute
from sfml_local.services.compute.sql import pool_values, warehouse_values
from sfml_local.services.compute.store import Compute

WAREHOUSE: Kind = "WAREHOUSE"
POOL: Kind = "COMPUTE POOL"
_WAREHOUSE_INTEGERS = frozenset(
    [
        "min_cluster_count",
        "max_cluster_count",
        "started_clusters",
        "running",
        "queued",
        "auto_suspend",
        "query_acceleration_max_scale_factor",
    ]
)
_POOL_INTEGERS = frozenset(
    [
        "min_nodes",
        "max_nodes",
        "num_services",
        "num_jobs",
        "auto_suspend_secs",
        "active_nodes",
        "idle_nodes",
        "target_nodes",
    ]
)
_SHOWN_ONLY = frozenset(
    [
        *("actives", "pendings", "failed", "suspended", "uuid", "resource_constraint", "generation"),
        *("query_throughput_multiplier", "max_query_performance_level", "disabled_reasons", "tables"),
        "backup_instance_families",
    ]
)
"""Columns of SHOW WAREHOUSES and COMPUTE POOLS that the API's model lacks."""
_READ_ONLY = frozenset(
    [
        "state",
        "started_clusters",
        "running",
        "queued",
        "is_default",
        "is_current",
        "available",
        "provisioning",
        "quiescing",
        "other",
        "created_on",
        "resumed_on",
        "updated_on",
        "owner",
        "budget",
        "kind",
        "owner_role_type",
        "num_services",
        "num_jobs",
        "active_nodes",
        "idle_nodes",
        "target_nodes",
        "is_exclusive",
        "application",
        "error_code",
        "status_message",
        "name",
    ]
)


def body_of(call: Call, one: Compute) -> Json:
    """A Warehouse or a ComputePool in JSON."""
    return _warehouse_body(call, one) if one.kind == WAREHOUSE else _pool_body(call, one)


def _warehouse_body(call: Call, one: Compute) -> Json:
    values = warehouse_values(call.session, one)
    body = _plain({key: values[key] for key in values if key not in _SHOWN_ONLY}, _WAREHOUSE_INTEGERS)
    limits = ("MAX_CONCURRENCY_LEVEL", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "STATEMENT_TIMEOUT_IN_SECONDS")
    body |= {key.lower(): one.settings[key] for key in limits if key in one.settings}
    body |= {"warehouse_type": body["type"], "warehouse_size": body["size"], "kind": WAREHOUSE}
    body |= {key: values[key] == "Y" for key in ("is_default", "is_current")}
    for absent in ("resource_monitor", "resource_constraint"):
        if body.get(absent) in (None, "null"):
            body.pop(absent, None)
    return body


def _pool_body(call: Call, one: Compute) -> Json:
    values = pool_values(call.account, one)
    body = _plain({key: values[key] for key in values if key not in _SHOWN_ONLY}, _POOL_INTEGERS)
    return body | {key: body[key] == "true" for key in ("auto_resume", "is_exclusive")}


def _plain(values: dict[str, Any], integers: frozenset[str]) -> Json:
    body: Json = {}
    for key, value in values.items():
        if value is None:
            continue
        if isinstance(value, datetime):
            value = value.isoformat(timespec="milliseconds")
        body[key] = int(value) if key in integers else value
    body["name"] = quoted_if_needed(body["name"])
    return body


def settings_of(kind: Kind, body: Json) -> dict[str, Any]:
    """The settings in a body; read-only fields are ignored."""
    wanted = {
        key.upper(): value for key, value in body.items() if value is not None and key not in _READ_ONLY
    }
    for short in ("TYPE", "SIZE"):
        if kind == WAREHOUSE and short in wanted:
            wanted.setdefault(f"WAREHOUSE_{short}", wanted[short])
            del wanted[short]
    unknown = sorted(wanted.keys() - compute.KEYS[kind])
    if unknown:
        raise bad_request(f"Not emulated by the local server: {unknown[0].lower()} of a {kind.lower()}.")
    return wanted


# -- operations, of either kind


def list_them(kind: Kind) -> Handler:
    def answer(call: Call) -> list[Json]:
        found = {one.name: one for one in compute.everything(call.account, kind)}
        return [body_of(call, found[name]) for name in call.shown(list(found))]

    return answer


def create(kind: Kind) -> Handler:
    def answer(call: Call) -> Json:
        body = call.mapping()
        name, mode = call.named(body), call.mode
        settings = settings_of(kind, body) | _asked_to_start_suspended(call)
        with call.account.store.transaction():
            if mode == "ifNotExists" and compute.find(call.account, kind, name) is not None:
                return done(f"{name} already exists, statement succeeded.")
            compute.create(
                call.account, kind, name, settings, call.session.role, replace_it=mode == "orReplace"
            )
        return done(f"{kind.capitalize()} {name} successfully created.")

    return answer


def _asked_to_start_suspended(call: Call) -> dict[str, Any]:
    return {"INITIALLY_SUSPENDED": True} if call.truth("initiallySuspended") else {}


def fetch(kind: Kind) -> Handler:
    return lambda call: body_of(call, compute.get(call.account, kind, call.name))


def create_or_alter(kind: Kind) -> Handler:
    def answer(call: Call) -> Json:
        body = call.mapping()
        name, settings = call.named(body), settings_of(kind, body)
        if compute.find(call.account, kind, name) is None:
            compute.create(call.account, kind, name, settings, call.session.role)
            return done(f"{kind.capitalize()} {name} successfully created.")
        compute.alter(call.account, kind, name, settings)
        return done(f"{kind.capitalize()} {name} successfully altered.")

    return answer


def acting(kind: Kind, act: Callable[[Call], Any]) -> Handler:
    """An operation on an object that must exist, except with `ifExists`."""

    def answer(call: Call) -> Json:
        with call.account.store.transaction():
            if not call.truth("ifExists") or compute.find(call.account, kind, call.name) is not None:
                compute.get(call.account, kind, call.name)
                act(call)
        return done()

    return answer


def drop(kind: Kind) -> Handler:
    return acting(kind, lambda call: compute.drop(call.account, kind, call.name))


def suspending(kind: Kind, suspended: bool) -> Handler:
    return acting(kind, lambda call: compute.set_suspended(call.account, kind, call.name, suspended))


def _rename(call: Call) -> None:
    compute.rename(call.account, WAREHOUSE, call.name, name_in(call.mapping()))


def _use(call: Call) -> Json:
    call.session.warehouse = compute.get(call.account, WAREHOUSE, call.name).name
    return done()


def nothing_runs(call: Call) -> None:
    """Does nothing, because no statements or services run on a warehouse or pool here."""


def _operations(kind: Kind, path: str) -> dict[str, Handler]:
    one = f"{path}/{{name}}"
    return {
        f"GET {path}": list_them(kind),
        f"POST {path}": create(kind),
        f"GET {one}": fetch(kind),
        f"PUT {one}": create_or_alter(kind),
        f"DELETE {one}": drop(kind),
        f"POST {one}:resume": suspending(kind, False),
        f"POST {one}:suspend": suspending(kind, True),
    }


OPERATIONS: Operations = {
    **_operations(WAREHOUSE, "/warehouses"),
    "POST /warehouses/{name}:rename": acting(WAREHOUSE, _rename),
    "POST /warehouses/{name}:abort": acting(WAREHOUSE, nothing_runs),
    "POST /warehouses/{name}:use": _use,
    **_operations(POOL, "/compute-pools"),
    "POST /compute-pools/{name}:stop-all-services": acting(POOL, nothing_runs),
    "POST /compute-pools/{name}:stopallservices": acting(POOL, nothing_runs),
}
