"""The REST API of image repositories and notification integrations.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml_local.core import places
from sfml_local.core.errors import does_not_exist, not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.core.rest_call import Call, Json, Operations, done, name_in
from sfml_local.grammar.quoting import literal, quoted_if_needed
from sfml_local.services.access import properties, sql, store

_REPOSITORIES = "/databases/{database}/schemas/{schema}/image-repositories"
_NOTIFICATIONS = "/notification-integrations"


# -- image repositories


def _repository(row: Any) -> Json:
    return {
        "name": quoted_if_needed(row["name"]),
        "database_name": quoted_if_needed(row["database"]),
        "schema_name": quoted_if_needed(row["schema"]),
        "created_on": row["created_on"],
        "repository_url": sql.repository_url(row),
        "owner": row["owner"],
        "owner_role_type": "ROLE",
    }


def list_repositories(call: Call) -> list[Json]:
    places.demand_schema(call.account, ObjectName(call.database, call.schema, ""))
    here = {
        row["name"]: row
        for row in store.of_kind(call.account, "IMAGE REPOSITORY")
        if (row["database"], row["schema"]) == (call.database, call.schema)
    }
    return [_repository(here[name]) for name in call.shown(sorted(here))]


def fetch_repository(call: Call) -> Json:
    row = store.find(call.account, "IMAGE REPOSITORY", (call.database, call.schema, call.name))
    if row is None:
        raise does_not_exist("Image repository", call.object.fqn())
    return _repository(row)


def create_repository(call: Call) -> Json:
    name = ObjectName(call.database, call.schema, name_in(call.mapping()))
    words = {"orReplace": "OR REPLACE ", "ifNotExists": "", "errorIfExists": ""}[call.mode]
    missing = "IF NOT EXISTS " if call.mode == "ifNotExists" else ""
    places.demand_schema(call.account, name)
    result = call.account.execute(call.session, f"CREATE {words}IMAGE REPOSITORY {missing}{name.fqn()}")
    return done(str(result.scalar))


def drop_repository(call: Call) -> Json:
    missing = " IF EXISTS" if call.truth("ifExists") else ""
    result = call.account.execute(call.session, f"DROP IMAGE REPOSITORY{missing} {call.object.fqn()}")
    return done(str(result.scalar))


# -- notification integrations


def _notification(call: Call, row: Any) -> Json:
    kept = store.properties(call.account, "INTEGRATION", ("", "", row["name"]))
    return {
        "name": quoted_if_needed(row["name"]),
        "notification_hook": _hook(row["type"], kept),
        "enabled": bool(kept.get("ENABLED", True)),
        "comment": row["comment"],
        "created_on": row["created_on"],
    }


def _hook(type: str, kept: Mapping[str, Any]) -> Json:
    """What an integration notifies, in the words of the specification."""
    if type.startswith("QUEUE"):
        provider = str(kept.get("NOTIFICATION_PROVIDER", "AWS_SNS"))
        words = {"AWS_SNS": "QUEUE_AWS_SNS_OUTBOUND", "AZURE_EVENT_GRID": "QUEUE_AZURE_EVENT_GRID_OUTBOUND"}
        found: Json = {"type": words.get(provider.upper(), "QUEUE_GCP_PUBSUB_OUTBOUND")}
        renamed = {"AWS_SNS_TOPIC_ARN": "sns_topic_arn", "AWS_SNS_ROLE_ARN": "sns_role_arn"}
    else:
        found, renamed = {"type": type}, {}
    known = properties.of_integration("NOTIFICATION", type) or {}
    for key in kept.keys() & known.keys() - {"ENABLED", "NOTIFICATION_PROVIDER", "DIRECTION"}:
        found[renamed.get(key, key.lower())] = kept[key]
    return found


def _notifications(call: Call) -> dict[str, Any]:
    rows = store.of_kind(call.account, "INTEGRATION")
    return {row["name"]: row for row in rows if row["category"] == "NOTIFICATION"}


def list_notifications(call: Call) -> list[Json]:
    known = _notifications(call)
    return [_notification(call, known[name]) for name in call.shown(sorted(known))]


def fetch_notification(call: Call) -> Json:
    row = _notifications(call).get(call.name)
    if row is None:
        raise does_not_exist("Integration", call.name)
    return _notification(call, row)


def create_notification(call: Call) -> Json:
    """Of emails; other hooks are created by SQL."""
    body = call.mapping()
    hook = body.get("notification_hook")
    if not isinstance(hook, dict) or hook.get("type") != "EMAIL":
        raise not_emulated("POST of a notification integration that is not for emails", "use SQL")
    options = [f"TYPE = EMAIL ENABLED = {'TRUE' if body.get('enabled', True) else 'FALSE'}"]
    for key in ("allowed_recipients", "default_recipients"):
        if hook.get(key) is not None:
            options.append(f"{key.upper()} = ({', '.join(literal(str(one)) for one in hook[key])})")
    for key, value in (("DEFAULT_SUBJECT", hook.get("default_subject")), ("COMMENT", body.get("comment"))):
        options += [f"{key} = {literal(str(value))}"] if value is not None else []
    words = "OR REPLACE " if call.mode == "orReplace" else ""
    missing = "IF NOT EXISTS " if call.mode == "ifNotExists" else ""
    name = quoted_if_needed(name_in(body))
    made = f"CREATE {words}NOTIFICATION INTEGRATION {missing}{name} {' '.join(options)}"
    return done(str(call.account.execute(call.session, made).scalar))


def drop_notification(call: Call) -> Json:
    missing = " IF EXISTS" if call.truth("ifExists") else ""
    dropped = f"DROP NOTIFICATION INTEGRATION{missing} {quoted_if_needed(call.name)}"
    return done(str(call.account.execute(call.session, dropped).scalar))


OPERATIONS: Operations = {
    f"GET {_REPOSITORIES}": list_repositories,
    f"POST {_REPOSITORIES}": create_repository,
    f"GET {_REPOSITORIES}/{{name}}": fetch_repository,
    f"DELETE {_REPOSITORIES}/{{name}}": drop_repository,
    f"GET {_NOTIFICATIONS}": list_notifications,
    f"POST {_NOTIFICATIONS}": create_notification,
    f"GET {_NOTIFICATIONS}/{{name}}": fetch_notification,
    f"DELETE {_NOTIFICATIONS}/{{name}}": drop_notification,
}
