"""Databases and schemas in Snowflake's REST API.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/database · /schema
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.errors import does_not_exist
from sfml_local.core.rest_call import Call, Json, Operations, bad_request, done
from sfml_local.grammar.databases import Create, Drop, Kind
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Name
from sfml_local.services.databases import sql as databases
from sfml_local.services.databases import store

if TYPE_CHECKING:
    from sfml_local.core.result import Result

_TAKEN = frozenset({"name", "comment", "kind", "data_retention_time_in_days"})
_READ_ONLY = frozenset(
    [
        "created_on",
        "is_default",
        "is_current",
        "origin",
        "owner",
        "options",
        "retention_time",
        "dropped_on",
        "budget",
        "owner_role_type",
        "database_name",
        "managed_access",
    ]
)


def _comment(body: Json) -> str:
    """The comment in a body; refuses settings that have an effect on an account, and none here."""
    for key, value in body.items():
        if value is not None and key not in _TAKEN | _READ_ONLY:
            raise bad_request(f"Not emulated by the local server: {key} of a database or schema.")
    if body.get("managed_access"):
        raise bad_request("Not emulated by the local server: managed_access of a schema.")
    return str(body.get("comment") or "")


def _body(call: Call, database: str, schema: str = "") -> Json:
    created, owner, comment = store.noted(call.account, database, schema)
    session = call.session
    current = (session.database, session.schema) if schema else (session.database,)
    body: Json = {
        "name": quoted_if_needed(schema or database),
        "kind": "PERMANENT",
        "created_on": created.isoformat(timespec="milliseconds"),
        "is_default": False,
        "is_current": current == ((database, schema) if schema else (database,)),
        "owner": owner,
        "owner_role_type": "ROLE",
        "comment": comment,
        "options": "",
        "retention_time": store.effective(call.account, database, schema).get(
            "DATA_RETENTION_TIME_IN_DAYS", 1
        ),
    }
    if schema:
        return body | {"database_name": quoted_if_needed(database), "managed_access": False}
    return body | {"origin": ""}


def _create(call: Call, kind: Kind, parts: tuple[str, ...], body: Json, mode: str) -> Result:
    """Execute the statement without changing the session's current schema, which only CREATE in SQL does."""
    at = (call.session.database, call.session.schema)
    statement = Create(kind, Name(parts), mode == "orReplace", mode == "ifNotExists", _comment(body))
    result = databases.create(call.account, call.session, statement)
    call.account.engine.use(call.session, *at)
    return result


def _put(call: Call, kind: Kind, parts: tuple[str, ...], exists: bool) -> Json:
    body = call.mapping()
    call.named(body)
    if not exists:
        return done(str(_create(call, kind, parts, body, "errorIfExists").scalar))
    database, schema = (*parts, "")[:2]
    store.set_comment(call.account, database, schema, _comment(body))
    return done(f"{kind.capitalize()} {parts[-1]} successfully altered.")


def _drop(call: Call, kind: Kind, parts: tuple[str, ...]) -> Json:
    statement = Drop(kind, Name(parts), call.truth("ifExists"))
    return done(str(databases.drop(call.account, call.session, statement).scalar))


# -- databases


def list_databases(call: Call) -> list[Json]:
    if call.truth("history"):
        raise bad_request("Not emulated by the local server: history, dropped databases are gone.")
    return [_body(call, name) for name in call.shown(list(call.account.engine.databases()))]


def create_database(call: Call) -> Json:
    body = call.mapping()
    return done(str(_create(call, "DATABASE", (call.named(body),), body, call.mode).scalar))


def fetch_database(call: Call) -> Json:
    _demand_database(call, call.name)
    return _body(call, call.name)


def put_database(call: Call) -> Json:
    return _put(call, "DATABASE", (call.name,), call.account.engine.has_database(call.name))


def drop_database(call: Call) -> Json:
    return _drop(call, "DATABASE", (call.name,))


def _demand_database(call: Call, name: str) -> None:
    if not call.account.engine.has_database(name):
        raise does_not_exist("Database", quoted_if_needed(name))


# -- schemas


def list_schemas(call: Call) -> list[Json]:
    _demand_database(call, call.database)
    if call.truth("history"):
        raise bad_request("Not emulated by the local server: history, dropped schemas are gone.")
    names = sorted([*call.account.engine.schemas(call.database), "INFORMATION_SCHEMA"])
    return [_body(call, call.database, name) for name in call.shown(names)]


def create_schema(call: Call) -> Json:
    body = call.mapping()
    parts = (call.database, call.named(body))
    return done(str(_create(call, "SCHEMA", parts, body, call.mode).scalar))


def _has_schema(call: Call) -> bool:
    _demand_database(call, call.database)
    return call.account.engine.has_schema(call.database, call.name)


def fetch_schema(call: Call) -> Json:
    if not _has_schema(call):
        full = f"{quoted_if_needed(call.database)}.{quoted_if_needed(call.name)}"
        raise does_not_exist("Schema", full)
    return _body(call, call.database, call.name)


def put_schema(call: Call) -> Json:
    return _put(call, "SCHEMA", (call.database, call.name), _has_schema(call))


def drop_schema(call: Call) -> Json:
    return _drop(call, "SCHEMA", (call.database, call.name))


_SCHEMAS = "/databases/{database}/schemas"

OPERATIONS: Operations = {
    "GET /databases": list_databases,
    "POST /databases": create_database,
    "GET /databases/{name}": fetch_database,
    "PUT /databases/{name}": put_database,
    "DELETE /databases/{name}": drop_database,
    f"GET {_SCHEMAS}": list_schemas,
    f"POST {_SCHEMAS}": create_schema,
    f"GET {_SCHEMAS}/{{name}}": fetch_schema,
    f"PUT {_SCHEMAS}/{{name}}": put_schema,
    f"DELETE {_SCHEMAS}/{{name}}": drop_schema,
}
