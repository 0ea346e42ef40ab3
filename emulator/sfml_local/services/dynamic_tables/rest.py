"""The REST API of dynamic tables: list, fetch, drop, refresh, suspend and resume.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/dynamic-table
"""

from __future__ import annotations

from sfml_local.core import table_notes
from sfml_local.core.errors import does_not_exist, not_emulated
from sfml_local.core.rest_call import Call, Handler, Json, Operations, done
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.dynamic_tables.model import DynamicTable
from sfml_local.services.dynamic_tables.tables import DynamicTables
from sfml_local.services.objects import rest as objects
from sfml_local.services.objects import show
from sfml_local.services.objects import store as records

_PATH = "/databases/{database}/schemas/{schema}/dynamic-tables"


def _body(call: Call, one: DynamicTable) -> Json:
    record = records.find(call.account, one.name)
    known = show.Known(
        one.name, "TABLE", record or records.Record(one.name, "TABLE", one.created_on, one.owner), ""
    )
    cluster = known.detail("CLUSTER_BY")
    lag = (
        {"type": "DOWNSTREAM"}
        if one.target_lag is None
        else {"type": "USER_DEFINED", "seconds": one.target_lag}
    )
    return objects.absent(
        {
            **objects.place_of(one.name),
            "kind": "TRANSIENT" if known.detail("TRANSIENT") else "PERMANENT",
            "columns": [
                {key: column[key] for key in ("name", "datatype", "comment") if key in column}
                for column in objects.columns_of(call, one.name)
            ],
            "target_lag": lag,
            "refresh_mode": one.refresh_mode,
            "warehouse": quoted_if_needed(one.warehouse),
            "initialization_warehouse": one.initialization_warehouse,
            "cluster_by": [part.strip() for part in cluster.split(",")] if cluster else None,
            "query": one.query,
            "data_retention_time_in_days": show.retention_days(call.account, known),
            "max_data_extension_time_in_days": known.detail("MAX_DATA_EXTENSION_TIME_IN_DAYS"),
            "comment": table_notes.comments(call.account.engine).get(one.name) or None,
            "created_on": objects.moment(one.created_on),
            "rows": show.row_count(call.account, known),
            "bytes": 0,
            "scheduling_state": "RUNNING" if one.suspended is None else "SUSPENDED",
            "automatic_clustering": bool(cluster),
            "owner": one.owner,
            "owner_role_type": "ROLE",
        }
    )


def list_tables(call: Call) -> list[Json]:
    objects.demand_schema_of(call)
    here = {
        one.name.name: one
        for one in call.account.part(DynamicTables).tables.values()
        if (one.name.database, one.name.schema) == (call.database, call.schema)
    }
    return [_body(call, here[name]) for name in call.shown(sorted(here))]


def fetch_table(call: Call) -> Json:
    found = call.account.part(DynamicTables).tables.get(call.object)
    if found is None:
        raise does_not_exist("Dynamic table", call.object.fqn())
    return _body(call, found)


def drop_table(call: Call) -> Json:
    missing = " IF EXISTS" if call.truth("ifExists") else ""
    result = call.account.execute(call.session, f"DROP DYNAMIC TABLE{missing} {call.object.fqn()}")
    return done(str(result.scalar))


def _altered(change: str) -> Handler:
    def alter(call: Call) -> Json:
        missing = " IF EXISTS" if call.truth("ifExists") else ""
        call.account.execute(call.session, f"ALTER DYNAMIC TABLE{missing} {call.object.fqn()} {change}")
        return done()

    return alter


def _refused(call: Call) -> Json:
    raise not_emulated("POST of a dynamic table", "use SQL")


OPERATIONS: Operations = {
    f"GET {_PATH}": list_tables,
    f"POST {_PATH}": _refused,
    f"GET {_PATH}/{{name}}": fetch_table,
    f"DELETE {_PATH}/{{name}}": drop_table,
    **{f"POST {_PATH}/{{name}}:{verb}": _altered(verb.upper()) for verb in ("refresh", "suspend", "resume")},
}
