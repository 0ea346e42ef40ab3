"""SHOW DYNAMIC TABLES, and the table functions of INFORMATION_SCHEMA about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sfml_local.core import table_notes
from sfml_local.core.arguments import Args, time_of
from sfml_local.core.errors import SqlError
from sfml_local.core.likeness import selected
from sfml_local.core.names import resolve
from sfml_local.core.places import area_of, cannot_be_performed
from sfml_local.core.result import SHOW, Column, Result, columns, table
from sfml_local.grammar.dynamic_tables import ShowDynamicTables
from sfml_local.services.dynamic_tables import store
from sfml_local.services.dynamic_tables.model import DOWNSTREAM, DynamicTable, Refresh
from sfml_local.services.dynamic_tables.tables import (
    KEPT,
    SUSPENDED_BY_ERRORS,
    UPSTREAM_SUSPENDED,
    USER_SUSPENDED,
    DynamicTables,
)
from sfml_local.services.objects import show
from sfml_local.services.objects import store as records

if TYPE_CHECKING:
    from sfml_local.core.account import Account, TableFunction
    from sfml_local.core.session import Session


SHOWN = columns(
    "created_on:timestamp_ltz name database_name schema_name cluster_by rows:fixed bytes:fixed owner target_lag"
    " refresh_mode refresh_mode_reason warehouse comment text automatic_clustering scheduling_state"
    " last_suspended_on:timestamp_ltz is_clone is_replica is_iceberg data_timestamp:timestamp_ltz"
    " owner_role_type execute_as_user secondary_role_names insert_only_inputs immutable_where"
    " initialization_warehouse backfill_from scheduler frozen_where configured_refresh_mode"
)
HISTORY = columns(
    "NAME SCHEMA_NAME DATABASE_NAME STATE STATE_CODE STATE_MESSAGE QUERY_ID DATA_TIMESTAMP:timestamp_ltz"
    " REFRESH_START_TIME:timestamp_ltz REFRESH_END_TIME:timestamp_ltz COMPLETION_TARGET:timestamp_ltz"
    " QUALIFIED_NAME LAST_COMPLETED_DEPENDENCY:object STATISTICS:object REFRESH_ACTION REFRESH_TRIGGER"
    " TARGET_LAG_SEC:fixed GRAPH_HISTORY_VALID_FROM:timestamp_ltz"
)
GRAPH = columns(
    "NAME SCHEMA_NAME DATABASE_NAME QUALIFIED_NAME INPUTS:array TARGET_LAG_TYPE TARGET_LAG_SEC:fixed QUERY_TEXT"
    " VALID_FROM:timestamp_ltz VALID_TO:timestamp_ltz SCHEDULING_STATE:object ALTER_TRIGGER:array"
)
TABLES = columns(
    "NAME SCHEMA_NAME DATABASE_NAME QUALIFIED_NAME TARGET_LAG_SEC:fixed TARGET_LAG_TYPE SCHEDULING_STATE:object"
    " MEAN_LAG_SEC:fixed MAXIMUM_LAG_SEC:fixed TIME_ABOVE_TARGET_LAG_SEC:fixed TIME_WITHIN_TARGET_LAG_RATIO:real"
    " LATEST_DATA_TIMESTAMP:timestamp_ltz LAST_COMPLETED_REFRESH_STATE LAST_COMPLETED_REFRESH_STATE_CODE"
    " LAST_COMPLETED_REFRESH_STATE_MESSAGE EXECUTING_REFRESH_QUERY_ID"
)


# -- SHOW


def show_tables(account: Account, session: Session, statement: ShowDynamicTables) -> Result:
    listing = statement.listing
    area = area_of(account, session, listing, missing=cannot_be_performed)
    here = [
        one
        for one in account.part(DynamicTables).tables.values()
        if area.has(one.name.database, one.name.schema)
    ]
    found = selected(
        sorted(here, key=lambda one: one.name),
        lambda one: one.name.name,
        listing,
    )
    comments = table_notes.comments(account.engine)
    values = [_shown(account, one, comments.get(one.name, "")) for one in found]
    return _table(SHOWN, values)


def _shown(account: Account, one: DynamicTable, comment: str) -> dict[str, Any]:
    record = records.find(account, one.name)
    cluster = record.details.get("CLUSTER_BY") if record else None
    known = show.Known(
        one.name, "TABLE", record or records.Record(one.name, "TABLE", one.created_on, one.owner), ""
    )
    return {
        "created_on": one.created_on,
        "name": one.name.name,
        "database_name": one.name.database,
        "schema_name": one.name.schema,
        "cluster_by": f"LINEAR({cluster})" if cluster else "",
        "rows": show.row_count(account, known),
        "bytes": 0,
        "owner": one.owner,
        "target_lag": one.shown_lag,
        "refresh_mode": one.refresh_mode,
        "refresh_mode_reason": one.refresh_mode_reason,
        "warehouse": one.warehouse,
        "comment": comment,
        "text": one.written,
        "automatic_clustering": "ON" if cluster else "OFF",
        "scheduling_state": "ACTIVE" if one.suspended is None else "SUSPENDED",
        "last_suspended_on": one.suspended_on,
        "is_clone": "false",
        "is_replica": "false",
        "is_iceberg": "false",
        "data_timestamp": one.data_timestamp,
        "owner_role_type": "ROLE",
        "initialization_warehouse": one.initialization_warehouse,
    }


def _table(columns: tuple[Column, ...], values: Iterable[Mapping[str, Any]], kind: int = SHOW) -> Result:
    return table(columns, [[row.get(column.name) for column in columns] for row in values], kind)


# -- table functions


def _named(one: DynamicTable | Refresh) -> dict[str, Any]:
    name = one.name
    return {
        "NAME": name.name,
        "SCHEMA_NAME": name.schema,
        "DATABASE_NAME": name.database,
        "QUALIFIED_NAME": name.fqn(),
    }


def _lag(one: DynamicTable) -> dict[str, Any]:
    return {
        "TARGET_LAG_TYPE": DOWNSTREAM if one.target_lag is None else "USER_DEFINED",
        "TARGET_LAG_SEC": one.target_lag,
    }


def _scheduling_state(one: DynamicTable) -> str:
    state: dict[str, Any] = {"state": "ACTIVE" if one.suspended is None else "SUSPENDED"}
    if one.suspended is not None:
        state |= {"reason_code": one.suspended, "reason_message": _REASONS[one.suspended]}
    for key, moment in (("suspended_on", one.suspended_on), ("resumed_on", one.resumed_on)):
        if moment is not None:
            state[key] = moment.isoformat(sep=" ", timespec="milliseconds")
    return json.dumps(state)


_REASONS = {
    USER_SUSPENDED: "The DT was suspended by a user",
    UPSTREAM_SUSPENDED: "An upstream DT is suspended",
    SUSPENDED_BY_ERRORS: "The DT was suspended due to 5 consecutive refresh errors",
}


def refresh_history(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_refresh_history"""
    names = "DATA_TIMESTAMP_START DATA_TIMESTAMP_END RESULT_LIMIT NAME NAME_PREFIX ERROR_ONLY"
    given = arguments.by_name("DYNAMIC_TABLE_REFRESH_HISTORY", names)
    end = time_of(given.get("DATA_TIMESTAMP_END")) or account.clock()
    start = time_of(given.get("DATA_TIMESTAMP_START"))
    start = start or (end - timedelta(days=1) if given.get("DATA_TIMESTAMP_END") else account.clock() - KEPT)
    found = [
        one
        for one in store.refreshes(account.store, max(start, account.clock() - KEPT))
        if one.data_timestamp <= end and _is_asked(one, given, session)
    ]
    return _table(HISTORY, map(_history_values, found[: _limit(given.get("RESULT_LIMIT"))]))


def _is_asked(one: Refresh, given: Mapping[str, Any], session: Session) -> bool:
    if given.get("ERROR_ONLY") and one.state not in ("FAILED", "UPSTREAM_FAILED", "CANCELLED"):
        return False
    if (name := given.get("NAME")) is not None and not _is_name(one, str(name), session):
        return False
    prefix = given.get("NAME_PREFIX")
    return prefix is None or one.name.fqn().upper().startswith(str(prefix).upper())


def _is_name(one: DynamicTable | Refresh, text: str, session: Session) -> bool:
    """Whether a name, ignoring case, is that of the table."""
    return resolve(text, session).fqn().upper() == one.name.fqn().upper()


def _history_values(one: Refresh) -> dict[str, Any]:
    return {
        **_named(one),
        "STATE": one.state,
        "STATE_CODE": one.code,
        "STATE_MESSAGE": one.message,
        "QUERY_ID": one.query_id,
        "DATA_TIMESTAMP": one.data_timestamp,
        "REFRESH_START_TIME": one.started,
        "REFRESH_END_TIME": one.ended,
        "COMPLETION_TARGET": one.completion_target,
        "STATISTICS": None if one.statistics is None else json.dumps(one.statistics),
        "REFRESH_ACTION": one.action,
        "REFRESH_TRIGGER": one.trigger,
        "TARGET_LAG_SEC": one.target_lag,
        "GRAPH_HISTORY_VALID_FROM": one.valid_from,
    }


def graph_history(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_graph_history"""
    given = arguments.by_name("DYNAMIC_TABLE_GRAPH_HISTORY", "AS_OF HISTORY_START HISTORY_END")
    as_of, start, end = (time_of(given.get(key)) for key in ("AS_OF", "HISTORY_START", "HISTORY_END"))
    rows = []
    for one, row in store.descriptions(account.store):
        valid_from = datetime.fromisoformat(row["valid_from"])
        valid_to = datetime.fromisoformat(row["valid_to"]) if row["valid_to"] else None
        if as_of is not None:
            is_asked = valid_from <= as_of and (valid_to is None or as_of < valid_to)
        elif start is not None:
            is_asked = (valid_to is None or valid_to >= start) and (end is None or valid_from <= end)
        else:
            is_asked = valid_to is None
        if is_asked:
            rows.append(
                {
                    **_graph_values(one),
                    "VALID_TO": valid_to,
                    "ALTER_TRIGGER": json.dumps([row["alter_trigger"]]),
                }
            )
    return _table(GRAPH, rows)


def _graph_values(one: DynamicTable) -> dict[str, Any]:
    inputs = [{"name": source.name.fqn(), "kind": source.kind} for source in one.sources]
    return {
        **_named(one),
        **_lag(one),
        "INPUTS": json.dumps(inputs),
        "QUERY_TEXT": one.query,
        "VALID_FROM": one.valid_from,
        "SCHEDULING_STATE": _scheduling_state(one),
    }


def dynamic_tables(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/dynamic_tables"""
    names = "NAME REFRESH_DATA_TIMESTAMP_START RESULT_LIMIT INCLUDE_CONNECTED"
    given = arguments.by_name("DYNAMIC_TABLES", names)
    tables = account.part(DynamicTables)
    found = sorted(tables.tables.values(), key=lambda one: one.name)
    if (name := given.get("NAME")) is not None:
        asked = [one for one in found if _is_name(one, str(name), session)]
        connected = {
            one.name for table in asked for one in (*tables.upstream(table), *tables.downstream(table))
        }
        wider = connected if given.get("INCLUDE_CONNECTED") else set()
        found = [one for one in found if one in asked or one.name in wider]
    since = time_of(given.get("REFRESH_DATA_TIMESTAMP_START")) or account.clock() - KEPT
    refreshes = store.refreshes(account.store, since)
    rows = [_table_values(account, one, [r for r in refreshes if r.table == one.id]) for one in found]
    return _table(TABLES, rows[: _limit(given.get("RESULT_LIMIT"))])


def _table_values(account: Account, one: DynamicTable, refreshes: Sequence[Refresh]) -> dict[str, Any]:
    ended = next((refresh for refresh in refreshes if refresh.ended is not None), None)
    running = next((refresh for refresh in refreshes if refresh.ended is None), None)
    return {
        **_named(one),
        **_lag(one),
        **_lags(account.clock(), one, refreshes),
        "SCHEDULING_STATE": _scheduling_state(one),
        "LATEST_DATA_TIMESTAMP": one.data_timestamp,
        "LAST_COMPLETED_REFRESH_STATE": ended.state if ended else None,
        "LAST_COMPLETED_REFRESH_STATE_CODE": ended.code if ended else None,
        "LAST_COMPLETED_REFRESH_STATE_MESSAGE": ended.message if ended else None,
        "EXECUTING_REFRESH_QUERY_ID": running.query_id if running else None,
    }


def _lags(now: datetime, one: DynamicTable, refreshes: Sequence[Refresh]) -> dict[str, Any]:
    """The lag of the rows between each refresh and the end of the next one, and until now."""
    good = [r for r in reversed(refreshes) if r.state == "SUCCEEDED" and r.ended is not None]
    ends = [*(r.ended for r in good[1:]), now]
    spans = [
        ((r.ended - r.data_timestamp).total_seconds(), (end - r.data_timestamp).total_seconds())
        for r, end in zip(good, ends, strict=True)
        if r.ended is not None and end is not None
    ]
    total = sum(last - first for first, last in spans)
    if one.target_lag is None or not spans:
        return {}
    above = sum(max(0.0, last - max(first, one.target_lag)) for first, last in spans)
    area = sum((last - first) * (first + last) / 2 for first, last in spans)
    return {
        "MEAN_LAG_SEC": int(area / total) if total else 0,
        "MAXIMUM_LAG_SEC": int(max(last for _, last in spans)),
        "TIME_ABOVE_TARGET_LAG_SEC": int(above),
        "TIME_WITHIN_TARGET_LAG_RATIO": 1 - above / total if total else 1.0,
    }


# -- arguments


def _limit(value: Any) -> int:
    limit = 100 if value is None else int(value)
    if not 1 <= limit <= 10000:
        raise SqlError(f"Invalid value [{value}] for RESULT_LIMIT: 1 to 10000.", 1008, "22023")
    return limit


TABLE_FUNCTIONS: Mapping[str, TableFunction] = {
    "DYNAMIC_TABLE_REFRESH_HISTORY": refresh_history,
    "DYNAMIC_TABLE_GRAPH_HISTORY": graph_history,
    "DYNAMIC_TABLES": dynamic_tables,
}
