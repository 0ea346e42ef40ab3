"""Tables, views, streams, tags, roles, users and routines in Snowflake's REST API: listed, fetched and dropped.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sfml_local.core import places
from sfml_local.core.errors import does_not_exist, not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.core.places import Area
from sfml_local.core.rest_call import Call, Handler, Json, Operations, done, identifier
from sfml_local.core.stored_types import shown_type
from sfml_local.grammar.access import Create, Drop, Show
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.streams import DropStream
from sfml_local.grammar.tags import DropTag, ShowTags
from sfml_local.grammar.tokens import Name, parse_name
from sfml_local.services.access import sql as access
from sfml_local.services.objects import ddl, show
from sfml_local.services.objects import store as records
from sfml_local.services.objects.show import Known
from sfml_local.services.routines import store as routines
from sfml_local.services.routines.store import Routine
from sfml_local.services.streams import sql as stream_statements
from sfml_local.services.streams import store as streams
from sfml_local.services.streams.store import Stream
from sfml_local.services.tags import sql as tags
from sfml_local.services.variants import semi_structured

_PLACE = "/databases/{database}/schemas/{schema}"


def moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def demand_schema_of(call: Call) -> None:
    places.demand_schema(call.account, ObjectName(call.database, call.schema, ""))


def absent(body: Mapping[str, Any]) -> Json:
    """The body without empty values."""
    return {key: value for key, value in body.items() if value is not None}


def place_of(name: ObjectName) -> Json:
    return {
        "name": quoted_if_needed(name.name),
        "database_name": quoted_if_needed(name.database),
        "schema_name": quoted_if_needed(name.schema),
    }


# -- tables and views


def _known(call: Call, kind: str) -> list[Known]:
    demand_schema_of(call)
    found = show.known_objects(call.account, Area(call.database, call.schema))
    return [one for one in found if one.kind == kind]


def _listed(call: Call, kind: str, body: Callable[[Call, Known, bool], Json]) -> list[Json]:
    known = {one.name.name: one for one in _known(call, kind)}
    deep = call.truth("deep")
    return [body(call, known[name], deep) for name in call.shown(list(known))]


def _one(call: Call, kind: str) -> Known:
    found = next((one for one in _known(call, kind) if one.name.name == call.name), None)
    if found is None:
        raise does_not_exist(kind.capitalize(), call.object.fqn())
    return found


def columns_of(call: Call, name: ObjectName) -> list[Json]:
    told = semi_structured.kinds_of(call.account, call.session, name)
    return [
        absent(
            {
                "name": quoted_if_needed(column),
                "datatype": shown_type(told.get(column), stored, length),
                "nullable": bool(nullable),
                "default": default,
                "comment": comment,
            }
        )
        for column, stored, length, nullable, default, comment in call.account.engine.columns(
            call.session, name
        )
    ]


def _constraints(one: Known) -> list[Json]:
    return [
        absent(
            {
                "constraint_type": key.kind,
                "name": records.constraint_name(one.record, key),
                "column_names": list(key.columns),
                "referenced_table_name": key.refers_to,
                "referenced_column_names": list(key.other_columns) or None,
            }
        )
        for key in one.record.keys
    ]


def _table_body(call: Call, one: Known, deep: bool) -> Json:
    row = show.table_values(call.account, one)
    cluster = one.detail("CLUSTER_BY")
    body = {
        **place_of(one.name),
        "kind": "TRANSIENT" if row["kind"] == "TRANSIENT" else "PERMANENT",
        "cluster_by": [part.strip() for part in cluster.split(",")] if cluster else None,
        "enable_schema_evolution": row["enable_schema_evolution"] == "Y",
        "change_tracking": row["change_tracking"] == "ON",
        "data_retention_time_in_days": int(row["retention_time"]),
        "comment": one.comment or None,
        "created_on": moment(one.record.created_on),
        "rows": row["rows"],
        "bytes": row["bytes"],
        "owner": one.record.owner,
        "automatic_clustering": row["automatic_clustering"] == "ON",
        "search_optimization": False,
        "owner_role_type": "ROLE",
        "table_type": "NORMAL",
    }
    if deep:
        body |= {"columns": columns_of(call, one.name), "constraints": _constraints(one)}
    return absent(body)


def _view_body(call: Call, one: Known, deep: bool) -> Json:
    columns = [
        {key: value for key, value in column.items() if key in ("name", "datatype", "comment")}
        for column in columns_of(call, one.name)
    ]
    text = show.written_text(call.account, one.name, one.record)
    return absent(
        {
            **place_of(one.name),
            "secure": bool(one.detail("SECURE")),
            "kind": "PERMANENT",
            "recursive": False,
            "columns": columns,
            "comment": one.comment or None,
            "query": text,
            "select_query": ddl.defining_query(text) if one.record.written else None,
            "created_on": moment(one.record.created_on),
            "owner": one.record.owner,
            "owner_role_type": "ROLE",
        }
    )


def _drop(kind: str) -> Handler:
    def drop(call: Call) -> Json:
        missing = " IF EXISTS" if call.truth("ifExists") else ""
        result = call.account.execute(call.session, f"DROP {kind}{missing} {call.object.fqn()}")
        return done(str(result.scalar))

    return drop


_BODIES: Mapping[str, Callable[[Call, Known, bool], Json]] = {"TABLE": _table_body, "VIEW": _view_body}


def _tables_and_views(kind: str) -> Operations:
    path, body = f"{_PLACE}/{kind.lower()}s", _BODIES[kind]
    return {
        f"GET {path}": lambda call: _listed(call, kind, body),
        f"GET {path}/{{name}}": lambda call: body(call, _one(call, kind), True),
        f"DELETE {path}/{{name}}": _drop(kind),
        f"POST {path}": _refused(f"POST of a {kind.lower()}"),
    }


def _refused(what: str) -> Handler:
    def refuse(call: Call) -> Any:
        raise not_emulated(what, "use SQL")

    return refuse


# -- streams


def _stream_body(stream: Stream) -> Json:
    return absent(
        {
            **place_of(stream.name),
            "stream_source": {
                "src_type": stream.kind,
                **dict(
                    zip(("database_name", "schema_name", "name"), _quoted_parts(stream.source), strict=True)
                ),
                "append_only": stream.append_only,
            },
            "comment": stream.comment,
            "owner": stream.owner,
            "stale": stream.stale,
            "mode": "APPEND_ONLY" if stream.append_only else "DEFAULT",
            "invalid_reason": "Base table was dropped or replaced" if stream.stale else "N/A",
            "owner_role_type": "ROLE",
            "type": "DELTA",
            "created_on": moment(stream.created_on),
        }
    )


def _quoted_parts(name: str) -> list[str]:
    return [quoted_if_needed(part) for part in parse_name(name).parts]


def list_streams(call: Call) -> list[Json]:
    demand_schema_of(call)
    known = {
        stream.name.name: stream
        for stream in streams.everywhere(call.account.store, call.database, call.schema)
    }
    return [_stream_body(known[name]) for name in call.shown(list(known))]


def fetch_stream(call: Call) -> Json:
    return _stream_body(stream_statements.fetch(call.account, call.object))


def drop_stream(call: Call) -> Json:
    statement = DropStream(Name(call.object.parts), call.truth("ifExists"))
    return done(str(stream_statements.drop(call.account, call.session, statement).scalar))


# -- tags


def _tag_bodies(call: Call) -> dict[str, Json]:
    demand_schema_of(call)
    statement = ShowTags(Listing(scope="SCHEMA", within=Name((call.database, call.schema))))
    found = {}
    for row in tags.show(call.account, call.session, statement).dicts():
        allowed = row["allowed_values"]
        found[row["name"]] = absent(
            {
                **place_of(ObjectName(row["database_name"], row["schema_name"], row["name"])),
                "allowed_values": None if allowed is None else tags.allowed_values(allowed),
                "propagate": row["propagate"],
                "on_conflict": row["on_conflict"],
                "comment": row["comment"] or None,
                "created_on": moment(row["created_on"]),
                "owner": row["owner"],
                "owner_role_type": "ROLE",
            }
        )
    return found


def list_tags(call: Call) -> list[Json]:
    found = _tag_bodies(call)
    return [found[name] for name in call.shown(list(found))]


def fetch_tag(call: Call) -> Json:
    found = _tag_bodies(call).get(call.name)
    if found is None:
        raise does_not_exist("Tag", call.object.fqn())
    return found


def drop_tag(call: Call) -> Json:
    statement = DropTag(Name(call.object.parts), call.truth("ifExists"))
    return done(str(tags.drop(call.account, call.session, statement).scalar))


# -- roles and users


def list_roles(call: Call) -> list[Json]:
    rows = {
        row["name"]: row
        for row in access.show(call.account, call.session, Show("ROLE", "", Listing())).dicts()
    }
    return [_role_body(rows[name]) for name in call.shown(list(rows))]


def _role_body(row: Mapping[str, Any]) -> Json:
    numbers = ("assigned_to_users", "granted_to_roles", "granted_roles")
    body = {
        "name": quoted_if_needed(row["name"]),
        "comment": row["comment"],
        "created_on": moment(row["created_on"]),
        "owner": row["owner"] or None,
        **{key: row[key] == "Y" for key in ("is_default", "is_current", "is_inherited")},
        **{key: int(row[key]) for key in numbers},
    }
    return absent(body)


def create_role(call: Call) -> Json:
    body = call.mapping()
    name = call.named(body)
    comment = {"COMMENT": body["comment"]} if body.get("comment") else {}
    replace, missing = call.mode == "orReplace", call.mode == "ifNotExists"
    statement = Create("ROLE", Name((name,)), "", replace, missing, comment)
    return done(str(access.create(call.account, call.session, statement).scalar))


def drop_role(call: Call) -> Json:
    statement = Drop("ROLE", Name((call.name,)), call.truth("ifExists"))
    return done(str(access.drop(call.account, call.session, statement).scalar))


def _user_body(name: str) -> Json:
    return {
        "name": quoted_if_needed(name),
        "login_name": name,
        "display_name": name,
        "disabled": False,
        "must_change_password": False,
        "type": "PERSON",
    }


def list_users(call: Call) -> list[Json]:
    return [_user_body(name) for name in call.shown(show.users(call.account, call.session))]


def fetch_user(call: Call) -> Json:
    if call.name not in show.users(call.account, call.session):
        raise does_not_exist("User", quoted_if_needed(call.name))
    return _user_body(call.name)


# -- procedures and functions


def _routine_body(routine: Routine) -> Json:
    definition = routine.definition
    language = definition.language.upper()
    config: Json = {"language": language, "called_on_null_input": not definition.strict}
    if language == "PYTHON":
        config |= {
            "runtime_version": definition.runtime_version,
            "packages": list(definition.packages),
            "imports": list(definition.imports),
            "handler": definition.handler,
        }
    arguments = [
        absent({"name": one.name, "datatype": one.type, "default_value": one.default})
        for one in definition.parameters
    ]
    return absent(
        {
            **place_of(routine.name),
            "arguments": arguments,
            "return_type": _returned(definition.returns),
            "language_config": config,
            "comment": definition.comment or None,
            "body": definition.body or "",
            "created_on": routine.created_on,
            "min_num_arguments": sum(one.default is None for one in definition.parameters),
            "max_num_arguments": len(arguments),
            "owner": routine.owner,
            "owner_role_type": "ROLE",
            "is_builtin": False,
            "is_secure": definition.secure,
            **_only_of(routine),
        }
    )


def _returned(declared: str) -> Json:
    type, not_null, _ = declared.upper().partition(" NOT NULL")
    return {"type": "DATATYPE", "datatype": type, "nullable": not not_null}


def _only_of(routine: Routine) -> Json:
    """What is told of procedures alone, or of functions alone."""
    definition = routine.definition
    if routine.kind == "PROCEDURE":
        return {"execute_as": definition.execute_as}
    return {
        "is_temporary": routine.session != 0,
        "is_aggregate": definition.aggregate,
        "is_memoizable": definition.memoizable,
        "is_table_function": routine.returns.startswith("TABLE"),
        "valid_for_clustering": False,
    }


def _routines(call: Call, kind: str) -> list[Routine]:
    demand_schema_of(call)
    place = (call.database, call.schema)
    found = routines.every(call.account, call.session, kind)
    return [one for one in found if (one.name.database, one.name.schema) == place]


def _list_routines(kind: str) -> Handler:
    def listed(call: Call) -> list[Json]:
        known = _routines(call, kind)
        names = call.shown(sorted({one.name.name for one in known}))
        return [_routine_body(one) for name in names for one in known if one.name.name == name]

    return listed


def _signature(call: Call) -> tuple[str, tuple[str, ...]]:
    """The name and the types of `name(TYPE,TYPE)` in the path."""
    name, _, types = call.path["id"].partition("(")
    found = tuple(one.strip() for one in types.rstrip(")").split(",") if one.strip())
    return identifier(name), found


def _fetch_routine(kind: str) -> Handler:
    def fetch(call: Call) -> Json:
        name, types = _signature(call)
        full = ObjectName(call.database, call.schema, name)
        found = routines.find(call.account, call.session, kind, full, types)
        if found is None:
            raise does_not_exist(kind.capitalize(), f"{full.fqn()}({', '.join(types)})")
        return _routine_body(found)

    return fetch


def _drop_routine(kind: str) -> Handler:
    def drop(call: Call) -> Json:
        name, types = _signature(call)
        missing = " IF EXISTS" if call.truth("ifExists") else ""
        full = ObjectName(call.database, call.schema, name).fqn()
        sql = f"DROP {kind}{missing} {full}({', '.join(types)})"
        return done(str(call.account.execute(call.session, sql).scalar))

    return drop


def _routine_operations(kind: str, path: str) -> Operations:
    return {
        f"GET {_PLACE}/{path}": _list_routines(kind),
        f"GET {_PLACE}/{path}/{{id}}": _fetch_routine(kind),
        f"DELETE {_PLACE}/{path}/{{id}}": _drop_routine(kind),
        f"POST {_PLACE}/{path}": _refused(f"POST of a {kind.lower()}"),
    }


# -- kinds of which there are none


def _none(kind: str, path: str) -> Operations:
    """Kinds of objects that never exist here: lists are empty, and fetching finds nothing."""

    def listed(call: Call) -> list[Json]:
        demand_schema_of(call)
        return []

    def fetch(call: Call) -> Any:
        raise does_not_exist(kind, call.object.fqn())

    return {
        f"GET {_PLACE}/{path}": listed,
        f"GET {_PLACE}/{path}/{{name}}": fetch,
        f"POST {_PLACE}/{path}": _refused(f"CREATE {kind.upper()}"),
    }


_NONE: Iterable[tuple[str, str]] = (
    ("Event table", "event-tables"),
    ("Iceberg table", "iceberg-tables"),
    ("Notebook", "notebooks"),
    ("Pipe", "pipes"),
)

OPERATIONS: Operations = {
    **_tables_and_views("TABLE"),
    **_tables_and_views("VIEW"),
    f"GET {_PLACE}/streams": list_streams,
    f"GET {_PLACE}/streams/{{name}}": fetch_stream,
    f"DELETE {_PLACE}/streams/{{name}}": drop_stream,
    f"POST {_PLACE}/streams": _refused("POST of a stream"),
    f"GET {_PLACE}/tags": list_tags,
    f"GET {_PLACE}/tags/{{name}}": fetch_tag,
    f"DELETE {_PLACE}/tags/{{name}}": drop_tag,
    "GET /roles": list_roles,
    "POST /roles": create_role,
    "DELETE /roles/{name}": drop_role,
    "GET /users": list_users,
    "GET /users/{name}": fetch_user,
    **_routine_operations("PROCEDURE", "procedures"),
    **_routine_operations("FUNCTION", "user-defined-functions"),
    **{operation: handler for kind, path in _NONE for operation, handler in _none(kind, path).items()},
}
