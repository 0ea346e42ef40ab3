"""Stages in Snowflake's REST API; files go in and out by PUT and GET.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/stage
"""

from __future__ import annotations

from typing import Any

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import ObjectName
from sfml_local.core.places import demand_schema
from sfml_local.core.rest_call import Call, Json, Operations, bad_request, done
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.stages import CreateStage, DropStage, ListFiles
from sfml_local.grammar.tokens import Name
from sfml_local.services.stages import sql as stages
from sfml_local.services.stages import store

_READ_ONLY = frozenset(
    ["created_on", "has_credentials", "has_encryption_key", "owner", "owner_role_type", "region", "cloud"]
)
_TAKEN = frozenset({"name", "kind", "comment", "encryption", "directory_table"}) | _READ_ONLY


def _demand_schema(call: Call) -> None:
    demand_schema(call.account, ObjectName(call.database, call.schema, ""))


def _row(call: Call) -> Any:
    row = store.find(call.account, call.object)
    if row is None:
        raise does_not_exist("Stage", call.object.fqn())
    return row


def _body(row: Any) -> Json:
    return {
        "name": quoted_if_needed(row["name"]),
        "kind": "PERMANENT" if row["session"] is None else "TEMPORARY",
        "url": "",
        "comment": row["comment"],
        "encryption": {"type": row["encryption"]},
        "directory_table": {"enable": bool(row["directory"])},
        "created_on": row["created_on"],
        "has_credentials": False,
        "has_encryption_key": False,
        "owner": row["owner"],
        "owner_role_type": "ROLE",
    }


def list_stages(call: Call) -> list[Json]:
    _demand_schema(call)
    found = {row["name"]: row for row in store.in_schema(call.account, call.database, call.schema)}
    return [_body(found[name]) for name in call.shown(list(found))]


def create_stage(call: Call) -> Json:
    _demand_schema(call)
    body, mode = call.mapping(), call.mode
    for key, value in body.items():
        if value is not None and key not in _TAKEN:
            raise bad_request(f"Not emulated by the local server: {key} of a stage, which makes it external.")
    name = ObjectName(call.database, call.schema, call.named(body))
    options = {
        "COMMENT": body.get("comment") or "",
        "ENCRYPTION": _upper(body, "encryption"),
        "DIRECTORY": _upper(body, "directory_table"),
    }
    statement = CreateStage(
        Name(name.parts),
        or_replace=mode == "orReplace",
        if_not_exists=mode == "ifNotExists",
        temporary=str(body.get("kind") or "").upper() == "TEMPORARY",
        options=options,
    )
    return done(str(stages.create(call.account, call.session, statement).scalar))


def _upper(body: Json, key: str) -> Json:
    value = body.get(key) or {}
    if not isinstance(value, dict):
        raise bad_request(f"Invalid field {key}: an object is expected.")
    return {name.upper(): inner for name, inner in value.items() if inner is not None}


def fetch_stage(call: Call) -> Json:
    return _body(_row(call))


def drop_stage(call: Call) -> Json:
    statement = DropStage(Name(call.object.parts), call.truth("ifExists"))
    return done(str(stages.drop(call.account, call.session, statement).scalar))


def list_files(call: Call) -> list[Json]:
    _row(call)
    statement = ListFiles(f"@{call.object.fqn()}", call.options.get("pattern"))
    found = stages.list_files(call.account, call.session, statement)
    return [{**row, "size": str(row["size"])} for row in found.dicts()]


_STAGES = "/databases/{database}/schemas/{schema}/stages"

OPERATIONS: Operations = {
    f"GET {_STAGES}": list_stages,
    f"POST {_STAGES}": create_stage,
    f"GET {_STAGES}/{{name}}": fetch_stage,
    f"DELETE {_STAGES}/{{name}}": drop_stage,
    f"GET {_STAGES}/{{name}}/files": list_files,
}
