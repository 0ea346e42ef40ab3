"""Warehouses and compute pools: objects with settings and a state. Nothing runs on them; this machine does the work.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse · /create-compute-pool
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml.semantics.limits import warehouse_size
from sfml_local.core.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    invalid_value,
    name_is_taken,
    not_emulated,
)
from sfml_local.core.session import DEFAULT_ROLE, DEFAULT_WAREHOUSE
from sfml_local.grammar.compute import Kind
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.databases.properties import labels_not_emulated

if TYPE_CHECKING:
    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS compute (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    suspended INTEGER NOT NULL,
    owner TEXT NOT NULL,
    created_on TEXT NOT NULL,
    resumed_on TEXT,
    updated_on TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
"""
DEFAULT_POOL = "LOCAL_POOL"
DEFAULT_NODES: Mapping[str, Any] = {
    "MIN_NODES": 1,
    "MAX_NODES": max(8, 2 * (os.cpu_count() or 1)),
    "INSTANCE_FAMILY": "CPU_X64_S",
}
"""The nodes of pools that were not created: as many instances of jobs run at once as processes of procedures."""

KEYS: Mapping[Kind, frozenset[str]] = {
    "WAREHOUSE": frozenset(
        [
            "WAREHOUSE_TYPE",
            "WAREHOUSE_SIZE",
            "MAX_CLUSTER_COUNT",
            "MIN_CLUSTER_COUNT",
            "SCALING_POLICY",
            "AUTO_SUSPEND",
            "AUTO_RESUME",
            "INITIALLY_SUSPENDED",
            "RESOURCE_MONITOR",
            "COMMENT",
            "ENABLE_QUERY_ACCELERATION",
            "WAIT_FOR_COMPLETION",
            "QUERY_ACCELERATION_MAX_SCALE_FACTOR",
            "MAX_CONCURRENCY_LEVEL",
            "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS",
            "STATEMENT_TIMEOUT_IN_SECONDS",
            "RESOURCE_CONSTRAINT",
            "GENERATION",
        ]
    ),
    "COMPUTE POOL": frozenset(
        [
            "MIN_NODES",
            "MAX_NODES",
            "INSTANCE_FAMILY",
            "AUTO_RESUME",
            "INITIALLY_SUSPENDED",
            "AUTO_SUSPEND_SECS",
            "COMMENT",
            "PLACEMENT_GROUP",
            "BACKUP_INSTANCE_FAMILIES",
        ]
    ),
}
_FAMILY = re.compile(r"(CPU|HIGHMEM|GPU|MEM)_[A-Z0-9_]+")
_BOOLEANS = frozenset(
    {"AUTO_RESUME", "INITIALLY_SUSPENDED", "ENABLE_QUERY_ACCELERATION", "WAIT_FOR_COMPLETION"}
)
_INTEGERS = frozenset(
    key for keys in KEYS.values() for key in keys if key.endswith(("_COUNT", "_NODES", "_SECS", "_SECONDS"))
) | {"AUTO_SUSPEND", "QUERY_ACCELERATION_MAX_SCALE_FACTOR", "MAX_CONCURRENCY_LEVEL"}
_LISTS = frozenset({"BACKUP_INSTANCE_FAMILIES"})
_WORDS: Mapping[str, frozenset[str]] = {
    "WAREHOUSE_TYPE": frozenset({"STANDARD", "SNOWPARK-OPTIMIZED"}),
    "SCALING_POLICY": frozenset({"STANDARD", "ECONOMY"}),
    "GENERATION": frozenset({"1", "2"}),
}
_RANGES: Mapping[str, tuple[int, int]] = {
    "MIN_CLUSTER_COUNT": (1, 300),
    "MAX_CLUSTER_COUNT": (1, 300),
    "QUERY_ACCELERATION_MAX_SCALE_FACTOR": (0, 100),
    "MAX_CONCURRENCY_LEVEL": (1, 32),
    "STATEMENT_TIMEOUT_IN_SECONDS": (0, 604_800),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": (0, 604_800),
    "MIN_NODES": (1, 512),
    "MAX_NODES": (1, 512),
}
_SIZES = {
    "XSMALL": "X-Small",
    "SMALL": "Small",
    "MEDIUM": "Medium",
    "LARGE": "Large",
    "XLARGE": "X-Large",
    "XXLARGE": "2X-Large",
    "XXXLARGE": "3X-Large",
    "X4LARGE": "4X-Large",
    "X5LARGE": "5X-Large",
    "X6LARGE": "6X-Large",
}
_MORE_SIZES = {"X3LARGE": "XXXLARGE", "3X-LARGE": "XXXLARGE", "4X-LARGE": "X4LARGE"} | {
    f"{n}X-LARGE": f"X{n}LARGE" for n in (5, 6)
}


@dataclass(frozen=True, slots=True)
class Compute:
    """A warehouse or a compute pool. `settings` holds its settings by upper-case name."""

    kind: Kind
    name: str
    settings: Mapping[str, Any]
    owner: str
    created_on: datetime
    updated_on: datetime
    resumed_on: datetime | None = None
    suspended: bool = False

    def setting(self, key: str, default: Any = None) -> Any:
        return self.settings.get(key, default)


def demand_warehouse(account: Account, name: str | None) -> None:
    """Refuse a task's warehouse that does not exist, if unknown ones are refused."""
    if (
        name is not None
        and account.settings.refuses_unknown_compute
        and find(account, "WAREHOUSE", name) is None
    ):
        raise SqlError(f"Nonexistent warehouse {name} was specified.", 91083, "42601")


# -- keeping


def _row(row: Any) -> Compute:
    moment = datetime.fromisoformat
    return Compute(
        row["kind"],
        row["name"],
        json.loads(row["settings"]),
        row["owner"],
        moment(row["created_on"]),
        moment(row["updated_on"]),
        moment(row["resumed_on"]) if row["resumed_on"] else None,
        bool(row["suspended"]),
    )


def find(account: Account, kind: Kind, name: str) -> Compute | None:
    _add_defaults(account)
    row = account.store.row("SELECT * FROM compute WHERE kind = ? AND name = ?", (kind, name))
    return _row(row) if row else None


def get(account: Account, kind: Kind, name: str) -> Compute:
    found = find(account, kind, name)
    if found is None:
        raise does_not_exist(kind.capitalize(), name)
    return found


def everything(account: Account, kind: Kind) -> list[Compute]:
    """All objects of a kind, by name."""
    _add_defaults(account)
    return [
        _row(row) for row in account.store.rows("SELECT * FROM compute WHERE kind = ? ORDER BY name", (kind,))
    ]


def save(account: Account, compute: Compute) -> None:
    account.store.execute(
        "INSERT OR REPLACE INTO compute VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            compute.kind,
            compute.name,
            json.dumps(dict(compute.settings)),
            int(compute.suspended),
            compute.owner,
            compute.created_on.isoformat(),
            compute.resumed_on.isoformat() if compute.resumed_on else None,
            compute.updated_on.isoformat(),
        ),
    )


def _add_defaults(account: Account) -> None:
    """LOCAL_WH and LOCAL_POOL exist from the start, and again once the last warehouse or pool was dropped."""
    if account.store.row("SELECT 1 FROM compute LIMIT 1") is not None:
        return
    now = account.clock()
    with account.store.transaction():
        save(account, Compute("WAREHOUSE", DEFAULT_WAREHOUSE, {}, DEFAULT_ROLE, now, now, now))
        save(account, Compute("COMPUTE POOL", DEFAULT_POOL, DEFAULT_NODES, DEFAULT_ROLE, now, now, now))


# -- changing


def create(
    account: Account,
    kind: Kind,
    name: str,
    settings: Mapping[str, Any],
    owner: str,
    *,
    replace_it: bool = False,
) -> Compute:
    """Create an object; raises 002002 if it exists and must not be replaced."""
    given = checked(kind, settings)
    if kind == "COMPUTE POOL":
        _demand_nodes(given)
    now = account.clock()
    suspended = bool(given.get("INITIALLY_SUSPENDED"))
    made = Compute(kind, name, given, owner, now, now, None if suspended else now, suspended)
    with account.store.transaction():
        if find(account, kind, name) is not None:
            if not replace_it:
                raise already_exists(name)
            account.object_dropped(kind, quoted_if_needed(name))
        save(account, made)
    return made


def _demand_nodes(settings: Mapping[str, Any]) -> None:
    for key in ("MIN_NODES", "MAX_NODES", "INSTANCE_FAMILY"):
        if key not in settings:
            raise SqlError(f"SQL compilation error:\nMissing option(s): [{key}]", 2029, "22023")
    if not 1 <= settings["MIN_NODES"] <= settings["MAX_NODES"]:
        raise invalid_value(settings["MIN_NODES"], "MIN_NODES")


def alter(account: Account, kind: Kind, name: str, settings: Mapping[str, Any]) -> None:
    """Replace its settings by these."""
    given = checked(kind, settings)
    if kind == "COMPUTE POOL":
        _demand_nodes(given)
    with account.store.transaction():
        save(account, replace(get(account, kind, name), settings=given, updated_on=account.clock()))


def set_suspended(account: Account, kind: Kind, name: str, suspended: bool) -> None:
    with account.store.transaction():
        found = get(account, kind, name)
        resumed_on = found.resumed_on if suspended else account.clock()
        save(account, replace(found, suspended=suspended, resumed_on=resumed_on))


def rename(account: Account, kind: Kind, name: str, new: str) -> None:
    with account.store.transaction():
        found = get(account, kind, name)
        if find(account, kind, new) is not None:
            raise name_is_taken(new)
        account.store.execute(
            "UPDATE compute SET name = ? WHERE kind = ? AND name = ?", (new, kind, found.name)
        )
        account.object_renamed(kind, quoted_if_needed(name), quoted_if_needed(new))


def drop(account: Account, kind: Kind, name: str) -> None:
    with account.store.transaction():
        get(account, kind, name)
        account.store.execute("DELETE FROM compute WHERE kind = ? AND name = ?", (kind, name))
        account.object_dropped(kind, quoted_if_needed(name))


def demand_known(kind: Kind, keys: Iterable[str]) -> None:
    for key in keys:
        if key in ("TAG", "CONTACT"):
            raise labels_not_emulated(kind, key)
        if key == "FOR APPLICATION":
            raise not_emulated(f"CREATE {kind} … {key}")
        if key not in KEYS[kind]:
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "42601")


def checked(kind: Kind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with values of their types; refuses unknown settings and invalid values."""
    given = {key: value for key, value in settings.items() if value is not None}
    demand_known(kind, given)
    checked_values = {key: _value(key, value) for key, value in given.items()}
    for key in checked_values.keys() & _RANGES.keys():
        least, most = _RANGES[key]
        if not least <= checked_values[key] <= most:
            raise invalid_value(checked_values[key], key)
    most_clusters = checked_values.get("MAX_CLUSTER_COUNT")
    if most_clusters is not None and checked_values.get("MIN_CLUSTER_COUNT", 1) > most_clusters:
        raise invalid_value(checked_values["MIN_CLUSTER_COUNT"], "MIN_CLUSTER_COUNT")
    return checked_values


def _value(key: str, value: Any) -> Any:
    if key in _BOOLEANS:
        if str(value).upper() not in ("TRUE", "FALSE"):
            raise invalid_value(value, key)
        return str(value).upper() == "TRUE"
    if key in _INTEGERS:
        if key == "AUTO_SUSPEND" and str(value).upper() == "NULL":
            return 0
        if isinstance(value, bool) or not str(value).isdigit():
            raise invalid_value(value, key)
        return int(value)
    if key == "WAREHOUSE_SIZE":
        return shown_size(str(value))
    if key in _LISTS:
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if key == "INSTANCE_FAMILY" and not _FAMILY.fullmatch(str(value).upper()):
        raise invalid_value(value, key)
    if key in _WORDS and str(value).upper() not in _WORDS[key]:
        raise SqlError(f"SQL compilation error:\ninvalid value '{value}' for property '{key}'", 1008, "22023")
    return str(value)


def shown_size(text: str) -> str:
    """A size as SHOW WAREHOUSES writes it: `X-Small`."""
    size = warehouse_size(text) or _MORE_SIZES.get(text.upper(), text.upper())
    if size not in _SIZES:
        raise invalid_value(text, "WAREHOUSE_SIZE")
    return _SIZES[size]


class PoolUse:
    """The jobs on the account's compute pools; answered by the service that runs them."""

    def __init__(self, account: Account) -> None:
        self.answer: Callable[[Account, str], tuple[int, int]] = lambda account, pool: (0, 0)
        """The number of a pool's jobs, and of the nodes of its running jobs."""
