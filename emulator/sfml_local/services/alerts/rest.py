"""The operations on alerts of the REST API.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/alert
"""

from __future__ import annotations

from typing import Any

from sfml_local.core.names import ObjectName
from sfml_local.core.places import demand_schema
from sfml_local.core.rest_call import Accepted, Call, Json, Operations, bad_request, done, identifier
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.alerts import commands, store
from sfml_local.services.alerts.alerts import Alerts
from sfml_local.services.alerts.model import Alert
from sfml_local.services.tags import store as tags
from sfml_local.services.tags.tagging import assign
from sfml_local.services.tasks.bodies import schedule_body, schedule_text, tag_body, time_text
from sfml_local.services.tasks.rest import tag_in, tag_value_in

_TEXTS = ("condition", "action")
_FIELDS = frozenset(
    {
        *("name", "comment", "schedule", "warehouse", *_TEXTS),
        *("created_on", "database_name", "schema_name", "owner", "owner_role_type", "state"),
    }
)


def _body(alert: Alert) -> Json:
    body = {
        "name": quoted_if_needed(alert.name.name),
        "comment": alert.comment,
        "schedule": _schedule(alert),
        "warehouse": quoted_if_needed(alert.warehouse) if alert.warehouse else None,
        "condition": alert.condition,
        "action": alert.action,
        "created_on": time_text(alert.created_on),
        "database_name": quoted_if_needed(alert.name.database),
        "schema_name": quoted_if_needed(alert.name.schema),
        "owner": alert.owner,
        "owner_role_type": "ROLE",
        "state": alert.state,
    }
    return {key: value for key, value in body.items() if value is not None}


def _schedule(alert: Alert) -> Json:
    """An interval is of a type with a name of its own, which snowflake.core reads, and has no seconds."""
    schedule = schedule_body(alert.schedule) or {}
    if "minutes" not in schedule:
        return schedule
    return {"schedule_type": "SCHEDULE_TYPE", "minutes": schedule["minutes"]}


def list_alerts(call: Call) -> list[Json]:
    demand_schema(call.account, ObjectName(call.database, call.schema, ""))
    here = store.names(call.account, call.database, call.schema)
    shown = call.shown([name.name for name in here])
    return [
        _body(commands.fetch(call.account, ObjectName(call.database, call.schema, name))) for name in shown
    ]


def create_alert(call: Call) -> Json:
    body = call.mapping()
    name = ObjectName(call.database, call.schema, call.named(body))
    demand_schema(call.account, name)
    for key in body.keys() - _FIELDS:
        if body[key] is not None:
            raise bad_request(f"Not emulated by the local server: field {key} of an alert.")
    condition, action = (_text(body, key) for key in _TEXTS)
    alert = commands.new_alert(call.account, call.session, name, _properties(body), condition, action)
    return _kept(call, alert)


def _properties(body: Json) -> dict[str, Any]:
    schedule, warehouse = body.get("schedule"), body.get("warehouse")
    return {
        "SCHEDULE": None if schedule is None else schedule_text(schedule),
        "WAREHOUSE": identifier(warehouse) if warehouse else None,
        "COMMENT": body.get("comment"),
    }


def _text(body: Json, key: str) -> str:
    if not isinstance(body.get(key), str):
        raise bad_request(f"Missing required field: {key}.")
    return str(body[key])


def _kept(call: Call, alert: Alert) -> Json:
    if call.mode == "ifNotExists" and store.find(call.account.store, alert.name) is not None:
        return done(f"{alert.name.name} already exists, statement succeeded.")
    commands.keep(call.account, alert, replace_it=call.mode == "orReplace")
    return done(f"Alert {alert.name.name} successfully created.")


def clone_alert(call: Call) -> Json:
    """CREATE ALERT … CLONE into the target's schema; the name in the body is that of the clone."""
    body = call.mapping()
    if body.get("point_of_time"):
        raise bad_request("Not emulated by the local server: field point_of_time of an alert.")
    database, schema = (
        identifier(call.options[option]) if call.options.get(option) else own
        for option, own in (("targetDatabase", call.database), ("targetSchema", call.schema))
    )
    name = ObjectName(database, schema, identifier(_text(body, "name")))
    demand_schema(call.account, name)
    return _kept(call, commands.clone(call.account, call.session, call.object, name))


def fetch_alert(call: Call) -> Json:
    return _body(commands.fetch(call.account, call.object))


def delete_alert(call: Call) -> Json:
    if call.truth("ifExists") and store.find(call.account.store, call.object) is None:
        return done(f"Drop statement executed successfully ({call.object.name} already dropped).")
    commands.drop(call.account, call.object)
    return done(f"{call.object.name} successfully dropped.")


def execute_alert(call: Call) -> Json | Accepted:
    call.account.part(Alerts).execute(commands.fetch(call.account, call.object))
    answer = done(f"Alert {call.object.name} is scheduled to run immediately.")
    return Accepted(answer) if call.truth("asyncExec") else answer


# -- tags


def set_tags(call: Call) -> Json:
    given = {tag_in(call, one): tag_value_in(one) for one in call.listing()}
    if (key := _tagged(call)) is not None:
        assign(call.account, "ALERT", key, given)
    return done()


def unset_tags(call: Call) -> Json:
    given = [tag_in(call, one) for one in call.listing()]
    if (key := _tagged(call)) is not None:
        tags.unassign(call.account, "ALERT", key, given, "")
    return done()


def get_tags(call: Call) -> list[Json]:
    """The alert's own tags; those of its schema and database are left out, also with lineage."""
    call.truth("withLineage")
    key = commands.fetch(call.account, call.object).name.fqn()
    return [tag_body(tag, value, "ALERT") for tag, value in tags.assigned(call.account, "ALERT", key).items()]


def _tagged(call: Call) -> str | None:
    """The name of the alert to tag; None if it is missing and IF EXISTS is given."""
    if call.truth("ifExists") and store.find(call.account.store, call.object) is None:
        return None
    return commands.fetch(call.account, call.object).name.fqn()


_ALERTS = "/databases/{database}/schemas/{schema}/alerts"

OPERATIONS: Operations = {
    f"GET {_ALERTS}": list_alerts,
    f"POST {_ALERTS}": create_alert,
    f"GET {_ALERTS}/{{name}}": fetch_alert,
    f"DELETE {_ALERTS}/{{name}}": delete_alert,
    f"POST {_ALERTS}/{{name}}:clone": clone_alert,
    f"POST {_ALERTS}/{{name}}:execute": execute_alert,
    f"POST {_ALERTS}/{{name}}:set-tags": set_tags,
    f"POST {_ALERTS}/{{name}}:unset-tags": unset_tags,
    f"GET {_ALERTS}/{{name}}:get-tags": get_tags,
}
